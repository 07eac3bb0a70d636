"""The boxes the Symfony console draws round an exception."""

from __future__ import annotations

from typing import NamedTuple

from aiops_core import lazy_pattern
from aiops_detector_php._lines import BOX, Get

_INSIDE = lazy_pattern(r"  |\s*$")
_TYPE = lazy_pattern(r"  \[(?P<type>[A-Za-z_\\][\w\\]*)(?: \([^)]*\))?\]\s*$")
_TRACE = lazy_pattern(r"Exception trace:\s*$")
_TRACE_LINE = lazy_pattern(
    r"\s+(?:at |\S.* at )(?P<file>[^\s:]+\.php):(?P<line>\d+)\s*$|\s+(?:at )?n/a|\s+\S+\(\) at n/a"
)
_USAGE = lazy_pattern(r"[a-z][\w:-]* (?:\[|<|--)")
MAX_LINES = 60


class Box(NamedTuple):
    """One exception in its box."""

    start: int
    end: int


def boxes_at(get: Get, start: int) -> list[Box]:
    """Return the boxes from a heading on: the exception first, then what it came of."""
    boxes: list[Box] = []
    while BOX.match(get(start) or "") and len(boxes) < MAX_LINES:
        end = _after_box(get, start + 1)
        if end == start + 1:
            break
        boxes.append(Box(start, end))
        start = end
        while start < end + 3 and (line := get(start)) is not None and not line.strip():
            start += 1
    return boxes


def _after_box(get: Get, index: int) -> int:
    end = first = index
    while (
        index < first + MAX_LINES
        and (line := get(index)) is not None
        and (_INSIDE.match(line) or _TRACE.match(line))
    ):
        index += 1
        end = index if line.strip() else end
    if (line := get(index)) is not None and _USAGE.match(line) and index > end:
        end = index + 1
    return end


def read_box(lines: list[str]) -> tuple[str, str]:
    """Return the type and the message in a box."""
    kind = "Exception"
    message: list[str] = []
    for line in lines:
        found = _TYPE.match(line)
        if _TRACE.match(line) or (message and not line.strip()) or _USAGE.match(line):
            break
        if found is not None and not message:
            kind = found["type"]
        elif line.strip():
            message.append(line.strip())
    return kind, "\n".join(message)
