"""Read the errors of the compiler: what is wrong, the place, and the source with marks under it."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_rust._lines import Get

TRIGGER = r"^ {1,8}--> [^\s:]{1,300}\.rs:\d+:\d+$"
PLACE = lazy_pattern(r" {1,8}--> (?P<file>[^\s:][^:]*\.rs):(?P<line>\d+):(?P<column>\d+)\s*$")
_ERROR = lazy_pattern(r"(?P<type>error(?:\[E\d+\])?): (?P<message>\S.*)$")
_PART = lazy_pattern(r"\s*(?:\d+ )?[|=]|\s+(?:-->|:::)|\.\.\.\s*$|\s+\S|(?:note|help): ")
_MOST_LINES = 200


def extent_of_error(get: Get, hit: int) -> tuple[int, int] | None:
    """Return the first line of the error whose place was hit and the line after it; None for a mere warning."""
    if not _ERROR.match(get(hit - 1) or ""):
        return None
    end = hit + 1
    while end < hit + _MOST_LINES and _PART.match(get(end) or ""):
        end += 1
    return hit - 1, end


def read_error(lines: Sequence[str]) -> RaisedException | None:
    """Return the error of a block, None where the compiler did not print it."""
    found, place = _ERROR.match(lines[0]), PLACE.match(lines[1] if len(lines) > 1 else "")
    if found is None or place is None:
        return None
    code = next((text for line in lines[2:5] if (text := line.partition("| ")[2].strip())), "")
    frame = Frame(
        place["file"], int(place["line"][:9]), in_app=True, code=code[:500], column=int(place["column"][:9])
    )
    return RaisedException(found["type"], found["message"], (frame,))
