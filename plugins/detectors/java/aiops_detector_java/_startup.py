"""Read what Spring Boot says of an application that did not start: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_core import RaisedException, lazy_pattern
from aiops_detector_java._lines import Get, starts_afresh

TRIGGER = r"^APPLICATION FAILED TO START"
FAILURE = lazy_pattern(TRIGGER)
_RULE = lazy_pattern(r"\*{10,}\s*$")
_TITLE = lazy_pattern(r"(?:Description|Action):\s*$")
_MOST_LINES = 80


def extent_of_failure(get: Get, hit: int) -> tuple[int, int]:
    """Return the rule above the words, and the line after the last paragraph of the last section."""
    start = hit - 1 if _RULE.match(get(hit - 1) or "") else hit
    end = at = hit + 1 + (_RULE.match(get(hit + 1) or "") is not None)
    title = ""
    while at < hit + _MOST_LINES and (line := get(at)) is not None and not starts_afresh(line):
        if found := _TITLE.match(line):
            title = found[0].strip()
        elif not title if line.strip() else title == "Action:" and not _TITLE.match(get(at - 1) or ""):
            break
        at += 1
        end = at if line.strip() else end
    return start, end


def read_failure(lines: Sequence[str]) -> RaisedException | None:
    """Return why an application did not start; None where this is no such report."""
    if not any(FAILURE.match(line) for line in lines[:2]):
        return None
    titles = [at for at, line in enumerate(lines) if _TITLE.match(line)]
    if not titles:
        return RaisedException("ApplicationFailedToStart", "APPLICATION FAILED TO START")
    end = titles[1] if len(titles) > 1 else len(lines)
    return RaisedException("ApplicationFailedToStart", "\n".join(lines[titles[0] + 1 : end]).strip())
