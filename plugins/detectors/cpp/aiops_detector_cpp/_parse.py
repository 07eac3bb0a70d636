"""What the report of a crash says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from aiops_core import Frame, Severity, lazy_pattern, replace
from aiops_detector_cpp._frames import LONGEST, Call, read_call
from aiops_detector_cpp._kinds import Head, read_head

MAX_FRAMES = 200
"""Frames kept of one stack: those next to the crash and the outermost, half each."""
IsOurs = Callable[[Call], bool]
"""Say whether a call is of the user's own code."""
_PROCESS = lazy_pattern(
    r"==(?P<pid>\d+)==|\(pid=(?P<of>\d+)\)|pid: (?P<android>\d+), tid: (?P<thread>\d+), name: (?P<name>.*?) +>>>"
)
_THREAD = lazy_pattern(r"\b(?:in )?thread (?P<thread>T\d+)|\b(?P<of>T\d+)\)\s*$")
_WHAT = lazy_pattern(r"\s+what\(\): ? ?(?P<text>.*)")
_BETWEEN = lazy_pattern(r"\s*$|\s{8,}\S+:\d+\s*$")
"""What may stand between two calls of one stack: nothing, or where the call above was made."""
_ABORT = lazy_pattern(r"Abort message: '?(?P<text>.*?)'?\s*$")
_VALUE = lazy_pattern(r"# (?P<text>\S.*)")


class Report(Struct, frozen=True):
    """A crash, read."""

    type: str
    message: str
    severity: Severity
    frames: tuple[Frame, ...]
    attributes: dict[str, str]


def read_report(lines: Sequence[str], is_ours: IsOurs) -> Report:
    """Read what surfaced first, and the stack that tells most."""
    at, head = next(
        ((index, head) for index, line in enumerate(lines[:64]) if (head := read_head(line[:LONGEST]))),
        (0, Head("crash", lines[0].strip())),
    )
    head = _told_below(head, lines[at + 1 :])
    calls = _best_stack(lines[at + 1 :], is_ours)
    return Report(
        head.type, head.message, head.severity, _frames(head, calls, is_ours), _attributes(lines, head)
    )


def _told_below(head: Head, lines: Sequence[str]) -> Head:
    """Add what stands under the first line: the text of an exception, of a check, of an abort."""
    below = lines[:24]
    if head.type == "Fatal error" and (found := _V8.search(head.message)) is not None:
        head = replace(head, file=found["file"], line=int(found["line"][:9]))
    if head.type == "Fatal error" and below and (value := _VALUE.match(below[0])) is not None:
        inner = read_head(value["text"])
        name = inner.type if inner is not None and not inner.is_effect else head.type
        return replace(
            head,
            type=name,
            message=(inner.message if inner is not None and inner.message else value["text"]).strip(),
        )
    for index, line in enumerate(below):
        if (what := _WHAT.match(line)) is not None:
            return replace(
                head, message="\n".join([what["text"], *_rest_of_message(below[index + 1 :])]).strip()
            )
        if (abort := _ABORT.match(line)) is not None and head.is_effect:
            inner = read_head(abort["text"])
            return replace(
                head,
                type=inner.type if inner else head.type,
                message=inner.message if inner else abort["text"],
            )
        if head.is_effect and head.type in {"crash", "check failure", "SIGABRT"}:
            other = read_head(line[:LONGEST])
            if other is not None and other.type not in {"crash", "check failure"}:
                return _told_below(other, lines[index + 1 :])
    return head


_V8 = lazy_pattern(r"error in (?P<file>[^\s,]+), line (?P<line>\d+)")


def _rest_of_message(lines: Sequence[str]) -> list[str]:
    rest = []
    for line in lines[:8]:
        if (
            not line.strip()
            or read_head(line[:LONGEST]) is not None
            or read_call(line) is not None
            or re.match(r"={10,}|#|\*|\w*Sanitizer:", line)
        ):
            break
        rest.append(line)
    return rest


def _best_stack(lines: Sequence[str], is_ours: IsOurs) -> list[Call]:
    """Return the first stack that names own code, else the first one that names anything."""
    stacks = _stacks(lines)
    named = [stack for stack in stacks if any(call.function for call in stack)]
    for stack in named:
        if any(is_ours(call) for call in stack):
            return stack
    return named[0] if named else stacks[0] if stacks else []


def _stacks(lines: Sequence[str]) -> list[list[Call]]:
    stacks: list[list[Call]] = []
    last = -1
    is_open = False
    for line in lines:
        call = read_call(line)
        if call is None:
            is_open = is_open and _BETWEEN.match(line) is not None
            continue
        begins = (
            (call.number == 0 and last != 0) or 0 <= call.number < last or (not is_open and call.number <= 0)
        )
        if begins or not stacks:
            stacks.append([])
        stacks[-1].append(call)
        last, is_open = call.number, True
        if len(stacks) > 16:
            break
    return stacks


def _frames(head: Head, calls: Sequence[Call], is_ours: IsOurs) -> tuple[Frame, ...]:
    """Return the frames from the outermost call inwards."""
    half = MAX_FRAMES // 2
    kept = list(calls) if len(calls) <= MAX_FRAMES else [*calls[:half], *calls[-half:]]
    if not any(is_ours(call) for call in kept) and (head.function or head.file):
        kept.insert(0, Call(0, _function(head.function), "", head.file, head.line))
    return tuple(
        Frame(call.file, call.line, call.function, "", call.column, in_app=is_ours(call))
        if call.file or not call.module
        else Frame("", 0, call.function, call.module, in_app=is_ours(call))
        for call in reversed(kept)
    )


def _function(declared: str) -> str:
    from aiops_detector_cpp._frames import plain_name

    return plain_name(declared)


def _attributes(lines: Sequence[str], head: Head) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines[:40]:
        if (process := _PROCESS.search(line[:LONGEST])) is not None and "pid" not in found:
            found["pid"] = process["pid"] or process["of"] or process["android"]
            if process["thread"]:
                found["thread"] = process["name"] or process["thread"]
        if (thread := _THREAD.search(line[:LONGEST])) is not None and "thread" not in found:
            found["thread"] = thread["thread"] or thread["of"]
    return found
