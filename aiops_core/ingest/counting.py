"""Count known blocks by incident and minute; the events of a few of them are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, tzinfo
from functools import partial
from typing import TypeAlias

from msgspec import Struct, field

from aiops_core.ingest.stream import Stream
from aiops_core.records import Event, LogBatch
from aiops_core.store import Counted, minute_of, next_sampled
from aiops_core.text.known_blocks import Known
from aiops_core.text.openings import Opening
from aiops_core.text.repeats import Repeat
from aiops_core.text.streaks import Kind, Streak, Times

Make: TypeAlias = Callable[[Stream, LogBatch, Repeat], Event]
"""Make the event of one block."""
_Origin: TypeAlias = tuple[Stream, frozenset[tuple[str, str]]]
"""The stream of blocks, and with what they came."""


class _Group(Struct):
    """Blocks that are counted as one; kept are the bytes of those that may be stored, each with its start."""

    read_at: datetime
    zone: tzinfo
    first: bytes
    last: bytes
    """The least and the greatest seconds of the times they name."""
    count: int = 0
    kept: list[tuple[LogBatch, int, bytes]] = field(default_factory=list)
    next_kept: int = 1


class _Few(Struct):
    """Known blocks that came one by one and are counted as one; those are kept that may be stored."""

    first: datetime
    last: datetime
    count: int = 0
    minutes: dict[datetime, int] = field(default_factory=dict)
    kept: list[tuple[LogBatch, Repeat]] = field(default_factory=list)
    next_kept: int = 1

    def add(self, batch: LogBatch, repeat: Repeat, moment: datetime) -> None:
        """Count a block of this time."""
        minute = minute_of(moment)
        self.minutes[minute] = self.minutes.get(minute, 0) + 1
        if moment > self.last:
            self.last = moment
        elif moment < self.first:
            self.first = moment
        self.count += 1
        if self.count == self.next_kept:
            self.kept.append((batch, repeat))
            self.next_kept = next_sampled(self.count)


class Counting(Struct):
    """The known blocks of the next transaction; ``size`` is how many they are."""

    make: Make
    read_at: Callable[[LogBatch], datetime]
    release: Callable[[Mapping[str, str]], str]
    size: int = 0
    _groups: dict[tuple[_Origin, datetime], dict[tuple[Kind, Times], _Group]] = field(default_factory=dict)
    """By the minute in which they were read, too."""
    _few: dict[tuple[_Origin, Known, Opening], _Few] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.size > 0

    def add_one(self, stream: Stream, repeat: Repeat) -> None:
        """Take a block that came alone."""
        batch = stream.batches[-1]  # the one it came in, without its bytes
        moment = repeat.moment or self.read_at(batch)
        key = (_origin(stream, batch), repeat.known, repeat.opening)
        few = self._few.get(key)
        if few is None:
            few = self._few[key] = _Few(moment, moment)
        few.add(batch, repeat, moment)
        self.size += 1

    def add(self, stream: Stream, streak: Streak) -> None:
        """Take the blocks of a streak."""
        batch = stream.batches[-1]  # the one they came in, without its bytes
        read_at = self.read_at(batch)
        groups = self._groups.setdefault((_origin(stream, batch), minute_of(read_at)), {})
        alike = zip(streak.kinds, streak.times, strict=True)
        for key, seconds, start in zip(alike, streak.seconds, streak.starts, strict=True):
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group(read_at, streak.zone, seconds, seconds)
            group.count += 1
            if seconds > group.last:
                group.last = seconds
            elif seconds < group.first:
                group.first = seconds
            if group.count == group.next_kept:
                group.kept.append((batch, start, streak.body(key[0], start)))
                group.next_kept = next_sampled(group.count)
        self.size += len(streak)

    def counted(self) -> Iterator[Counted]:
        """Yield what was counted: of each group how many, and from when to when."""
        for ((stream, _), known, _), few in self._few.items():
            batch, repeat = few.kept[0]
            yield Counted(
                known.event.fingerprint,
                known.event.severity or "error",
                few.count,
                few.first,
                few.last,
                self.release(repeat.attributes(batch.attributes)),
                partial(self._events_of_few, stream, few),
                few.minutes,
            )
        for ((stream, _), _), groups in self._groups.items():
            for (kind, times), group in groups.items():
                batch = group.kept[0][0]
                moments = [
                    kind.moment(times, seconds, group.zone) or group.read_at
                    for seconds in (group.first, group.last)
                ]
                first = min(moments)
                yield Counted(
                    kind.known.event.fingerprint,
                    kind.known.event.severity or "error",
                    group.count,
                    first,
                    max(moments),
                    self.release(kind.attributes(batch.attributes)),
                    partial(self._events, stream, kind, group),
                    {minute_of(first): group.count},  # what is alike in all of them has their minute
                )

    def _events_of_few(self, stream: Stream, few: _Few) -> Iterator[Event]:
        for batch, repeat in few.kept:
            yield self.make(stream, batch, repeat)

    def _events(self, stream: Stream, kind: Kind, group: _Group) -> Iterator[Event]:
        for batch, start, body in group.kept:
            yield self.make(stream, batch, kind.repeat(body, start, group.zone))


def _origin(stream: Stream, batch: LogBatch) -> _Origin:
    return stream, frozenset(batch.attributes.items())
