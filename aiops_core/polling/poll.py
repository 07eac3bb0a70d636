"""The loop of a query source: read on, look again for what came late, start again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from msgspec import Struct

from aiops_core.context import Context
from aiops_core.errors import Retry
from aiops_core.polling.config import PollingConfig
from aiops_core.polling.recent import Place, Recent, key_of
from aiops_core.records import LogBatch, Position

STREAM = "query"
"""The name of the only physical stream of a query source."""
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
MOST_FAILURES = 5
_QUIET = 60 * 10**9
_BATCH = 1 << 20
_MILLISECOND = 10**6
_LOOKS = 4
_STATE = "recent"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Found(Struct, frozen=True):
    """One entry as a service holds it.

    ``time`` is in nanoseconds since 1970, ``identity`` tells entries of one time apart, ``data`` are
    whole lines. The same entry has the same three whenever it is found.
    """

    time: int
    identity: str
    data: bytes


class _Look(Struct):
    """A look for what came late, from ``since`` on as far as it got."""

    since: int
    until: int
    began: int


class Queried(Protocol):
    """What a poll needs of its source."""

    committed_at: Position
    """Up to where nothing is ever read again."""
    looked: tuple[float, float] | None
    """When the last round that came to its end began, and when it ended: between two no silence can be told."""

    @property
    def config(self) -> PollingConfig:
        """How often the service is asked, and how far back."""

    @property
    def context(self) -> Context:
        """What the host gives."""

    def find(self, since: int, until: int) -> Iterator[Sequence[Found]]:
        """Yield the entries of a span of time, page by page."""

    def count(self, since: int, until: int) -> int | None:
        """Count them; None where that is no cheaper than to read them."""


class Poll:
    """Read from one service, for one run of the source.

    A position names the offset in the stream and the time up to which everything was read. What of
    the entries near it is read already, and in which order, is kept in the state of the component,
    which is saved in the same transaction.
    """

    def __init__(self, source: Queried, positions: Mapping[str, Position]) -> None:
        self._source = source
        self._context = source.context
        self._config = source.config
        position = self._sound(positions.get(STREAM))
        started = self._now()
        begin = _nanoseconds(self._config.begin(self._context.clock()) - _EPOCH)
        self._since: int = position["since"] if position else begin
        self._offset: int = position["offset"] if position else 0
        saved = Recent.load(self._context.state.get(_STATE)) if position else None
        self._is_new = saved is None
        self._recent = saved or Recent(self._since, started)
        self._source.committed_at = self._position()
        self._until = started if self._context.once else None
        self._look_at = started
        self._look: _Look | None = None
        self._marked = started
        self._has_told_room = False

    def _sound(self, position: Position | None) -> Position | None:
        """Return a position that a poll wrote, None for any other."""
        if not position:
            return None
        if all(isinstance(position.get(name), int) and position[name] >= 0 for name in ("since", "offset")):
            return position
        self._context.logger.warning("%s: its position is damaged; it begins anew.", self._context.name)
        return None

    def run(self) -> Iterator[LogBatch]:
        """Yield batches until the source is stopped, or has read all when it runs once."""
        if self._is_new:
            yield self._batch([])  # commits where a first start begins
        yield from self._persist(self._read_again)
        while not self._context.stopping.is_set():
            yield from self._persist(self._round)
            if self._context.once:
                return
            self._context.stopping.wait(self._config.interval.total_seconds())

    def _persist(self, phase: Callable[[], Iterator[LogBatch]]) -> Iterator[LogBatch]:
        """Go through a phase; begin it again, after growing pauses, when the service does not answer."""
        failures, wait = 0, FIRST_WAIT
        while not self._context.stopping.is_set():
            before = self._progress()
            try:
                yield from phase()
                return
            except Retry as error:
                if self._context.stopping.is_set():
                    return
                if self._progress() != before:
                    failures, wait = 0, FIRST_WAIT
                failures += 1
                if failures >= MOST_FAILURES:
                    raise
                pause = max(wait, error.after)
                self._tell_failure(error, failures, pause)
            self._context.stopping.wait(pause)
            wait = min(wait * 2, LONGEST_WAIT)

    def _progress(self) -> tuple[int, int]:
        """Return how far was read, and looked: it differs where something was answered."""
        return self._offset, self._look.since if self._look else 0

    def _tell_failure(self, error: Retry, failures: int, pause: float) -> None:
        if failures == 1:
            self._context.logger.warning(
                "%s: %s It is asked again in %g s.", self._context.name, error, pause
            )

    def _read_again(self) -> Iterator[LogBatch]:
        """Yield once more, as it stood, what was read after the committed position."""
        wanted = self._recent.from_offset(self._offset)
        if not wanted:
            return
        data = self._data_of(wanted)
        if self._context.stopping.is_set():
            return
        lost = 0
        piece: list[tuple[bytes, int]] = []
        for place in wanted:
            if len(data.get(place.key, b"")) == place.length:
                piece.append((data[place.key], place.time))
                continue
            lost += 1
            if piece:
                yield self._batch(piece)
                piece = []
            self._offset = place.offset + place.length
        if piece:
            yield self._batch(piece)
        self._tell_lost(lost)

    def _tell_lost(self, lost: int) -> None:
        if lost:
            self._context.logger.warning(
                "%s: left out, gone or changed since they were read: %s.",
                self._context.name,
                f"{lost:,} {'entry' if lost == 1 else 'entries'}",
            )

    def _data_of(self, places: Sequence[Place]) -> dict[int, bytes]:
        """Return the lines of entries that were read before, by their keys."""
        wanted = {place.key for place in places}
        times = [place.time for place in places]
        data: dict[int, bytes] = {}
        for page in self._source.find(min(times), max(times) + 1):
            named = ((key_of(found.time, found.identity), found.data) for found in page)
            data |= {key: lines for key, lines in named if key in wanted}
            if self._context.stopping.is_set():
                break
        return data

    def _round(self) -> Iterator[LogBatch]:
        """Look for what came late, then read on."""
        began = time.monotonic()
        now = self._now()
        until = now - _nanoseconds(self._config.delay) if self._until is None else self._until
        if self._look or not self._look_at - _nanoseconds(self._config.late) <= now < self._look_at:
            yield from self._look_again(now)
        yield from self._read(self._since, until)
        if self._context.stopping.is_set():
            return
        self._since = max(self._since, until)
        self._source.looked = (began, time.monotonic())
        if now - self._marked >= _QUIET:
            yield self._batch([])

    def _look_again(self, now: int) -> Iterator[LogBatch]:
        """Read what arrived since the last look, and is older than what was read by then; go on with a look cut short."""
        look = self._look or self._begin_look(now)
        if look.since < look.until:
            self._look = look
            for page, batches in self._pages(look.since, look.until):
                yield from batches
                look.since = max((found.time for found in page), default=look.since)
        if not self._context.stopping.is_set():
            self._look = None
            self._recent.looked, self._look_at = (
                look.began,
                look.began + _nanoseconds(self._config.late) // _LOOKS,
            )

    def _begin_look(self, now: int) -> _Look:
        late = _nanoseconds(self._config.late)
        since, until = max(min(now, self._recent.looked) - late, self._recent.floor), self._since
        if since < until and (count := self._source.count(since, until)) is not None:
            since = until if count == self._recent.count(since, until) else since
        return _Look(since, until, now)

    def _forget(self) -> None:
        position = self._source.committed_at
        horizon = min(self._now(), self._recent.looked) - _nanoseconds(self._config.late)
        if self._recent.forget(position["offset"], position["since"], horizon) and not self._has_told_room:
            self._has_told_room = True
            self._context.logger.warning(
                "%s: more entries come within `late` than can be remembered, so that some that arrive late "
                "may be missed. Narrow the query, or shorten `late`.",
                self._context.name,
            )

    def _read(self, since: int, until: int) -> Iterator[LogBatch]:
        """Yield what is new in a span of time."""
        for _, batches in self._pages(since, until):
            yield from batches

    def _pages(self, since: int, until: int) -> Iterator[tuple[Sequence[Found], Iterator[LogBatch]]]:
        """Yield the pages of a span of time, each with what is new in it."""
        if since >= until:
            return
        for page in self._source.find(since, until):
            self._forget()
            since = max(since, self._recent.floor)
            yield page, self._pieces([found for found in page if since <= found.time < until])
            if self._context.stopping.is_set():
                return

    def _pieces(self, page: Sequence[Found]) -> Iterator[LogBatch]:
        piece: list[tuple[bytes, int]] = []
        size = 0
        for found in page:
            key = key_of(found.time, found.identity)
            if key in self._recent:
                continue
            place = Place(self._offset + size, len(found.data), found.time, key)
            self._recent.add(place)
            size += place.length
            piece.append((found.data, found.time))
            if size >= _BATCH:
                yield self._batch(piece)
                piece, size = [], 0
        if piece:
            yield self._batch(piece)

    def _batch(self, pieces: Iterable[tuple[bytes, int]]) -> LogBatch:
        """Return a batch of entries, each with the time to which it moves the position at least."""
        begin = self._offset
        marks = [(0, self._position())]
        parts = []
        for data, at in pieces:
            self._offset += len(data)
            self._since = max(self._since, at)
            parts.append(data)
            marks.append((self._offset - begin, self._position()))
        self._context.state[_STATE] = self._recent.save()
        self._marked = self._now()
        return LogBatch(
            STREAM,
            b"".join(parts),
            tuple(marks),
            offset=begin,
            path=self._context.name,
            read_at=self._context.clock(),
        )

    def _position(self) -> Position:
        return {"offset": self._offset, "since": self._since}

    def _now(self) -> int:
        """Return the present time; whole milliseconds, which every service can compare."""
        now = _nanoseconds(self._context.clock() - _EPOCH)
        return now - now % _MILLISECOND


def _nanoseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1) * 1000
