"""Read how ExUnit prints a test that failed: its name, its place, what was wrong, all of it indented."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent

from aiops_core import RaisedException, lazy_pattern
from aiops_detector_elixir._lines import BANNER, Get
from aiops_detector_elixir._parse import IsOurs, frames_of, read_problem

TRIGGER = r"^ {1,4}\d{1,5}\) (?:test|property|doctest) .{1,300} \([A-Z][\w.]*\)$"
TITLE = lazy_pattern(r"(?P<indent> {1,4}\d{1,5}\) )(?:test|property|doctest) .{1,300} \([A-Z][\w.]*\)$")
_TYPE = "ExUnit.AssertionError"
_STACK = lazy_pattern(r"\s*(?:stacktrace|The following output was logged):$")
_MOST_LINES = 500


def extent_of_test(get: Get, hit: int) -> tuple[int, int]:
    """Return the title of a failed test, and the line after the last that is indented under it."""
    found = TITLE.match(get(hit) or "")
    margin = " " * len(found["indent"]) if found else " "
    end = at = hit + 1
    while at < hit + _MOST_LINES and (line := get(at)) is not None:
        at += 1
        if line.startswith(margin):
            end = at
        elif line.strip():
            break
    return hit, end


def read_test(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return what failed in a test; none where no test failed."""
    if TITLE.match(lines[0]) is None or len(lines) < 3:
        return ()
    below = dedent("\n".join(lines[2:])).split("\n")  # under the name and its place
    stack = next((at for at, line in enumerate(below) if _STACK.match(line)), len(below))
    if BANNER.match(below[0]):
        said = next((at for at, line in enumerate(below[:stack]) if line.startswith("code:")), stack)
        return read_problem([*below[:said], *below[stack:][1:]], is_ours)
    return (RaisedException(_TYPE, "\n".join(below[:stack]).strip(), frames_of(below[stack:], is_ours)),)
