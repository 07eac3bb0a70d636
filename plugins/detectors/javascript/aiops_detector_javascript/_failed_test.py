"""Read how Jest prints a test that failed: a title, indented under it the message, the source and the frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import dedent

from aiops_core import lazy_pattern

TITLE = lazy_pattern(r"\s{0,8}● (?!Console\s*$)\S")
SOURCE = lazy_pattern(r"\s*(?:>\s*)?\d+ ?\| ?|\s+\| ")
"""A line of source with its number, or the marks below one."""
_LEAST = 4
_MOST_LINES = 200


def title_above(get: Callable[[int], str | None], top: int) -> int | None:
    """Return the title of the failed test that a frame belongs to; None where there is none."""
    for index in range(top - 1, top - _MOST_LINES, -1):
        line = get(index)
        if line is None:
            return None
        if TITLE.match(line):
            return index
        if line.strip() and not line.startswith(" " * _LEAST):
            return None
    return None


def untitled(lines: Sequence[str]) -> Sequence[str]:
    """Return what a failed test says without its title and the source; other lines as they are."""
    if not TITLE.match(lines[0]):
        return lines
    said = [line for line in lines[1:] if not SOURCE.match(line)]
    return dedent("\n".join(said)).strip("\n").split("\n")
