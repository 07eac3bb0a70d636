"""Recognise a single line that came before but for its numbers, without reading it again.

As with blocks, which numbers do not matter is learned: where two lines that were read in full differ
and made the same event but for its message and time, or both none.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import tzinfo

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.records import Event
from aiops_core.text.openings import NEVER, VARYING, Opening, Told, opening_of

_MOST = 4096
_MOST_VARIANTS = 1024
_READ_AGAIN = 16
"""Repeats after which a known line is read again; then after four times as many each time."""
_HEX = re.compile(rb"(?:0x)?[0-9a-f]+")
_DIGITS = b"0123456789"
Key = tuple[bytes, ...]


class KnownLine(Struct):
    """A line that was read, and its event."""

    parts: list[bytes]
    event: Event | None
    readings: int = 1
    repeats: int = 0
    due: int = _READ_AGAIN

    def is_due(self) -> bool:
        """Count a repeat; tell whether the line should be read again, so that it stays as it was."""
        self.repeats += 1
        if self.repeats < self.due:
            return False
        self.due *= 4
        return True


class _Alike(Struct):
    """The known lines that are equal but for their numbers."""

    opening: Opening | None = None
    free: frozenset[int] = frozenset()
    """Which parts do not matter."""
    known: dict[Key, KnownLine] = field(default_factory=dict)

    def key(self, parts: list[bytes]) -> Key:
        """Return what matters: of free numbers only of which kind they are."""
        free = self.free
        return tuple([_kind(parts[at]) if at in free else parts[at] for at in range(1, len(parts), 2)])

    def find(self, parts: list[bytes]) -> KnownLine | None:
        """Return a line that may be relied on; now and then none, so that it is read again."""
        known = self.known.get(self.key(parts))
        return None if known is None or known.readings < 2 or known.is_due() else known

    def learn(self, parts: list[bytes], event: Event | None) -> None:
        """Remember a line that was read, or confirm what is known of it."""
        if not self._confirm(parts, event) and len(self.known) < _MOST_VARIANTS:
            self.known[self.key(parts)] = KnownLine(parts, event)

    def _confirm(self, parts: list[bytes], event: Event | None) -> bool:
        """Find a known line that made the same event; what differs does not matter from now on."""
        for known in self.known.values():
            if not _is_same(known.event, event):
                continue
            self._release({at for at in range(1, len(parts), 2) if parts[at] != known.parts[at]})
            if known.event is not None and event is not None:
                common = dict(known.event.attributes.items() & event.attributes.items())
                known.event = replace(known.event, attributes=common)
            known.readings += 1
            self.known.setdefault(self.key(parts), known)
            return True
        return False

    def _release(self, parts: set[int]) -> None:
        if parts <= self.free:
            return
        self.free |= parts
        kept: dict[Key, KnownLine] = {}
        for known in self.known.values():
            other = kept.setdefault(self.key(known.parts), known)
            if not _is_same(other.event, known.event):
                other.readings = NEVER
        self.known = kept


_By = tuple[bytes, tuple[int, ...]]


class KnownLines:
    """The lines that were read, of all streams with one grammar."""

    def __init__(self, zone: tzinfo) -> None:
        """Take times that name no zone as of ``zone``."""
        self._zone = zone
        self._alike: OrderedDict[_By, _Alike] = OrderedDict()
        self._passed: OrderedDict[_By, _Alike] = OrderedDict()
        """Those that made no event."""

    def find(self, line: bytes, hits: tuple[int, ...]) -> tuple[Event, Opening, bytes] | None:
        """Return the event of a raw line that these triggers hit, what its envelope adds, and its message."""
        parts = VARYING.split(line)
        alike = self._alike.get((b"\0".join(parts[::2]), hits))
        if alike is None or alike.opening is None or alike.opening.readings < 2:
            return None
        known = alike.find(parts)
        if known is None or known.event is None:
            return None
        return known.event, alike.opening, alike.opening.cut(parts)

    def is_passed(self, line: bytes, hits: tuple[int, ...]) -> bool:
        """Tell whether a raw line that these triggers hit is known to make no event."""
        parts = VARYING.split(line)
        alike = self._passed.get((b"\0".join(parts[::2]), hits))
        return alike is not None and alike.find(parts) is not None

    def learn(self, line: bytes, hits: tuple[int, ...], told: Told, event: Event) -> None:
        """Remember a raw line that these triggers hit and that was read in full; ``told`` is what its envelope added to the event."""
        parts = VARYING.split(line)
        by = b"\0".join(parts[::2]), hits
        self._passed.pop(by, None)
        opening = opening_of(line, event.message, told, event.occurred_at, self._zone)
        if opening is None or event.exceptions or event.headline:
            return
        alike = self._alike.setdefault(by, _Alike(opening))
        if alike.opening is opening or (alike.opening is not None and alike.opening.confirm(opening)):
            alike.learn(parts, event)
        _bound(self._alike)

    def pass_over(self, line: bytes, hits: tuple[int, ...]) -> None:
        """Remember a raw line that these triggers hit and that made no event."""
        parts = VARYING.split(line)
        by = b"\0".join(parts[::2]), hits
        if by not in self._alike:
            self._passed.setdefault(by, _Alike()).learn(parts, None)
            _bound(self._passed)


def _bound(lines: OrderedDict[_By, _Alike]) -> None:
    if len(lines) > _MOST:
        lines.popitem(last=False)


def _kind(part: bytes) -> bytes:
    """Return of which kind a number is: what is grouped by its message tells them apart."""
    if part.isdigit():
        return b"n"
    return b"h" if _HEX.fullmatch(part) else part.translate(None, _DIGITS)


def _is_same(one: Event | None, other: Event | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.fingerprint, one.severity, one.type, one.language, one.detector) == (
        other.fingerprint,
        other.severity,
        other.type,
        other.language,
        other.detector,
    )
