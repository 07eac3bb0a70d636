"""Recognise a single line that came before but for its numbers, without reading it again.

As with blocks, which numbers do not matter is learned: where two lines that were read in full differ
and made the same event but for its message and time.
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
    event: Event
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

    opening: Opening
    free: frozenset[int] = frozenset()
    """Which parts do not matter."""
    known: dict[Key, KnownLine] = field(default_factory=dict)

    def key(self, parts: list[bytes]) -> Key:
        """Return what matters: of free numbers only of which kind they are."""
        free = self.free
        return tuple([_kind(parts[at]) if at in free else parts[at] for at in range(1, len(parts), 2)])

    def confirm(self, parts: list[bytes], event: Event) -> bool:
        """Find a known line that made the same event; what differs does not matter from now on."""
        for known in self.known.values():
            if not _is_same(known.event, event):
                continue
            self._release({at for at in range(1, len(parts), 2) if parts[at] != known.parts[at]})
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


class KnownLines:
    """The lines that were read, of all streams with one grammar."""

    def __init__(self, zone: tzinfo) -> None:
        """Take times that name no zone as of ``zone``."""
        self._zone = zone
        self._alike: OrderedDict[tuple[bytes, tuple[int, ...]], _Alike] = OrderedDict()

    def find(self, line: bytes, hits: tuple[int, ...]) -> tuple[KnownLine, Opening, bytes] | None:
        """Return what is known of a raw line that these triggers hit, and its message.

        Now and then a known line is not found, so that it is read again and stays as it was.
        """
        parts = VARYING.split(line)
        alike = self._alike.get((b"\0".join(parts[::2]), hits))
        if alike is None or alike.opening.readings < 2:
            return None
        known = alike.known.get(alike.key(parts))
        if known is None or known.readings < 2 or known.is_due():
            return None
        return known, alike.opening, alike.opening.cut(parts)

    def learn(self, line: bytes, hits: tuple[int, ...], told: Told, event: Event) -> None:
        """Remember a raw line that these triggers hit and that was read in full; ``told`` is what its envelope added to the event."""
        opening = opening_of(line, event.message, told, event.occurred_at, self._zone)
        if opening is None or event.exceptions or event.headline:
            return
        parts = VARYING.split(line)
        alike = self._alike.setdefault((b"\0".join(parts[::2]), hits), _Alike(opening))
        if alike.opening is not opening and not alike.opening.confirm(opening):
            return
        if not alike.confirm(parts, event) and len(alike.known) < _MOST_VARIANTS:
            alike.known[alike.key(parts)] = KnownLine(parts, event)
        if len(self._alike) > _MOST:
            self._alike.popitem(last=False)


def _kind(part: bytes) -> bytes:
    """Return of which kind a number is: what is grouped by its message tells them apart."""
    if part.isdigit():
        return b"n"
    return b"h" if _HEX.fullmatch(part) else part.translate(None, _DIGITS)


def _is_same(one: Event, other: Event) -> bool:
    return (one.fingerprint, one.severity, one.type, one.language, one.detector) == (
        other.fingerprint,
        other.severity,
        other.type,
        other.language,
        other.detector,
    )
