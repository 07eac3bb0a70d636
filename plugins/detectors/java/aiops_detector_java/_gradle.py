"""The report of a failed Gradle build: what went wrong, advice, and with ``--stacktrace`` the exception."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from aiops_core import RaisedException, lazy_pattern
from aiops_detector_java._lines import Get

TRIGGER = r"^FAILURE: Build (?:failed with an exception|completed with \d+ failures)\."
BANNER = lazy_pattern(TRIGGER)
_LAST = "BUILD FAILED"
_WRONG = "* What went wrong:"
_EXCEPTION = "* Exception is:"
_SECTION = lazy_pattern(r"\* [A-Z][^:]{1,60}:$|={10,}$|-{10,}$|\d{1,4}: Task failed|[>\s]|BUILD FAILED")
"""What a paragraph of the report begins with."""
_MOST = 1000


def extent_of_report(get: Get, hit: int) -> tuple[int, int]:
    """Return the first line of the report and the one after its last: ``BUILD FAILED``, if that is there."""
    end = at = hit + 1
    while at < hit + _MOST and (line := get(at)) is not None:
        at += 1
        if not line.strip():
            continue
        if not (get(at - 2) or "").strip() and not _SECTION.match(line):
            break
        end = at
        if line.startswith(_LAST):
            break
    return hit, end


def exception_in(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines from the first exception shown on, none where none is."""
    return lines[lines.index(_EXCEPTION) + 1 :] if _EXCEPTION in lines else ()


def failure_in(lines: Sequence[str]) -> RaisedException:
    """Return what went wrong first, in the words of the report."""
    start = lines.index(_WRONG) + 1 if _WRONG in lines else 0
    return RaisedException("GradleBuildFailed", "\n".join(takewhile(str.strip, lines[start:])))
