"""Recognise a word that is part of no known envelope, but stands before each line of a trace."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiops_core.text.carriers import is_prefixed, names_writer
from aiops_core.text.envelope import parse_envelope
from aiops_core.text.timestamps import match_time
from aiops_core.text.unwrap import learn_prefix

_LONGEST = 200
_NAMED = re.compile(r"[\w./-]{1,100}: ")
_WORDS = re.compile(r"(?:[^\s\"{}]{1,64} +){0,3}[^\s\"{}]{1,64}(?: +|(?<=[\]】:;,|>]))")
_LETTER = re.compile(r"[^\W\d_]")
"""What people quote and number lines with has none."""
_GAP = re.compile(r" +")


def shared_prefix(text: str, column: int, near: Callable[[bytes], bool], below: Callable[[], str]) -> str:
    """Return what stands before a column, if it is a few words, perhaps behind an envelope; "" otherwise.

    ``near`` tells whether bytes stand in a line beside this one, ``below`` returns the next: what no other line has
    the like of is no prefix.
    """
    if not 0 < column <= _LONGEST:
        return ""
    prefix = text[:column]
    if not prefix.endswith(" ") and text.startswith(" ", column):
        prefix += " "
    words = _WORDS.fullmatch(prefix, parse_envelope(prefix).length)
    if words is None:
        return ""
    names = (word for word in words[0].split() if _LETTER.search(word) and match_time(word) is None)
    longest = max(names, key=len, default="")
    return prefix if longest and (near(longest.encode()) or is_prefixed(below(), prefix)) else ""


def outer_prefix(prefix: str, below: Callable[[], str]) -> str:
    """Return what a viewer put before each line, where the program's own time or name stands on the first only.

    ``below`` returns the next line: it has no more of the prefix than that. Before a name that is a time.
    """
    outer = _outer(prefix)
    if not outer or _has(below(), prefix):
        return prefix
    return next((one for one in outer if _has(below(), one)), prefix)


def writers_prefix(prefix: str, below: Callable[[], str]) -> str:
    """Return what stands before each line where writers take turns: the line below begins with the like; "" otherwise.

    The program's own time or name, which stands on the first line only, is no part of it.
    """
    outer = _outer(prefix) if names_writer(prefix) else [prefix, *_outer(prefix)]
    return next((one for one in outer if is_prefixed(below(), one)), "")


def _outer(prefix: str) -> list[str]:
    """Return what may stand before the program's own time, or before its name behind the first time, the longest first."""
    outer: list[str] = []
    time = match_time(prefix)
    named = gap.end() if time and (gap := _GAP.match(prefix, time.end())) else 0
    at = 0
    while at < len(prefix):
        time = match_time(prefix, at + prefix.startswith("[", at))
        if at and (time or (at == named and _NAMED.fullmatch(prefix, at))):
            outer.insert(0, prefix[:at])
        gap = _GAP.search(prefix, time.end() if time else at)
        at = gap.end() if gap else len(prefix)
    return outer


def _has(line: str, prefix: str) -> bool:
    return learn_prefix(prefix)(line) != line


def has_prefix(prefix: str) -> Callable[[str], bool]:
    """Return a function that tells whether a line is blank or has a prefix of this shape."""
    strip = learn_prefix(prefix)
    return lambda line: strip(line) != line or not line.strip()
