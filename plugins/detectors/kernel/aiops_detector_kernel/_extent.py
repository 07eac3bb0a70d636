"""Where a report of the kernel begins and ends."""

from __future__ import annotations

import re

from aiops_core import begins_to_die, lazy_pattern
from aiops_detector_kernel._console import LONGEST, Get
from aiops_detector_kernel._frames import read_call
from aiops_detector_kernel._kinds import BACKTRACE_HEAD, CUT_HERE, FENCE, HARDWARE, OOM, SEGFAULT, kind_of

NOISE = 24
"""Lines of other writers that may stand within a report."""
ABOVE = 16
"""Lines looked back through for the start of a report."""
_MOST = 5_000
_HARDWARE = lazy_pattern(HARDWARE)
_CLOSING = lazy_pattern(r"-+\[ end trace|-+\[ end Kernel panic|KDB: enter: panic")
_PANIC = lazy_pattern(
    r"(?:trusty: )?panic \(caller |Kernel panic - not syncing|Kernel Offset:|Rebooting in \d|-+\[ end |Dumping ftrace|SMP: stopping secondary|Memory Limit:|PHYS_OFFSET|CPU features:|Disabling lock debugging|ODEBUG: Out of memory"
    r"|cpu\d+: (?:Begin|End) traceback|fatal breakpoint trap|trap type \d"
)
_STRONG = lazy_pattern(
    r"R?IP: |R[A-Z0-9]{2}: [0-9a-f]{16}|[CD]R\d: |FS: |CS: |Call [Tt]race:|Modules linked in|CPU: \d+ (?:UID: \d+ )?PID: |Hardware name:|Code: "
    r"|(?:Read|Write) of size |(?:Allocated|Freed) by task|The buggy address|Memory state around|stack backtrace:|-+\[ end |Kernel panic|Exception stack"
)
_FOLLOWS = lazy_pattern(
    r"(?:Oops|PANIC: double|double fault|kernel stack overflow|stack guard page:|invalid opcode|Internal error|general protection"
    r"|kernel BUG at|Kernel BUG|WARNING: (?:CPU|\S+:\d+ at)|[Uu]nable to handle|unreferenced object|panic|KASAN|recursion in interrupt|KVM internal)"
)
"""What is found first is told before the fault it leads to."""
_OF_A_PROGRAM = lazy_pattern(r"\s*(?:\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL)\]?\s|\{\")")
"""A record of something else on the same console."""
_BSD = lazy_pattern(
    r"cpuid = \d|KDB: |time = \d|Stopped at |Starting stack trace|cpu\d+: |syncing disks|Uptime: |Debugger|fatal |trap type|dump(?:ing|\b)|db(?:\{\d+\})?>"
)
"""What kernels of the BSD family print under a panic."""
_DETAIL = lazy_pattern(
    r"CPU:? ?\d+|Comm:|Hardware name:|Workqueue:|Modules linked in|(?:last )?(?:un)?loaded|Tainted:|Code:|Call [Tt]race:|Backtrace|Stack:|stack backtrace|<[/A-Z]|task: |PGD |P4D |pgd = |\*pgd|#PF:|Oops|Process "
    r"|[A-Zx][A-Za-z0-9_]{0,11}\s?[:=]\s{0,6}(?:[0-9a-f]{4,16}|0x)|[A-Z]{2,3}\d?: +[0-9a-f]{4}|[RE]?(?:IP|FLAGS|SP|BP|AX)[: ]|[a-z]{1,3}\d{0,2} ?: [0-9a-f]{8}|[RXxr]\d{1,2} ?[:=]|pstate|psr|sp :|pc :|lr :|epc|status:|Flags:|Control:|Register r|Exception stack|[0-9a-f]{2,16}:(?:\s+[0-9a-f]{4,16}|\s{2,}| +[0-9a-f]{2} )|[>\s]*[0-9a-f]{8,16}(?:[: ]|$)|ESR|EM =|EC =|SET =|EA, |FSC|ISV|CM =|Data abort|Mem abort|swapper pgtable|user pgtable|kasan:|KASAN:"
    r"|(?:Read|Write) of size|(?:Allocated|Freed)(?: by)?|PID = |The buggy|Object at|Memory state|page:|page dumped|flags:|raw:|head:|page_|pages? |Last (?:potentially )?related|Uninit|Local variable|Bytes? |Memory access|Reported by|value changed|write to|read to|read-write|race at|kfence|allocated by|freed by|original|Data copied|hex dump|memory|\*+\s*$"
    r"|\d+ locks? held|no locks held|locks held|rcu_scheduler|irq event|hardirqs|softirqs|other info|which lock|the existing|the code is|you didn't|turning off|but task|but there|but this|and this task|but new|and now|may only|lock\b|Possible|Chain|the (?:dependencies|first|second|shortest|lock|hard|soft)|\.\.\. |to a |.* is (?:trying|freeing|exiting|leaving)|.* just changed the state|.*/\d+ (?:is|just|\[)|and interrupt|[ ({&].*\{.{2,12}\}|-> #|inconsistent|\{|\(|may|context-|valid|spinlock|Preemption|addr:|caller is|in_atomic|preempt_count|RCU nest|INFO: lockdep"
    r"|\"echo 0|NMI backtrace|Sending NMI|Showing (?:all|busy)|rcu:|RCU|All QSes|rcu_\w+ |Task dump|task:|workqueue|pool |in-flight|pending|delayed"
    r"|list_|refcount_t|usercopy|slab|invalid opcode|fbcon|Kernel|Internal error|Unable|BUG:|PANIC|bt#|cpuid|time = |KDB|fault |instruction|stack pointer|frame pointer|code segment|processor|current process|trap number|db_|--- |at \w|#\d|Stopped at|\[ thread|panic|platform_halt|dso:|stopping|<PAGE|dump_thread|vector|Supervisor|errc|bottom of|\w+ at \w|CR\d|[A-Z]{2} ?=|DR|EFER|GDT|IDT|Unexpected"
)


def find_head(get: Get, hit: int) -> int | None:
    """Return the line that says what is wrong, None for a false alarm."""
    line = (get(hit) or "")[:LONGEST]
    if line.startswith("panic: ") and not any(_BSD.match(get(hit + below) or "") for below in range(1, 5)):
        return None
    if kind_of(line) is not None or OOM.search(line) or SEGFAULT.search(line):
        return hit
    if BACKTRACE_HEAD.match(line):
        return _head_above(get, hit)
    return None


def first_line(get: Get, head: int) -> int:
    """Return where the block begins: at a cut, or a fence, or what was said before them."""
    for index in range(head - 1, head - ABOVE, -1):
        line = get(index)
        if line is None:
            break
        if CUT_HERE.search(line):
            above = kind_of((get(index - 1) or "")[:LONGEST])
            return index - 1 if above is not None and not above[0].stands_alone else index
    return head - 1 if FENCE.match(get(head - 1) or "") else head


def end_of_report(get: Get, head: int) -> int:
    """Return the line after the last one that belongs to the report."""
    line = (get(head) or "")[:LONGEST]
    if SEGFAULT.search(line):
        return head + 1 + ((get(head + 1) or "").startswith("Code: "))
    if OOM.search(line):
        return _end_of_oom(get, head)
    if _HARDWARE.match(line):
        return next(
            (at for at in range(head + 1, head + _MOST) if not _HARDWARE.match(get(at) or "")), head + 1
        )
    return _end_of_trace(get, head)


def _head_above(get: Get, trace: int) -> int | None:
    """Return what stands above the line that names the processor and the process of a stack."""
    for index in range(trace - 1, trace - ABOVE, -1):
        line = get(index)
        if line is None:
            return None
        if re.match(r"CPU: \d+ (?:UID: \d+ )?PID: \d+", line):
            above = get(index - 1)
            if "FAULT_INJECTION" in (above or "") or "FAULT_INJECTION" in (get(index - 2) or ""):
                return None
            return index - 1 if above and above.strip() and not FENCE.match(above) else index
    return None


def _end_of_trace(get: Get, head: int) -> int:
    end = index = head + 1
    has_stack = is_closed = False
    while (line := get(index)) is not None and index - end <= NOISE:
        words = line[:LONGEST]
        if _begins_anew(words, has_stack=has_stack, is_closed=is_closed) or _OF_A_PROGRAM.match(words):
            break
        if has_stack and not words.startswith("panic") and begins_to_die(words, "kernel"):
            break
        if FENCE.match(words) and has_stack and kind_of((get(index + 1) or "")[:LONGEST]) is not None:
            break  # the next report begins with it
        if _PANIC.match(words):
            end = index + 1
        is_call = bool(read_call(words))
        if is_call or _STRONG.match(words) or (index - end <= 3 and words.strip() and _is_detail(words)):
            has_stack = has_stack or is_call
            end = index + 1
        if FENCE.match(words) and has_stack:
            end, is_closed = index + 1, True
        if _CLOSING.match(words):
            end, is_closed = index + 1, True
            if "end Kernel panic" in words:
                break
        if is_closed and index - end >= 6:
            break
        index += 1
    return end


def _is_detail(words: str) -> bool:
    return words[:1] in " \t" or _DETAIL.match(words) is not None


def _begins_anew(words: str, *, has_stack: bool, is_closed: bool) -> bool:
    """Say whether the line begins another report; a fault follows what found it, a panic anything."""
    if CUT_HERE.search(words):
        return has_stack
    if _PANIC.match(words) or (not (has_stack or is_closed) and _FOLLOWS.match(words)):
        return False
    found = kind_of(words)
    if found is None:
        return OOM.search(words) is not None
    return has_stack or is_closed or found[0].stands_alone


def _end_of_oom(get: Get, head: int) -> int:
    end = index = head + 1
    is_killed = "Killed process" in (get(head) or "")[:LONGEST]
    is_group = False
    while (line := get(index)) is not None and index - end <= NOISE:
        words = line[:LONGEST]
        if _OOM_REAPED.search(words):
            return index + 1
        if _OOM_BEGINS.search(words) or (is_killed and not is_group and OOM.search(words)):
            break  # it happened again
        if _OOM_KILLED.search(words):
            end, is_killed = index + 1, True
        elif kind_of(words) is not None:
            break
        elif words.startswith((" ", "[")) or _IN_OOM.match(words):
            end = index + 1
            is_group = is_group or words.startswith("Tasks in ")
        index += 1
    return end


_OOM_BEGINS = lazy_pattern(r"\S invoked oom-killer: ")
_OOM_KILLED = lazy_pattern(r"Killed process \d+")
_OOM_REAPED = lazy_pattern(r"oom_reaper: reaped")
_IN_OOM = lazy_pattern(
    r"CPU:|Hardware|Call [Tt]race|Mem-?[Ii]nfo|active_|Node \d|lowmem_reserve|DMA|Normal|HighMem|\d+ (?:total|pages|slab)|Swap cache|Free swap|Total swap|Tasks state|Memory cgroup|memory|memory\+swap|kmem|Unreclaimable|cache |anon |oom-kill|oom_score|Out of memory|RIP|Code:|R[A-Z0-9]{2}:|Tasks? in |swap|Cgroup|Name "
)
