"""Read how PHPUnit lists a test that failed: its name, what was wrong, and places under a blank line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_php._lines import Get

TRIGGER = r"^[^\s:]{1,300}\.php:\d+$"
PLACE = lazy_pattern(r"(?P<file>(?:[A-Za-z]:)?[^\s:][^:]*\.php):(?P<line>\d+)\s*$")
TITLE = lazy_pattern(r"\d+\) [\w\\]+::\S")
_TYPE = lazy_pattern(r"(?P<type>[A-Z_]\w*(?:\\\w+)+|[A-Z]\w*(?:Error|Exception)): ?(?P<message>.*)$")
_CAUSED = "Caused by"
_EXPECTATION = "PHPUnit\\Framework\\ExpectationFailedException"
_MOST_LINES = 100
Link = Literal["raised", "cause"]


def extent_of_test(get: Get, hit: int) -> tuple[int, int] | None:
    """Return the title above the first place of a failed test and the line after its last; None for other places."""
    start = hit - 1
    while start > hit - _MOST_LINES and not TITLE.match(line := get(start) or ""):
        if get(start) is None or PLACE.match(line):
            return None
        start -= 1
    if not TITLE.match(get(start) or ""):
        return None
    end = _after_places(get, hit)
    while get(end) == "" and get(end + 1) == _CAUSED:
        first = next((at for at in range(end + 2, end + _MOST_LINES) if PLACE.match(get(at) or "")), None)
        if first is None:
            break
        end = _after_places(get, first)
    return start, end


def read_test(lines: Sequence[str], is_ours: Callable[[str], bool]) -> tuple[RaisedException, ...]:
    """Return what failed in a test, and what it came of; none where PHPUnit printed nothing."""
    if not TITLE.match(lines[0]):
        return ()
    starts = [0, *(index for index, line in enumerate(lines) if line == _CAUSED)]
    ends = [*starts[1:], len(lines)]
    return tuple(
        _read(lines[start + 1 : end], "cause" if start else "raised", index - 1, is_ours)
        for index, (start, end) in enumerate(zip(starts, ends, strict=True))
    )


def _read(lines: Sequence[str], link: Link, parent: int, is_ours: Callable[[str], bool]) -> RaisedException:
    places = [found for line in lines if (found := PLACE.match(line))]
    said = "\n".join(line for line in lines if not PLACE.match(line)).strip()
    typed = _TYPE.match(said.partition("\n")[0])
    kind = typed["type"] if typed else _EXPECTATION
    message = said[typed.start("message") :] if typed else said
    frames = tuple(Frame(one["file"], int(one["line"][:9]), in_app=is_ours(one["file"])) for one in places)
    return RaisedException(kind, message, frames[::-1], link, parent)


def _after_places(get: Get, index: int) -> int:
    while PLACE.match(get(index) or ""):
        index += 1
    return index
