"""Remember which entries were read lately, and where each stands in the stream."""

from __future__ import annotations

import base64
import struct
from collections import deque
from collections.abc import Mapping
from hashlib import blake2b
from itertools import islice

from msgspec import Struct
from msgspec.structs import astuple

from aiops_core.records import Json

MOST = 20_000
"""Entries remembered only because others of their time may still arrive."""
_PLACE = struct.Struct(">QIqQ")


class Place(Struct, frozen=True):
    """Where an entry stands: its stream offset and length, its time, and its identity as a number."""

    offset: int
    length: int
    time: int
    key: int


def key_of(time: int, identity: str) -> int:
    """Return the number an entry is remembered by."""
    named = f"{time} {identity}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(named, digest_size=8).digest())


class Recent:
    """The entries read lately, in the order they were read.

    ``floor``: of the entries before this time some are forgotten, so none of them may be read again.
    ``looked``: when the service was last asked for entries that came late.
    """

    def __init__(self, floor: int, looked: int) -> None:
        self.floor = floor
        self.looked = looked
        self._places: deque[Place] = deque()
        self._keys: set[int] = set()
        self._packed = bytearray()

    @classmethod
    def load(cls, saved: Json) -> Recent | None:
        """Return what ``save`` returned once; None for anything else."""
        if not isinstance(saved, Mapping):
            return None
        try:
            recent = cls(int(saved["floor"]), int(saved["looked"]))
            for values in _PLACE.iter_unpack(base64.b64decode(saved["entries"], validate=True)):
                recent.add(Place(*values))
        except (KeyError, TypeError, ValueError, struct.error):
            return None
        return recent

    def save(self) -> Json:
        """Return all of it as JSON."""
        return {
            "floor": self.floor,
            "looked": self.looked,
            "entries": base64.b64encode(self._packed).decode(),
        }

    def __contains__(self, key: int) -> bool:
        return key in self._keys

    def add(self, place: Place) -> None:
        """Remember one more entry."""
        self._places.append(place)
        self._keys.add(place.key)
        self._packed += _PLACE.pack(*astuple(place))

    def from_offset(self, offset: int) -> list[Place]:
        """Return the entries at or after an offset."""
        return [place for place in self._places if place.offset >= offset]

    def count(self, since: int, until: int) -> int:
        """Count the entries of a span of time."""
        return sum(since <= place.time < until for place in self._places)

    def forget(self, offset: int, since: int, horizon: int) -> bool:
        """Forget what is never needed again; return whether something was forgotten for want of room.

        Entries from ``offset`` on may have to be read again, those of ``since`` and later come again
        with the next query, and among those of ``horizon`` and later others may still arrive.
        """
        count, had_no_room = 0, False
        for place in self._places:
            is_old = place.time < horizon
            if place.offset >= offset or place.time >= since:
                break
            if not is_old and len(self._places) - count <= MOST:
                break
            had_no_room |= not is_old
            self.floor = max(self.floor, place.time + 1)
            count += 1
        self._keys.difference_update(place.key for place in islice(self._places, count))
        for _ in range(count):
            self._places.popleft()
        del self._packed[: count * _PLACE.size]
        return had_no_room
