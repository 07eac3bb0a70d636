"""What a Ruby backtrace says: the chain of exceptions with their frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Literal

from aiops_core import Frame, RaisedException
from aiops_detector_ruby._extent import Part, find_parts
from aiops_detector_ruby._lines import (
    NUMBERED,
    REVERSED,
    Call,
    Head,
    has_frame,
    is_caret,
    is_source,
    read_bug,
    read_caused,
    read_frame,
    read_head,
    read_information,
    read_raised,
    read_syntax_error,
)

MAX_FRAMES = 200
"""Frames kept of one exception: those next to the raise and the outermost, half each."""
UNKNOWN = "Exception"
"""Type of a backtrace that nothing names."""
_MOST_MESSAGE = 8_000
IsOurs = Callable[[Call], bool]
Link = Literal["raised", "cause"]


def read_exceptions(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return the exceptions of a block, the one that surfaced first."""

    def get(index: int) -> str | None:
        return lines[index] if 0 <= index < len(lines) else None

    parts = _parts(get, len(lines))
    if any(part.head > part.body for part in parts):
        parts.reverse()  # printed to a terminal: the cause comes first
    return tuple(
        _raised(lines, part, "cause" if index else "raised", index - 1, is_ours)
        for index, part in enumerate(parts)
    )


def _parts(get: Callable[[int], str | None], count: int) -> list[Part]:
    """Return what the cutter found; a first line without its envelope may read differently."""
    for hit in range(count):
        line = get(hit) or ""
        if _may_hit(line) and (parts := find_parts(get, hit)):
            return parts
    return [Part(0, 1, count)]


def _may_hit(line: str) -> bool:
    forms = (read_raised, read_syntax_error, read_bug, read_frame)
    return REVERSED in line or any(form(line) is not None for form in forms)


def _raised(lines: Sequence[str], part: Part, link: Link, parent: int, is_ours: IsOurs) -> RaisedException:
    head = _head(lines, part)
    frames = [call for line in lines[part.body : part.end] if (call := _call(line)) is not None]
    if part.head > part.body:
        frames = [call for line in lines[part.body : part.head] if (call := read_frame(line)) is not None]
        frames.reverse()
    if head.call is not None:
        frames.insert(0, head.call)
    made = tuple(_frame(call, is_ours) for call in reversed(_shortened(frames)))
    return RaisedException(head.type, head.message[:_MOST_MESSAGE], made, link, parent)


def _call(line: str) -> Call | None:
    return read_frame(line) or (read_frame(line.rsplit(" ", 1)[-1] if has_frame(line) else ""))


def _head(lines: Sequence[str], part: Part) -> Head:
    if part.head < 0:
        return Head(UNKNOWN, "")
    first = lines[part.head]
    if read_information(first) is not None:
        first = first.partition(": ")[2]
    elif (rest := read_caused(first)) and read_raised(first) is None:
        first = rest
    forms = (read_raised, read_syntax_error, read_bug, read_head)
    head = next((head for form in forms if (head := form(first)) is not None), Head(UNKNOWN, first.strip()))
    if head.type == "[BUG]":
        return head
    rest_of = lines[part.head + 1 : part.body if part.body > part.head else part.end]
    message = "\n".join([head.message, *_own(rest_of)]).strip()
    if head.is_open:
        message = message.rstrip(": ").removesuffix(")").rstrip()
    return head._replace(message=message)


def _own(rest: Sequence[str]) -> list[str]:
    """Leave the source a runtime prints under a message out of it."""
    has_source = any(is_caret(line) for line in rest)
    kept: list[str] = []
    for line in rest:
        if NUMBERED.match(line) or (has_source and not line.strip()):
            break
        if line.strip() and is_source(line):
            break  # the source of a template
        kept.append(line.rstrip())
    return kept


def _shortened(frames: list[Call]) -> list[Call]:
    half = MAX_FRAMES // 2
    return frames if len(frames) <= MAX_FRAMES else [*islice(frames, half), *frames[-half:]]


def _frame(call: Call, is_ours: IsOurs) -> Frame:
    return Frame(call.file, call.line, call.label, in_app=is_ours(call))
