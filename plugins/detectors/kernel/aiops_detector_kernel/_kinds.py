"""The first lines of kernel reports, and what they are called."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from aiops_core import Severity, lazy_pattern

Blame = Literal["stack", "stall", "lock", "order", "nobody"]
"""Where the guilty function stands: in the stack of the report, behind a dispatcher, where a lock was
taken, where it became unsafe, or nowhere."""


class Kind(Struct, frozen=True):
    """One kind of report; ``type`` may name groups of ``head``."""

    head: re.Pattern[str]
    type: str
    severity: Severity = "error"
    blame: Blame = "stack"
    stands_alone: bool = True
    """Whether the first line is a problem without a stack under it."""


def _kind(
    head: str,
    name: str,
    severity: Severity = "error",
    blame: Blame = "stack",
    *,
    stands_alone: bool = True,
) -> Kind:
    return Kind(lazy_pattern(head), name, severity, blame, stands_alone)


HARDWARE = r"(?:mce: )?\[Hardware Error\]: "
"""What stands before each line of a machine check."""
_AT = r" (?:in|at) (?P<function>[\w.$:]+)"
KINDS = (
    # Memory checkers
    _kind(rf"BUG: KASAN: (?P<what>(?:double-free|invalid-free)[\w -]*?){_AT}", "KASAN: invalid-free"),
    _kind(rf"BUG: KASAN: (?P<what>[\w-]+(?: on address)?){_AT}", "KASAN: {what}{access}"),
    _kind(r"BUG: KASAN: (?P<what>[\w-]+)", "KASAN: {what}{access}"),
    _kind(
        rf"BUG: (?P<tool>KMSAN|KFENCE): (?P<what>[\w-]+(?: (?:read|write|corruption|free))?){_AT}",
        "{tool}: {what}",
    ),
    _kind(
        r"BUG: KCSAN: (?P<what>[\w-]+) in (?P<function>[\w.$:]+)(?: / (?P<other>[\w.$:]+))?", "KCSAN: {what}"
    ),
    _kind(r"UBSAN: (?P<what>Undefined behaviour|[\w-]+) in (?P<file>\S+?):(?P<line>\d+)", "UBSAN: {what}"),
    _kind(r"(?:[\d/]+ [\d:]+ )?BUG: memory leak", "memory leak"),
    _kind(r"unreferenced object 0x[0-9a-f]+ \(size ", "memory leak"),
    # Faults
    _kind(
        r"(?:BUG: kernel|BUG: unable to handle kernel|Unable to handle kernel) NULL pointer dereference",
        "BUG: unable to handle kernel NULL pointer dereference",
        "critical",
    ),
    _kind(
        r"(?:BUG: unable to handle (?:kernel paging request|page fault)|Unable to handle kernel (?:paging request|access)|BUG: Unable to handle kernel|Kernel attempted to (?:read|write|execute) user page)",
        "BUG: unable to handle kernel paging request",
        "critical",
    ),
    _kind(
        r"(?:Unable|unable) to handle kernel (?P<what>[a-z -]+?)(?= at| \(|:|$)",
        "BUG: unable to handle kernel {what}",
        "critical",
    ),
    _kind(r"Unhandled fault: ", "Unhandled fault", "critical", stands_alone=False),
    _kind(
        r"(?:kasan: GPF .{0,60})?(?:Oops: )?general protection fault\b(?! ip:)",
        "general protection fault",
        "critical",
        stands_alone=False,
    ),
    _kind(
        r"(?:Oops: )?(?P<what>divide[ _]error|invalid opcode|bounds|device not available|invalid TSS|segment not present|coprocessor segment overrun|alignment check|SIMD exception|simd exception|control protection|int3|debug): [0-9a-f]{4} \[#\d+\]",
        "{what}",
        "critical",
    ),
    _kind(r"(?:Oops: )?stack segment: [0-9a-f]{4} \[#\d+\]", "stack segment fault", "critical"),
    _kind(r"(?:Oops: )?(?:PANIC: )?double fault[:,]", "PANIC: double fault", "critical"),
    _kind(
        r"(?:BUG: (?:TASK |IRQ )?stack guard page was hit|kernel stack overflow|Kernel stack overflow|Insufficient stack space)",
        "BUG: stack guard page was hit",
        "critical",
        "stall",
    ),
    _kind(r"Internal error: ", "Internal error", "critical"),
    _kind(r"Bad mode in ", "bad mode", "critical"),
    _kind(
        r"Oops(?: - (?P<what>[A-Za-z /-]+?))?(?:\[#\d+\]|: [0-9a-f]{4,16} \[#\d+\]|: Kernel access| \[#\d+\]):?",
        "Oops",
        "critical",
    ),
    _kind(
        r"(?:list_(?:add|del)|list_add_tail) (?:double add|corruption)",
        "BUG: corrupted list",
        "critical",
        stands_alone=False,
    ),
    _kind(r"skbuff: skb_(?:over|under)_panic: ", "kernel BUG", "critical", stands_alone=False),
    _kind(r"kernel BUG at (?P<file>\S+?):(?P<line>\d+)!", "kernel BUG", "critical"),
    _kind(r"Kernel BUG at |Kernel bug detected|kernel BUG in ", "kernel BUG", "critical"),
    # Warnings
    _kind(
        r"refcount_t: .*(?:use-after-free|leaking memory|hit zero|overflow)",
        "WARNING: refcount bug",
        "warning",
        stands_alone=False,
    ),
    _kind(r"ODEBUG: ", "WARNING: ODEBUG bug", "warning", stands_alone=False),
    _kind(
        r"(?:usercopy: )?Bad or missing usercopy whitelist\?",
        "WARNING: bad usercopy",
        "warning",
        stands_alone=False,
    ),
    _kind(
        r"usercopy: (?:[Kk]ernel memory|Kernel memory) (?:exposure|overwrite) attempt",
        "BUG: bad usercopy",
        "critical",
        stands_alone=False,
    ),
    _kind(
        r"WARNING: (?:CPU: \d+ )?(?:PID: \d+ )?at (?P<file>kernel/locking/lockdep\.c):(?P<line>\d+)(?: (?P<function>[\w.$:]+))?",
        "WARNING: locking bug",
        "warning",
    ),
    _kind(
        r"WARNING: (?:CPU: \d+ )?(?:PID: \d+ )?at (?P<file>[^\s:]+):(?P<line>\d+)(?: (?P<function>[A-Za-z_][\w.$:]*))?",
        "WARNING",
        "warning",
    ),
    _kind(
        r"WARNING: (?:\[.*\] )?(?P<file>[\w./-]+\.[chSrs]+):(?P<line>\d+) at (?P<function>[\w.$:]+)",
        "WARNING",
        "warning",
    ),
    # Locks
    _kind(
        r"(?:\[ )?(?:WARNING|INFO): possible (?:circular|recursive) locking",
        "possible deadlock",
        "warning",
        "lock",
    ),
    _kind(
        r"(?:\[ )?(?:WARNING|INFO): (?:possible irq lock inversion|.{1,40}(?:-safe -> .{1,40}-unsafe|lock order detected))",
        "possible deadlock",
        "warning",
        "order",
    ),
    _kind(r"(?:\[ )?(?:WARNING|INFO): inconsistent lock state", "inconsistent lock state", "warning", "lock"),
    _kind(r"(?:\[ )?(?:WARNING|INFO): suspicious RCU usage", "WARNING: suspicious RCU usage", "warning"),
    _kind(
        r"(?:\[ )?(?:WARNING|BUG): (?P<what>bad unlock balance|bad contention|held lock freed|lock held when returning to user space|Nested lock was not taken|Invalid wait context)(?: detected)?",
        "WARNING: {what}",
        "warning",
        "lock",
    ),
    _kind(
        r"(?:\[ )?(?:WARNING|BUG): .{0,60}still has locks held",
        "WARNING: still has locks held",
        "warning",
        "lock",
    ),
    _kind(r"INFO: trying to register non-static key", "INFO: trying to register non-static key", "warning"),
    # Hangs
    _kind(
        r"(?:INFO: task .{1,60}|:\d+) blocked (?:in I/O wait )?for more than \d+ seconds",
        "INFO: task hung",
        "error",
    ),
    _kind(
        r"(?:rcu: )?INFO: rcu_\w+ (?:self-)?detected (?:expedited )?stalls?",
        "INFO: rcu detected stall",
        "error",
        "stall",
    ),
    _kind(r"(?:(?:NMI )?watchdog: )?BUG: soft lockup", "BUG: soft lockup", "error", "stall"),
    _kind(
        r"(?:NMI watchdog: |watchdog: )?(?:Watchdog detected hard LOCKUP|BUG: NMI Watchdog detected LOCKUP|CPU\s?\d+:? (?:Hard LOCKUP|self-detected hard LOCKUP)|detected hard LOCKUP)",
        "hard lockup",
        "critical",
        "stall",
    ),
    _kind(r"BUG: workqueue lockup", "BUG: workqueue lockup", "error", "nobody"),
    # Misuse
    _kind(r"BUG: scheduling while atomic", "BUG: scheduling while atomic"),
    _kind(r"BUG: using (?P<what>\w+(?:\(\))?) in preemptible", "BUG: using {what} in preemptible code"),
    _kind(
        r"BUG: sleeping function called from invalid context at (?P<file>\S+?):(?P<line>\d+)",
        "BUG: sleeping function called from invalid context",
    ),
    _kind(r"BUG: (?P<what>(?:spin|rw)lock [a-z ]+?) on CPU", "BUG: {what}"),
    _kind(
        r"BUG: workqueue leaked (?:lock or atomic|atomic, lock or RCU)\S*(?:.*last function: (?P<function>\w+))?",
        "BUG: workqueue leaked lock or atomic",
    ),
    _kind(r"BUG: Bad page (?P<what>state|map|cache)", "BUG: Bad page {what}"),
    _kind(r"BUG: Dentry \S+\s.*still in use", "BUG: Dentry still in use"),
    _kind(
        r"(?:\[ )?BUG: (?P<what>[A-Za-z][A-Za-z_ ()-]{2,60}?)(?=[ :]*(?:[^A-Za-z_ ()-]|$))",
        "BUG: {what}",
        stands_alone=False,
    ),
    # Panics
    _kind(
        r"Kernel panic - not syncing: (?:stack-protector: )?[Kk]ernel stack is corrupted in:? (?:[0-9a-f]{8,16}\s*$|(?P<function>[\w.$:]+))",
        "kernel panic: stack is corrupted",
        "critical",
    ),
    _kind(
        r"Kernel panic - not syncing: corrupted stack end",
        "kernel panic: corrupted stack end",
        "critical",
        "stall",
    ),
    _kind(
        r"Kernel panic - not syncing: (?P<what>Attempted to kill (?:init|the idle task)!|Out of memory|VFS: Unable to mount root fs|No (?:working )?init found)",
        "kernel panic: {what}",
        "critical",
        "nobody",
    ),
    _kind(r"Kernel panic - not syncing", "kernel panic", "critical"),
    _kind(
        r"(?:vmap allocation|[\w/:.-]{1,32}: page allocation) failure: ?order:",
        "page allocation failure",
        "warning",
    ),
    _kind(r"NETDEV WATCHDOG: ", "NETDEV WATCHDOG", "warning", stands_alone=False),
    _kind(r"VFS: Close: file count is (?:zero|0)", "VFS: Close: file count is zero", "error", "nobody"),
    _kind(r"VFS: Busy inodes after unmount", "VFS: Busy inodes after unmount", "error", "nobody"),
    # Other kernels
    _kind(
        r"Fatal trap \d+: (?P<what>[a-z -]+?)(?: while in (?:kernel|user|vm86) mode)?$",
        "Fatal trap: {what}",
        "critical",
    ),
    _kind(r"(?P<what>[a-z ]{3,40}?) trap, code=", "Fatal trap: {what}", "critical", stands_alone=False),
    _kind(
        r"(?:fatal|kernel:) (?P<what>[a-z ]+?)(?:, code=\S+| in supervisor mode| trap).*",
        "Fatal trap: {what}",
        "critical",
        stands_alone=False,
    ),
    _kind(r"panic(?:\(cpu \d+ caller [^)]*\))?: (?P<what>.*)", "panic", "critical", stands_alone=False),
    _kind(r"ZIRCON KERNEL (?:PANIC|OOPS)", "ZIRCON KERNEL PANIC", "critical"),
    _kind(r"panic notifier - trusty", "trusted app crash", "critical"),
    _kind(
        r"(?:trusty: )?panic \(caller 0x[0-9a-f]+(?: frame 0x[0-9a-f]+)?\): (?:DEBUG )?ASSERT FAILED",
        "ASSERT FAILED",
        "critical",
    ),
    _kind(
        r"(?:trusty: )?panic \(caller 0x[0-9a-f]+(?: frame 0x[0-9a-f]+)?\): (?P<what>.*)", "panic", "critical"
    ),
    _kind(r"KVM internal error|KVM: entry failed", "KVM internal error", "critical", "nobody"),
    _kind(rf"{HARDWARE}CPU \d+: Machine Check(?: Exception)?: .*", "machine check", "critical", "nobody"),
    _kind(r"recursion in interrupt handler", "recursion in interrupt handler", "critical"),
)
"""In the order they are tried."""

OOM = lazy_pattern(
    r"(?P<process>\S.{0,40}?) invoked oom-killer: |(?:Memory cgroup out of memory|Out of memory)(?: \([^)]*\))?: Kill(?:ed)? process |Killed process \d+ \(|oom-kill:constraint="
)
SEGFAULT = lazy_pattern(
    r"(?P<process>[^\s:\[\]][^:\[\]]{0,40})\[(?P<pid>\d+)\]:? (?P<what>segfault|general protection|trap invalid opcode|trap divide error|trap int3|bad frame|unhandled signal \d+)"
    r".*?\bip:? ?[0-9a-f]{4,16} sp:? ?[0-9a-f]{4,16}(?:.*? in (?P<module>[^\s\[\],]+))?"
)
CUT_HERE = lazy_pattern(r"-{4}\[ cut here \]-{4}")
FENCE = lazy_pattern(r"(?:=|-|~|\*){10,}\s*$")
BACKTRACE_HEAD = lazy_pattern(r"Call [Tt]race:|Backtrace:\s*$|stack backtrace:")


def kind_of(words: str) -> tuple[Kind, re.Match[str]] | None:
    """Return what kind of report begins with these words."""
    for kind in KINDS:
        found = kind.head.match(words)
        if found is not None:
            return kind, found
    return None
