"""Read the errors of javac and its kin: the place, what is wrong, and the source with a mark under it."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_java._lines import Get

TRIGGER = r"^[^\s:]{1,300}\.(?:java|scala|groovy):\d+: error: "
ERROR = lazy_pattern(
    r"(?P<file>(?:[A-Za-z]:)?[^\s:]+\.(?:java|scala|groovy)):(?P<line>\d+): (?P<type>error): (?P<message>\S.*)$"
)
_MOST_LINES = 100


def extent_of_error(get: Get, hit: int) -> tuple[int, int]:
    """Return the line of an error and the one after its source and what more is said of it."""
    end = hit + 1
    while end < hit + _MOST_LINES and (get(end) or "").strip() and (get(end) or "")[:1].isspace():
        end += 1
    return hit, end


def read_error(lines: Sequence[str]) -> RaisedException | None:
    """Return the error of a block, None where no compiler printed it."""
    found = ERROR.match(lines[0])
    if found is None:
        return None
    code = lines[1].strip()[:500] if len(lines) > 1 else ""
    frame = Frame(found["file"], int(found["line"][:9]), in_app=True, code=code)
    return RaisedException(found["type"], found["message"], (frame,))
