"""What the first lines of blocks add to their events: a time, a level, attributes.

The first line of a block is the logging line that introduced it, or its own first line behind an
envelope. Both change more often than the trace below them, so they are remembered apart from it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, tzinfo

from msgspec import Struct

from aiops_core.text.timestamps import match_time, to_moment
from aiops_core.text.unwrap import decode_line

VARYING = re.compile(
    rb"([0-9a-f](?:(?<=[0-9])(?<![A-Za-z_].)[0-9A-Za-z_]*|(?<=\b[a-f])(?=[a-f]*[0-9])[0-9a-f]{5,}\b))"
)
"""A number, with its unit; or an id. Splitting by it gives what stays at even places.

What it may begin with comes first: all else is passed over at once.
"""
NEVER = -(1 << 60)
"""Readings of what cannot be relied on."""
_TIME_WITHIN = 48
_MOST = 4096


class Told(Struct, frozen=True):
    """What the envelope of a first line told: its level, and attributes."""

    level: str | None
    attributes: Mapping[str, str]


class Opening(Struct, eq=False):
    """What first lines that differ in numbers alone have in common."""

    level: str | None
    time: int | None
    """The column where the time stands."""
    rest: tuple[int, int]
    """Where the trace itself begins: in which part of the line, and at which of its bytes."""
    attributes: Mapping[str, str]
    readings: int = 1

    @property
    def is_reliable(self) -> bool:
        """Whether two blocks that were read in full had it alike."""
        return self.readings >= 2

    def confirm(self, other: Opening) -> bool:
        """Compare with what another block with this first line had; say whether it may be relied on."""
        if (self.level, self.time) != (other.level, other.time):
            self.readings = NEVER
        self.attributes = dict(self.attributes.items() & other.attributes.items())
        self.readings += 1
        return self.readings > 0

    def cut(self, parts: list[bytes]) -> bytes:
        """Return what a first line holds of the trace, nothing of a logging line."""
        part, at = self.rest
        return b"".join([parts[part][at:], *parts[part + 1 :]])

    def moment(self, line: bytes, zone: tzinfo) -> datetime | None:
        """Return the time a first line names."""
        return None if self.time is None else moment_at(line, self.time, zone)


class Openings:
    """The first lines that are known, by what of them stays."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, dict[tuple[int, int], Opening]] = OrderedDict()

    def find(self, line: bytes) -> list[tuple[Opening, bytes]]:
        """Return what is known of a first line, and what of it then belongs to the trace."""
        parts = VARYING.split(line)
        known = self._known.get(b"\0".join(parts[::2]))
        if known is None:
            return []
        return [(opening, opening.cut(parts)) for opening in known.values() if opening.is_reliable]

    def learn(self, line: bytes, rest: str, told: Told, time: datetime | None, zone: tzinfo) -> bytes | None:
        """Note what a first line said, and return ``rest``, what it holds of the trace, as it lies there.

        None when what is said cannot be relied on.
        """
        opening = opening_of(line, rest, told, time, zone)
        if opening is None:
            return None
        known = self._known.setdefault(b"\0".join(VARYING.split(line)[::2]), {})
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        before = known.setdefault(opening.rest, opening)
        return rest.encode() if before is opening or before.confirm(opening) else None


def opening_of(line: bytes, rest: str, told: Told, time: datetime | None, zone: tzinfo) -> Opening | None:
    """Return what a first line said that ends with ``rest``, None where that cannot be told."""
    parts, column, raw = VARYING.split(line), _column(line, time, zone), rest.encode()
    place = _place(parts, len(line) - len(raw))
    is_inside_number = place[0] % 2 == 1 and place[1] > 0
    if not line.endswith(raw) or is_inside_number or (column is None and time is not None):
        return None
    return Opening(told.level, column, place, told.attributes)


def moment_at(line: bytes, column: int, zone: tzinfo) -> datetime | None:
    """Return the time that stands in a raw line at a column of its text."""
    found = match_time(decode_line(line), column)
    return to_moment(found, zone=zone) if found else None


def _column(line: bytes, time: datetime | None, zone: tzinfo) -> int | None:
    if time is None:
        return None
    columns = range(min(len(line), _TIME_WITHIN))
    return next((at for at in columns if moment_at(line, at, zone) == time), None)


def _place(parts: list[bytes], at: int) -> tuple[int, int]:
    """Return in which part of a line a byte stands, and where in it."""
    for index, part in enumerate(parts):
        if at < len(part) or index == len(parts) - 1:
            return index, at
        at -= len(part)
    raise AssertionError("a line has at least one part")
