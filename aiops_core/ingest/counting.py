"""Count the blocks of streaks by incident and minute; the events of a few of them are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias

from aiops_core.ingest.stream import Stream
from aiops_core.records import Event, LogBatch
from aiops_core.store import MOST_OF_BATCH, Counted
from aiops_core.text.repeats import Repeat
from aiops_core.text.streaks import Blocks, Kind, Streak, Times

Make: TypeAlias = Callable[[Stream, LogBatch, Repeat], Event]
"""Make the event of one block."""
_Key: TypeAlias = tuple[Stream, datetime, frozenset[tuple[str, str]]]
"""The stream, the minute its blocks were read, and with what."""


@dataclass(slots=True)
class _Group:
    """Blocks that are counted as one; chunks are kept of the first ones only."""

    read_at: datetime
    count: int = 0
    first: bytes = b""
    last: bytes = b""
    """The least and the greatest seconds of the times they name."""
    kept: list[tuple[Streak, LogBatch, Blocks]] = field(default_factory=list)

    def add(self, blocks: Blocks, streak: Streak, batch: LogBatch) -> None:
        """Count blocks of a streak."""
        first, last = min(blocks)[0], max(blocks)[0]
        if first < self.first or not self.count:
            self.first = first
        self.last = max(self.last, last)
        if self.count < MOST_OF_BATCH:
            self.kept.append((streak, batch, blocks))
        self.count += len(blocks)


@dataclass(slots=True)
class Counting:
    """The streaks of the next transaction; ``size`` is how many blocks they hold."""

    make: Make
    read_at: Callable[[LogBatch], datetime]
    release: Callable[[Mapping[str, str]], str]
    size: int = 0
    _groups: dict[_Key, dict[tuple[Kind, Times], _Group]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def add(self, stream: Stream, streak: Streak) -> None:
        """Take the blocks of a streak."""
        batch = stream.batch
        read_at = self.read_at(batch)
        minute, told = read_at.replace(second=0, microsecond=0), frozenset(batch.attributes.items())
        groups = self._groups.setdefault((stream, minute, told), {})
        for group, blocks in streak.groups.items():
            counted = groups.get(group)
            if counted is None:
                counted = groups[group] = _Group(read_at)
            counted.add(blocks, streak, batch)
        self.size += len(streak)

    def counted(self) -> Iterator[Counted]:
        """Yield what was counted: of each group how many, and from when to when."""
        for (stream, *_), groups in self._groups.items():
            for (kind, times), group in groups.items():
                streak, batch, _ = group.kept[0]
                moments = [
                    streak.moment(kind, times, seconds) or group.read_at
                    for seconds in (group.first, group.last)
                ]
                yield Counted(
                    kind.known.event.fingerprint,
                    kind.known.event.severity or "error",
                    group.count,
                    min(moments),
                    max(moments),
                    self.release(kind.attributes(batch.attributes)),
                    partial(self._events, stream, kind, group),
                )

    def _events(self, stream: Stream, kind: Kind, group: _Group) -> Iterator[Event]:
        for streak, batch, blocks in group.kept:
            for _, start in blocks:
                yield self.make(stream, batch, streak.repeat(kind, start))
