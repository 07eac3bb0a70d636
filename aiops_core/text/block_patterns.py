"""Make patterns of a block that is known: what never changes stands in them as it is.

They accept what has the same parts by `VARYING` and differs only in numbers that do not matter, never
more; where that cannot be told for sure no pattern is made.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from aiops_core.text.openings import VARYING
from aiops_core.text.repeats import Found
from aiops_core.text.timestamps import match_time
from aiops_core.text.unwrap import decode_line

_NUMBER = rb"(?:[0-9][0-9A-Za-z_]*+|(?=[a-f]*[0-9])[0-9a-f]{6,}+)"
"""What VARYING finds where no letter of a word comes before."""
_ID = rb"(?:[0-9][0-9a-f]*+|(?=[a-f]*[0-9])[0-9a-f]{6,}+)"
_OF_ID = re.compile(rb"[0-9a-f]+")
_WORD = re.compile(rb"[0-9A-Za-z_]")

Match: TypeAlias = Callable[[bytes, int], "re.Match[bytes] | None"]
"""Match at a place of the data."""
Span: TypeAlias = tuple[int, int]


class Parts(NamedTuple):
    """What follows an opening: texts that never change, and the patterns of the numbers between them."""

    texts: tuple[bytes, ...]
    numbers: tuple[bytes, ...]


@lru_cache(maxsize=256)
def number_match(pattern: bytes) -> Match:
    """Return what matches a number at a place; hardly more than one pattern is in use."""
    return re.compile(pattern).match


def form_pattern(opening: bytes, parts: Parts) -> re.Pattern[bytes]:
    """Return what matches an opening and any parts as long as these.

    The groups are all of it, the three of the opening, and the parts.
    """
    texts = [b"((?s:.{%d}))" % len(text) for text in parts.texts]
    below = b"".join(itertools.chain(*zip(texts, parts.numbers, strict=False), texts[-1:]))
    return re.compile(b"(%s%s)" % (opening, below))


def parts_behind(found: Found) -> Parts | None:
    """Return what follows the opening of blocks that say the same as the one that was found."""
    texts, numbers = [b""], []
    for index, line in enumerate(found.lines):
        free = found.alike.free.get(index, frozenset())
        for at, part in enumerate(VARYING.split(line)):
            if at in free:
                numbers.append(_like(part))
                texts.append(b"")
            else:
                texts[-1] += part
        texts[-1] += b"\n"
    are_parted = all(
        before and not _is_word(before[-1:]) and not _is_word(after[:1])
        for before, after in itertools.pairwise(texts)
    )
    if not are_parted or not all(any(needle in part for part in texts) for needle in found.known.needles):
        return None
    return Parts(tuple(texts), tuple(numbers))


def opening_pattern(line: bytes, end: int, column: int | None) -> re.Pattern[bytes] | None:
    """Return what matches openings like that of a line, which ends at a byte; its time is at a column.

    The groups are the time up to the minute, its seconds, and what of it follows them.
    """
    numbers = [found.span() for found in VARYING.finditer(line)]
    if _is_inside(end, numbers) or not all(_is_parted(line, *number) for number in numbers):
        return None
    if column is None:
        return re.compile(b"()()()" + _between(line, numbers, 0, end))
    parts = _time_parts(line, column)
    if parts is None or parts[-1] > end or _is_inside(parts[0], numbers) or _is_inside(parts[-1], numbers):
        return None
    minute, seconds, zone = (line[start:stop] for start, stop in itertools.pairwise(parts))
    time = b"(%s)(%s)(%s)" % (_same_digits(minute), _seconds(seconds), _same_digits(zone))
    before, after = _between(line, numbers, 0, parts[0]), _between(line, numbers, parts[-1], end)
    return re.compile(before + time + after)


def _time_parts(line: bytes, column: int) -> tuple[int, int, int, int] | None:
    """Return where a time, its seconds, and what follows them begin, and where it ends."""
    if not line.isascii() or b"\x1b" in line:
        return None
    found = match_time(decode_line(line), column)
    groups = found.groupdict() if found else {}
    if found is None or not groups.get("minute") or not groups.get("second"):
        return None
    start, end = found.span("second")
    if groups.get("fraction"):
        end = max(end, found.end("fraction"))
    return column, start, end, found.end()


def _between(line: bytes, numbers: list[Span], start: int, end: int) -> bytes:
    """Return what matches a part of a line, whatever its numbers."""
    pattern, at = b"", start
    for first, last in numbers:
        if start <= first and last <= end:
            pattern += re.escape(line[at:first]) + _NUMBER
            at = last
    return pattern + re.escape(line[at:end])


def _same_digits(text: bytes) -> bytes:
    return re.sub(rb"[0-9]", b"[0-9]", re.escape(text))


def _seconds(text: bytes) -> bytes:
    """Return what matches seconds, and a fraction of any length after them."""
    return b"[0-9][0-9]" + (re.escape(text[2:3]) + b"[0-9]++" if text[2:] else b"")


def _like(number: bytes) -> bytes:
    """Return what matches numbers that are equal but for their digits, `NUMBERS`."""
    if _OF_ID.fullmatch(number):
        return _ID
    return (
        b"[0-9]" + _OF_ID.sub(b"[0-9a-f]*", re.escape(number[1:]))
        if number[:1].isdigit()
        else re.escape(number)
    )


def _is_inside(place: int, spans: list[Span]) -> bool:
    return any(start < place < end for start, end in spans)


def _is_parted(line: bytes, start: int, end: int) -> bool:
    return not _is_word(line[max(start - 1, 0) : start]) and not _is_word(line[end : end + 1])


def _is_word(byte: bytes) -> bool:
    return _WORD.match(byte) is not None
