"""Read the errors of GCC and Clang: the place, what is wrong, and the source with marks under it."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_cpp._reader import Get

TRIGGER = r"^[^\s:]{1,300}\.(?:c|cc|cpp|cxx|h|hh|hpp|hxx|cu|m|mm):\d+:\d+: (?:fatal )?error: "
ERROR = lazy_pattern(
    r"(?P<file>(?:[A-Za-z]:)?[^\s:]+):(?P<line>\d+):(?P<column>\d+): (?P<type>(?:fatal )?error): (?P<message>\S.*)$"
)
_WITHIN = lazy_pattern(r"[^\s:]+: (?:In|At) \S.*:$")
"""What GCC writes above the first error of a function."""
_PART = lazy_pattern(r"\s+\S|[^\s:]+:\d+:\d+: note: ")
_MOST_LINES = 100


def extent_of_error(get: Get, hit: int) -> tuple[int, int]:
    """Return the first line of an error and the one after its source and notes."""
    end = hit + 1
    while end < hit + _MOST_LINES and _PART.match(get(end) or ""):
        end += 1
    return hit - (_WITHIN.match(get(hit - 1) or "") is not None), end


def read_error(lines: Sequence[str]) -> RaisedException | None:
    """Return the error of a block, None where no compiler printed it."""
    found = next((found for line in lines[:2] if (found := ERROR.match(line))), None)
    if found is None:
        return None
    line, column = (int(found[name][:9]) for name in ("line", "column"))
    frame = Frame(found["file"], line, in_app=True, column=column)
    return RaisedException(found["type"], found["message"], (frame,))
