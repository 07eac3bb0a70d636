"""Where in a stream which triggers hit, line by line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

from aiops_core.text.kept import Kept
from aiops_core.text.matcher import Scanned


class HitList:
    """The hits that are not dealt with yet: ``triggers`` hit at ``places`` of the stream, ascending."""

    __slots__ = ("_alike", "places", "triggers")

    def __init__(self, alike: Mapping[int, tuple[int, ...]]) -> None:
        """Of triggers that are ``alike`` only the first is told."""
        self._alike = alike
        self.places: list[int] = []
        self.triggers: list[int] = []

    def add(self, hits: Scanned) -> None:
        """Take what hit in the next data."""
        self.places += hits[0]
        self.triggers += hits[1]

    def between(self, start: int, end: int) -> list[int]:
        """Return what hit between two offsets."""
        return self.triggers[bisect_left(self.places, start) : bisect_left(self.places, end)]

    def forget_before(self, offset: int) -> None:
        """Drop what hit before an offset."""
        count = bisect_left(self.places, offset)
        del self.places[:count], self.triggers[:count]

    def lines(self, kept: Kept) -> Iterator[tuple[int, list[int]]]:
        """Yield (start of line, triggers that hit it) in stream order, what is claimed meanwhile left out."""
        data, base, places, hit = kept.data, kept.base, self.places, self.triggers
        at = 0
        while at < len(places):
            place = places[at]
            if place < kept.claimed:
                at = bisect_left(places, kept.claimed, at)
                continue
            start = data.rfind(b"\n", 0, place - base) + 1
            end = (data.find(b"\n", place - base) + 1 or len(data)) + base
            triggers: list[int] = []
            while at < len(places) and places[at] < end:
                if hit[at] not in triggers:
                    triggers += self._alike[hit[at]]
                at += 1
            if start + base >= kept.claimed:
                yield start + base, triggers
