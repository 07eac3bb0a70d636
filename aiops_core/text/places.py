"""Where the bytes of a stream lie in its file, where the text was decoded and both count differently."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.records import Event, LogBatch


class Places(Struct):
    """Pairs of a stream offset and what it is in the file, ascending; none where they are the same."""

    _known: list[tuple[int, int]] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Tell whether file and stream count differently."""
        return bool(self._known)

    def note(self, batch: LogBatch, needed_from: int) -> None:
        """Take in the next batch; what lies before an offset of the stream is needed no more."""
        if batch.places or self._known:
            first = max(bisect_right(self._known, needed_from, key=itemgetter(0)) - 1, 0)
            places = batch.places or ((0, batch.offset),)
            self._known = [*self._known[first:], *((batch.offset + at, place) for at, place in places)]

    def placed(self, event: Event) -> Event:
        """Return the event with the place of its lines in the file."""
        if not self._known:
            return event
        return replace(event, start=self._place(event.start), end=self._place(event.end))

    def _place(self, offset: int) -> int:
        index = bisect_right(self._known, offset, key=itemgetter(0)) - 1
        if index < 0:
            return offset
        at, place = self._known[index]
        return place + offset - at
