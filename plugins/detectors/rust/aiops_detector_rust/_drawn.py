"""The reports that miette and error-stack draw: a message, and branches to what it came of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aiops_core import lazy_pattern, parse_envelope
from aiops_detector_rust._lines import LONGEST, Get, Place, names_error, read_place, starts_afresh

TRIGGERS = (
    r"^(?:Error:)? {0,3}  × ",
    r"─▶ \S",
    r"╴at \S",
)
_HEAD = lazy_pattern(r"(?:Error:)?\s{1,6}× (?P<message>\S.*)$")
_BRANCH = lazy_pattern(r"\s{0,80}(?:│\s{1,8}){0,20}[├╰]─▶ (?P<message>\S.*)$")
_GOES_ON = lazy_pattern(r"\s{1,6}│ (?P<message>\S.*)$| {6}\s*(?P<further>[^\s│·╭╰├].*)$")
_PLACE = lazy_pattern(r"\s{0,80}(?:│\s{1,8}){0,20}[├╰]╴at (?P<place>\S+:\d+:\d+)\s*$")
_DRAWN = lazy_pattern(r"\s{0,80}(?:[│├╰╭·┌└]|\d{1,6} │)")
_BELOW = lazy_pattern(r"  +\S|\t\S")
_MOST = 200


class Drawing(NamedTuple):
    """Where a report is told: its first line, the line of its message, the line after it."""

    start: int
    head: int
    end: int


class Drawn(NamedTuple):
    """One error of a report, and where it arose."""

    message: str
    place: Place | None


def find_drawing(get: Get, hit: int) -> Drawing | None:
    """Return the report that a line belongs to, None where the drawing is of something else."""
    top = hit
    while top > hit - _MOST and _DRAWN.match(get(top - 1) or "") and not _HEAD.match(get(top) or ""):
        top -= 1
    if not _HEAD.match(get(top) or ""):
        top -= 1
    line = get(top)
    if line is None or not line.strip() or not _is_told(get, top):
        return None
    return Drawing(_title_above(get, top), top, _end(get, top + 1))


def read_drawing(lines: Sequence[str]) -> list[Drawn]:
    """Return the error a report is about, and below it what each came of."""
    errors: list[Drawn] = []
    head = next((index for index, line in enumerate(lines[:4]) if _HEAD.match(line[:LONGEST])), 0)
    for line in lines[head:]:
        found = _HEAD.match(line[:LONGEST]) or _BRANCH.match(line[:LONGEST])
        if found is not None:
            errors.append(Drawn(found["message"].strip(), None))
        elif not errors:
            if text := _without_title(line):
                errors.append(Drawn(text, None))
        elif (place := _PLACE.match(line[:LONGEST])) is not None:
            last = errors[-1]
            errors[-1] = last._replace(place=last.place or read_place(place["place"]))
        elif (more := _GOES_ON.match(line)) is not None and not errors[-1].place:
            text = more["message"] or more["further"]
            errors[-1] = errors[-1]._replace(message=f"{errors[-1].message}\n{text}")
    return errors


def _without_title(line: str) -> str:
    text = line[parse_envelope(line).length :]
    return text.partition(":")[2].strip() if names_error(text) else text.strip()


def _is_told(get: Get, head: int) -> bool:
    """Say whether a message is that of an error: a mark alone stands in lists of tests, too."""
    line = get(head) or ""
    if names_error(line) or not _HEAD.match(line):
        return not line.startswith((" ", "\t"))
    if names_error(get(_title_above(get, head)) or ""):
        return True
    return any(_BRANCH.match(get(head + below) or "") for below in (1, 2, 3))


def _title_above(get: Get, head: int) -> int:
    """Return the line with the code of the error, which stands above the message, else the message."""
    if names_error(get(head) or "") or not _HEAD.match(get(head) or ""):
        return head
    above = head - 1 if (get(head - 1) or "").strip() else head - 2
    return above if names_error(get(above) or "") else head


def _end(get: Get, index: int) -> int:
    end = index
    while (line := get(index)) is not None and index < end + 2:
        if line.strip() and not (_DRAWN.match(line) or _BELOW.match(line)):
            break
        if starts_afresh(line) or _HEAD.match(line):
            break
        index += 1
        end = index if line.strip() else end
    return end
