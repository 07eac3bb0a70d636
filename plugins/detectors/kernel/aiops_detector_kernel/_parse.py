"""What a report of the kernel says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from aiops_core import Frame, Severity, lazy_pattern
from aiops_detector_kernel._blame import Owners, blamed, stalled
from aiops_detector_kernel._console import LONGEST
from aiops_detector_kernel._frames import Call, plain_name, read_call, read_stacks
from aiops_detector_kernel._functions import is_everywhere, is_reporting
from aiops_detector_kernel._kinds import OOM, SEGFAULT, Kind, kind_of

MAX_FRAMES = 200
"""Frames kept of one stack: those next to the failure and the outermost, half each."""
_LAST_FUNCTION = lazy_pattern(r"\s*last function: (\w+)")
_FAMILY = lazy_pattern(
    r"_*(smp_call_function|on_each_cpu)\w*|_*(?P<rcu>synchronize_)(?:sched|srcu|rcu)\w*|(?P<of>\w+)_compat(?P<call>_ioctl)$"
)
_ACCESS = lazy_pattern(r"(?P<access>Read|Write) (?:of size|at addr) |(?P<bad>Read|Write) access")
_PROCESS = lazy_pattern(
    r"CPU:? ?(?P<cpu>\d+)\b.*?\bPID: (?P<pid>\d+) Comm: (?P<process>.+?) (?:Not tainted|Tainted|Kdump)"
)
_BY_TASK = lazy_pattern(r"by task (?P<process>.+?)/(?P<pid>\d+)\s*$")
_HUNG = lazy_pattern(r"INFO: task (?P<process>.+?):(?P<pid>\d+) blocked")
_KILLED = lazy_pattern(r"[Kk]ill(?:ed)? process (?P<pid>\d+) \((?P<process>[^)]*)\)")


class Report(Struct, frozen=True):
    """A report, read."""

    type: str
    message: str
    severity: Severity
    frames: tuple[Frame, ...]
    attributes: dict[str, str]


def read_report(lines: Sequence[str], owners: Owners) -> Report:
    """Read the words of a report, its first line the one that says what is wrong or leads to it."""
    for index, line in enumerate(lines[:24]):
        if (segfault := SEGFAULT.search(line[:LONGEST])) is not None:
            return _segfault(segfault, line)
        if OOM.search(line[:LONGEST]):
            return _out_of_memory(lines)
        if (found := kind_of(line[:LONGEST])) is not None:
            return _report(
                lines[index:], *(_told_after(lines[index + 1 : index + 4], found[0]) or found), owners
            )
    return _report(lines, *_UNNAMED, owners)


_HARDWARE = "[Hardware Error]: "
_UNNAMED = Kind(re.compile(""), "kernel stack", "warning"), re.match("", "")


def _told_after(lines: Sequence[str], kind: Kind) -> tuple[Kind, re.Match[str]] | None:
    """Return what the words under a first line that says little say more exactly."""
    if kind.type not in {"WARNING", "ZIRCON KERNEL PANIC"}:
        return None
    found = next((found for line in lines if (found := kind_of(line[:LONGEST]))), None)
    if found is None or (kind.type == "WARNING" and not found[0].type.startswith("WARNING: ")):
        return None
    return found


def _report(lines: Sequence[str], kind: Kind, head: re.Match[str] | None, owners: Owners) -> Report:
    parts = {name: value or "" for name, value in (head.groupdict() if head else {}).items()}
    if last := next((found for line in lines[1:4] if (found := _LAST_FUNCTION.match(line))), None):
        parts["function"] = last[1]
    stacks = read_stacks(lines[1:])
    beside = stacks.held[:1] if kind.blame in {"lock", "order"} else stacks.running[:1]
    if kind.blame == "order":
        beside = [*_unsafe(lines), *beside]
    guilty = [_family(call) for call in _guilty(kind, parts, stacks.calls, beside, owners)]
    access = next((found[1] or found[2] for line in lines[1:8] if (found := _ACCESS.search(line))), "")
    name = kind.type.format_map({**parts, "access": f" {access}" if access else ""}).replace(
        "_error", " error"
    )
    return Report(
        name.strip(),
        (lines[0].partition(_HARDWARE)[2] or lines[0].strip(" []!"))[:2000],
        kind.severity,
        _frames(stacks.calls, guilty) if guilty else (),
        _attributes(lines),
    )


def _unsafe(lines: Sequence[str]) -> list[Call]:
    """Return where the lock was taken in the context that made its order matter."""
    start = next((index for index, line in enumerate(lines) if "which became" in line), len(lines))
    calls = [call for line in lines[start + 1 : start + 16] for call in read_call(line)]
    return [call for call in calls if not (is_reporting(call.function) or is_everywhere(call.function))][:1]


def _family(call: Call) -> Call:
    """Return the call under the name that its variants share."""
    found = _FAMILY.match(call.function)
    if found is None:
        return call
    compat = f"{found['of']}{found['call']}" if found["of"] else ""
    return call._replace(function=found[1] or compat or "synchronize_rcu")


def _guilty(
    kind: Kind, parts: dict[str, str], calls: Sequence[Call], beside: Sequence[Call], owners: Owners
) -> list[Call]:
    if kind.blame == "nobody":
        return []
    if own := next((call for call in [*beside, *calls] if owners.is_ours(call)), None):
        return [own]
    if parts.get("other"):
        return [Call(plain_name(parts["function"])), Call(plain_name(parts["other"]))]
    if kind.blame == "stall":
        found = stalled(calls, owners)
        return [found] if found is not None else []
    named = (
        [Call(plain_name(parts["function"]), "", parts.get("file", ""), int(parts.get("line") or 0))]
        if parts.get("function")
        else []
    )
    for call in [*named, *beside]:
        if not (
            is_reporting(call.function) or is_everywhere(call.function) or owners.is_theirs(call.function)
        ):
            return [call]
    found = blamed(calls, owners) or next(iter([*named, *beside]), None)
    return [found] if found is not None else []


def _frames(calls: Sequence[Call], guilty: Sequence[Call]) -> tuple[Frame, ...]:
    """Return the frames from the outermost call inwards; only the guilty ones count as own code."""
    sure = [call for call in calls if call.is_sure] or list(calls)
    half = MAX_FRAMES // 2
    kept = sure if len(sure) <= MAX_FRAMES else [*sure[:half], *sure[-half:]]
    for call in guilty:
        at = next((index for index, one in enumerate(kept) if _family(one).function == call.function), None)
        kept = [*kept[:at], call, *kept[at + 1 :]] if at is not None else [call, *kept]
    return tuple(
        Frame(call.file, call.line, call.function, call.module, in_app=any(call is one for one in guilty))
        for call in reversed(kept)
    )


def _attributes(lines: Sequence[str]) -> dict[str, str]:
    for form in (_PROCESS, _BY_TASK, _HUNG):
        for line in lines:
            if len(line) <= LONGEST and (found := form.search(line)) is not None:
                return found.groupdict()
    return {}


def _out_of_memory(lines: Sequence[str]) -> Report:
    killed = next((found for line in lines if (found := _KILLED.search(line[:LONGEST]))), None)
    if killed is None:
        return Report("Out of memory", lines[0].strip()[:2000], "error", (), {})
    message = f"Killed process {killed['pid']} ({killed['process']})"
    return Report("Out of memory", message, "error", (), killed.groupdict())


def _segfault(found: re.Match[str], line: str) -> Report:
    process = found["process"].removeprefix("traps: ").strip()
    frames = (Frame("", 0, "", found["module"].partition("[")[0], in_app=True),) if found["module"] else ()
    kind = found["what"].removeprefix("trap ")
    return Report(
        kind, line[found.start() :].strip(), "error", frames, {"process": process, "pid": found["pid"]}
    )
