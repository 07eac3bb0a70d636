"""Recognise a word that is part of no known envelope, but stands before each line of a trace."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiops_core.text.envelope import parse_envelope
from aiops_core.text.timestamps import match_time
from aiops_core.text.unwrap import learn_prefix

_LONGEST = 200
_NAMED = re.compile(r"[\w./-]{1,100}: ")
_LAST_WORD = re.compile(r"(?:^|.*\s)([A-Za-z_@][\w./@:#-]{0,63}(?:\[\d{1,8}\])?[:|>]?) ?$")
_WORD = re.compile(r"[A-Za-z_@][\w./@:#-]{0,63}(?:\[\d{1,8}\])? ?[:|>]? ?")

_GAP = re.compile(r" +")


def shared_prefix(text: str, column: int, near: Callable[[bytes], bool]) -> str:
    """Return what stands before a column, if it is one word, perhaps behind an envelope; "" otherwise.

    ``near`` tells whether bytes stand in a line beside this one: what no other line has is no prefix.
    """
    if not 0 < column <= _LONGEST:
        return ""
    prefix = text[:column]
    if not prefix.endswith(" ") and text.startswith(" ", column):
        prefix += " "
    last = _LAST_WORD.match(prefix.removesuffix("| ").removesuffix("> ")) if prefix.endswith(" ") else None
    if last is None or not near(last[1].encode()):
        return ""
    return prefix if _WORD.fullmatch(prefix, parse_envelope(prefix).length) else ""


def outer_prefix(prefix: str, below: str) -> str:
    """Return the time that a viewer put before each line, where the program's own, or its name, stands on the first only.

    ``below`` is the next line: it has no more of the prefix than that time.
    """
    found = match_time(prefix)
    outer = _GAP.match(prefix, found.end()) if found else None
    if outer is None:
        return prefix
    inner = prefix[outer.end() :]
    if not (_NAMED.fullmatch(inner) or match_time(inner.lstrip("["))):
        return prefix
    time = prefix[: outer.end()]
    is_all = learn_prefix(prefix)(below) != below
    return prefix if is_all or learn_prefix(time)(below) == below else time


def has_prefix(prefix: str) -> Callable[[str], bool]:
    """Return a function that tells whether a line is blank or has a prefix of this shape."""
    strip = learn_prefix(prefix)
    return lambda line: strip(line) != line or not line.strip()
