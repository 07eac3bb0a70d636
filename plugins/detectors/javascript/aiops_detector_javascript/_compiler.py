"""Read the errors of the TypeScript compiler: the place, what is wrong, and the source with marks under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_javascript._heads import read_head

TRIGGER = r"^[^\s:()]{1,300}\.[cm]?tsx?(?::\d+:\d+ - |\(\d+,\d+\): )error TS\d+: "
ERROR = lazy_pattern(
    r"(?P<file>(?:[A-Za-z]:)?[^\s:()]+)[:(](?P<line>\d+)[:,](?P<column>\d+)(?: - |\): )"
    r"(?P<type>error TS\d+): (?P<message>\S.*)$"
)
_SOURCE = lazy_pattern(r"\s*\d+\s")
_MARKS = lazy_pattern(r"\s*~+\s*$")
_MOST_LINES = 100
_MOST_ABOVE = 16


def extent_of_error(get: Callable[[int], str | None], hit: int) -> tuple[int, int] | None:
    """Return the line of an error and the one after what more is said of it, and its source.

    None where an error that is thrown tells of it.
    """
    above = (get(index) or "" for index in range(hit - 1, hit - _MOST_ABOVE, -1))
    if any(line.endswith(":") and (head := read_head(line)) is not None and head.is_known for line in above):
        return None
    end = hit + 1
    while end < hit + _MOST_LINES and (get(end) or "").startswith("  "):
        end += 1
    is_shown = get(end) == "" and _SOURCE.match(get(end + 1) or "") and _MARKS.match(get(end + 2) or "")
    return hit, end + 3 if is_shown else end


def read_error(lines: Sequence[str]) -> RaisedException | None:
    """Return the error of a block, None where the compiler did not print it."""
    found = ERROR.match(lines[0])
    if found is None:
        return None
    more = [line for line in lines[1:] if line.startswith("  ") and not _MARKS.match(line)]
    line, column = (int(found[name][:9]) for name in ("line", "column"))
    frame = Frame(found["file"], line, in_app=True, column=column)
    return RaisedException(found["type"], "\n".join([found["message"], *more]), (frame,))
