"""Read how GoogleTest prints an assertion that failed: the place, and below it what was wrong."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_cpp._reader import Get

TRIGGER = r"^[^\s:]{1,300}:\d+: Failure$"
FAILURE = lazy_pattern(r"(?P<file>(?:[A-Za-z]:)?[^\s:()]+):(?P<line>\d+): Failure\s*$")
_BREAK = lazy_pattern(r"\s*$|\[[ =-]")
_MOST_LINES = 200


def extent_of_failure(get: Get, hit: int) -> tuple[int, int]:
    """Return the line of the place and the one after what was wrong."""
    end = hit + 1
    while end < hit + _MOST_LINES and (line := get(end)) is not None and not _BREAK.match(line):
        end += 1
    return hit, end


def read_failure(lines: Sequence[str]) -> RaisedException | None:
    """Return what failed, None where no test did."""
    found = FAILURE.match(lines[0])
    if found is None:
        return None
    frame = Frame(found["file"], int(found["line"][:9]), in_app=True)
    return RaisedException("Failure", "\n".join(lines[1:]).strip(), (frame,))
