"""The stacks of Opera's own engine: a place a line, and under it the source that stands there."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from aiops_core import lazy_pattern
from aiops_detector_javascript._frames import LONGEST, Call

TRIGGERS = (
    r"^(?:\t| {0,8})(?:\.\.\. {1,4})?Line \d+ of (?:linked|inline|eval|function|unknown|javascript)",
    r"^Error thrown at line \d+, column \d+ in ",
)
_FRAME = lazy_pattern(
    r"\s{0,8}(?:\.\.\.\s{1,4})?Line (?P<line>\d+) of (?:[\w#]+ ){1,4}(?P<file>\w+:\S*?)"
    r"(?:: In function (?P<function>\S.*))?\s*$"
)
_CALLED = lazy_pattern(
    r"(?:Error thrown at|called (?:from|via \S+ from|as \S.{0,80} from)) line (?P<line>\d+), column (?P<column>\d+)"
    r" in (?P<function>\S.*?) in (?P<file>\S+?):\s*$"
)
_HEADING = lazy_pattern(r"(?:Backtrace|Stacktrace|stacktrace):\s*$")
_STATEMENT = lazy_pattern(r"(?:Message: )?Statement on line \d+: ")
Get = Callable[[int], str | None]


class Extent(NamedTuple):
    """Where such a stack is told: its first line, its first frame, the line after the last."""

    head: int
    body: int
    end: int


def read_opera(line: str) -> Call | None:
    """Read ``Line 1 of linked script file: In function f`` or ``called from line 1, column 2 in f in file:``."""
    if len(line) > LONGEST:
        return None
    if (found := _FRAME.match(line)) is not None:
        return Call(found["function"] or "", found["file"], int(found["line"][:9]), 0)
    if (found := _CALLED.match(line)) is None:
        return None
    return Call(found["function"], found["file"], int(found["line"][:9]), int(found["column"][:9]))


def extent_of(get: Get, hit: int) -> Extent | None:
    """Return where the stack stands that a frame belongs to, None below its first frame."""
    if read_opera(get(hit - 1) or "") or (_is_source(get(hit - 1)) and read_opera(get(hit - 2) or "")):
        return None
    head = hit - 1 if _HEADING.match(get(hit - 1) or "") else hit
    if head < hit and _STATEMENT.match(get(head - 1) or ""):
        head -= 1
    end = hit
    while read_opera(get(end) or ""):
        end += 2 if _is_source(get(end + 1)) else 1
    return Extent(head, hit, end)


def message_of(line: str) -> str:
    """Return what the line above a stack says, "" for one that heads it only."""
    return "" if _HEADING.match(line) or read_opera(line) else line[_end_of_statement(line) :].strip()


def _end_of_statement(line: str) -> int:
    found = _STATEMENT.match(line)
    return found.end() if found else 0


def _is_source(line: str | None) -> bool:
    return line is not None and line[:1].isspace() and bool(line.strip()) and read_opera(line) is None
