"""Read what the launcher of Java says of a class it cannot start: the exception stands alone under it."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_core import RaisedException, lazy_pattern
from aiops_detector_java._lines import Get, read_head

TRIGGER = r"^Error: (?:LinkageError occurred while loading|Could not find or load|Unable to initialize) main class \S"
FAILURE = lazy_pattern(TRIGGER)
_CAUSE = lazy_pattern(r"(?:Caused by: |\t)(?=\S)")


def extent_of_failure(get: Get, hit: int) -> tuple[int, int]:
    """Return the line that names the class, and the line after the exception under it."""
    return hit, hit + 1 + (_CAUSE.match(get(hit + 1) or "") is not None)


def read_failure(lines: Sequence[str]) -> RaisedException | None:
    """Return why a class was not started; None where the launcher said nothing."""
    if FAILURE.match(lines[0]) is None:
        return None
    said = _CAUSE.sub("", lines[1], count=1) if len(lines) > 1 else ""
    head = read_head(said)
    return RaisedException(head.type, head.message) if head else RaisedException("LaunchError", lines[0][7:])
