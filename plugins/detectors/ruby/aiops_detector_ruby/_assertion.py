"""Read how Minitest prints a test that failed: its name, its place, and what was expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_ruby._lines import Call, Get, starts_afresh

TRIGGER = r"^[A-Z][\w:]{0,120}#test_.{1,200} \[[^\[\]]{1,300}:\d+\]:"
_PLACE = lazy_pattern(
    r"(?P<name>[A-Z][\w:]{0,120}#test_.{1,200}?) \[(?P<file>[^\[\]]{1,300}):(?P<line>\d{1,9})\]:\s?(?P<text>.*)$"
)
_TITLE = lazy_pattern(r"\s*(?:\d+\) )?Failure:\s*$")
_TYPE = "Minitest::Assertion"
_MOST_LINES = 100
IsOurs = Callable[[Call], bool]


def is_assertion(line: str) -> bool:
    """Say whether a line names a test that failed, and where."""
    return _PLACE.match(line) is not None


def extent_of_assertion(get: Get, hit: int) -> tuple[int, int]:
    """Return the title of a failed test, and the line after what was expected."""
    end = hit + 1
    while end < hit + _MOST_LINES and (line := get(end) or "").strip() and not starts_afresh(line):
        end += 1
    return (hit - 1 if _TITLE.match(get(hit - 1) or "") else hit), end


def read_assertion(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return what failed in a test; none where no test failed."""
    found = next(((at, one) for at, line in enumerate(lines[:2]) if (one := _PLACE.match(line))), None)
    if found is None:
        return ()
    at, place = found
    call = Call(place["file"], int(place["line"]), place["name"])
    message = "\n".join([place["text"], *lines[at + 1 :]]).strip()
    frame = Frame(call.file, call.line, call.label, in_app=is_ours(call))
    return (RaisedException(_TYPE, message, (frame,)),)
