"""The forms a call takes in the stack of a kernel, and the stacks of a report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct, field

from aiops_core import lazy_pattern
from aiops_detector_kernel._console import LONGEST
from aiops_detector_kernel._functions import is_everywhere, is_reporting

_NAME = r"[A-Za-z_.$][\w.$:@~<>*,&()]{0,200}"
_PLACE = r"(?: (?P<file>[\w./+-]+\.\w{1,4}):(?P<line>\d+))?"
_INTEL = lazy_pattern(
    r"\s*(?:\[ {0,4}\d{1,3}\] )?(?:\(?\[<?[0-9a-f*]+>?\](?: \[<?[0-9a-f]+>?\])? ?)?(?:[0-9a-f]{16}:)?(?P<unsure>\? )?"
    rf"(?P<name>{_NAME}?)\+(?:0x)?[0-9a-f]+(?:/0x[0-9a-f]+)?(?: ?\[(?P<module>[\w-]+)(?: [0-9a-f]+)?\])?"
    rf"{_PLACE}(?: \[inline\]| \(unreliable\)|\)| \(\w{{1,3}}\))*\s*$"
)
_INLINE = lazy_pattern(
    r"\s*(?:\[ *inline *\]|\[<[0-9a-f]+>\] )? ?(?P<name>[A-Za-z_][\w.$]*) (?P<file>[\w./+-]+\.\w{1,4}):(?P<line>\d+)(?: \[inline\])?\s*$"
)
_ARM = lazy_pattern(
    r"\s*(?:\[<?[0-9a-f]+>?\] )?\(?(?P<callee>[A-Za-z_][\w.$]*)\)? from (?:\[<?[0-9a-f]+>?\] )?"
    rf"\(?(?P<name>[A-Za-z_][\w.$]*)(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?{_PLACE}(?: \[inline\])?\)?(?: \[(?P<module>\w+)\])?{_PLACE.replace('file', 'file2').replace('line', 'line2')}\s*$"
)
_BSD = lazy_pattern(
    r"\s*(?:#\d{1,3} )?(?:0x[0-9a-f]+ )?(?:(?P<name>[A-Za-z_]\w*)\([^)]*\) )?at (?:\w+:)?(?P<at>[A-Za-z_][\w.]*)\+0x[0-9a-f]+"
)
_DARWIN = lazy_pattern(
    r"\s*0x[0-9a-f]+ : 0x[0-9a-f]+ (?P<module>\w[\w.() -]{0,100}) : _?(?P<name>[A-Za-z_][\w.$:]*) \+ 0x[0-9a-f]+\s*$"
)
_ZIRCON = lazy_pattern(
    r"\s*(?:bt#\d\d|[ku]SP\+0x[0-9a-f]+): (?:0x[0-9a-f]+|\[ inline \])(?: in)? (?P<name>\S.*?)(?: (?P<file>\S+\.\w{1,4}):(?:(?P<line>\d+)|\?))?\s*$"
)
_RIP = lazy_pattern(
    r"\s*(?:RIP: (?:[0-9a-f]{4}:)?|R?IP: |EIP: |\[?EIP is at |epc ?: |pc ?: |NIP |NIP: |PC is at |PC: )"
    r"(?:\[<[0-9a-f]+>\] +)*(?:\[[0-9a-f]{8,16}\] )?(?:[0-9a-f]{16} )?(?:0x[0-9a-f]+ +)?"
    rf"(?P<name>[A-Za-z_][\w.$:]*)(?:\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?| object/| [\w/.-]+:\d+)(?: \[(?P<module>\w+)\])?{_PLACE}"
)
_USER = lazy_pattern(r"\s*RIP: 0033:|\s*RIP: 0023:")
_HELD_AT = lazy_pattern(
    r".*\bat:(?: (?:\[<[0-9a-f]+>\] )?(?P<name>[A-Za-z_][\w.$]*)(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?"
    rf"(?: \[(?P<module>\w+)\])?{_PLACE})?\s*$"
)
_CLONE = lazy_pattern(r"\.(?:isra|constprop|part|cold|llvm|lto_priv|localalias)(?:\.\d+)?(?:\.\w+)*$|\.\d+$")
_SYSCALL = lazy_pattern(
    r"^_*(?:(?:(?:x64|ia32|arm64|arm|riscv|s390x?|se|do|compat)_)*_*(?:sys|SyS|SYSC)|ksys)_(?=[a-z])"
)

_OTHERS = lazy_pattern(
    r".*lock chain|.* in the soft-?irq context"
    r"|\s*(?:rcu: +)?(?:Allocated(?: by task \d+)?|Freed(?: by task \d+)?|Last (?:potentially )?related work creation|Second to last"
    r"|-> #\d+|the existing dependency chain|Uninit was (?:stored|created)|Local variable|RCU grace-period kthread stack dump"
    r"|freed by task|allocated by task|Memory state around|kfence-#|page (?:last )?(?:allocated|free)|page_owner|Showing all locks"
    r"|irq event stamp|the dependencies between|\{.{1,40}\} state was registered at|INITIAL USE|HARDIRQ-ON|SOFTIRQ-ON|IN-HARDIRQ|IN-SOFTIRQ"
    r"|hardirqs last|softirqs last|Preemption disabled at|other info that might help|which lock already depends|Chain exists"
    r"|(?:read|write|marked|assert no writes|race at) .*by (?:task|interrupt)|(?:write|read) to 0x|ref_tracker|Sending NMI|INFO: lockdep|to a (?:HARD|SOFT)IRQ-irq-unsafe)"
)
_MAIN = lazy_pattern(
    r".*(?:Call [Tt]race:|stack backtrace:|Backtrace:|NMI backtrace for cpu|KDB: stack backtrace|Starting stack trace|Stack traceback)"
)


class Call(NamedTuple):
    """One call, as its line tells it."""

    function: str
    module: str = ""
    file: str = ""
    line: int = 0
    is_sure: bool = True


class Stacks(Struct):
    """The calls of a report: innermost first, and places that other lines name."""

    calls: list[Call] = field(default_factory=list)
    """The stack of what failed."""
    running: list[Call] = field(default_factory=list)
    """Where the processor was."""
    held: list[Call] = field(default_factory=list)
    """Where locks were taken, as the report lists them before its stack."""


def plain_name(name: str) -> str:
    """Return the name of a function as its source has it."""
    return _SYSCALL.sub(
        "sys_", _CLONE.sub("", name.split("(", maxsplit=1)[0] if not name.startswith("(") else name)
    )


def read_call(line: str) -> list[Call]:
    """Return the calls a line of a stack holds: none, one, or two where a line says who called whom."""
    if len(line) > LONGEST or (line.startswith("RIP") or ("=" in line[:24] and " at " not in line)):
        return []
    if (found := _ARM.match(line)) is not None:
        file, number = found["file"] or found["file2"] or "", int(found["line"] or found["line2"] or 0)
        caller = Call(plain_name(found["name"]), found["module"] or "", file, number)
        return [Call(plain_name(found["callee"])), caller]
    for form in (_INTEL, _INLINE, _ZIRCON, _DARWIN):
        if (found := form.match(line)) is not None:
            return [_call(found)]
    if (found := _BSD.match(line)) is not None:
        return [Call(found["name"] or found["at"])]
    return []


def read_stacks(lines: Sequence[str]) -> Stacks:
    """Read the stack of what failed, and the places named beside it."""
    stacks = Stacks()
    is_other = skips_next = False
    for index, line in enumerate(lines):
        if _MAIN.match(line):
            if stacks.calls and any(_tells(call.function) for call in stacks.calls):
                break
            is_other, skips_next = skips_next, False
            stacks.calls.clear()
        elif _OTHERS.match(line):
            is_other, skips_next = True, skips_next or "kthread stack dump" in line
        _read_held(stacks, lines, index)
        if is_other:
            continue
        if not _USER.match(line) and (found := _RIP.match(line)) is not None:
            call = _call(found)
            (stacks.calls if stacks.calls else stacks.running).append(call)
        else:
            _add(stacks.calls, read_call(line))
    return stacks


def _tells(function: str) -> bool:
    return not is_reporting(function) and not is_everywhere(function)


def _call(found: re.Match[str]) -> Call:
    parts = found.groupdict()
    place = parts.get("file") or "", int((parts.get("line") or "0")[:9])
    return Call(plain_name(parts["name"]), parts.get("module") or "", *place, not parts.get("unsure"))


def _read_held(stacks: Stacks, lines: Sequence[str], index: int) -> None:
    if len(lines[index]) > LONGEST or (found := _HELD_AT.match(lines[index])) is None:
        return
    if found["name"]:
        stacks.held.append(_call(found))
    elif index + 1 < len(lines):
        stacks.held += read_call(lines[index + 1])[:1]


def _add(calls: list[Call], found: list[Call]) -> None:
    if len(found) == 2:
        if not calls or calls[-1].function != found[0].function:
            calls.append(found[0])
        calls.append(found[1])
    else:
        calls += found
