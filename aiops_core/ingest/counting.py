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
from aiops_core.text.streaks import Kind, Places, Streak

Make: TypeAlias = Callable[[Stream, LogBatch, Repeat], Event]
"""Make the event of one block."""
_Key: TypeAlias = tuple[Stream, Kind, bytes, bytes, datetime, frozenset[tuple[str, str]]]
"""The stream, what its blocks say, their time round its seconds; the minute they were read, and with what."""


@dataclass(slots=True)
class _Group:
    """Blocks that are counted as one; chunks are kept of the first ones only."""

    read_at: datetime
    places: Places = field(default_factory=list)
    kept: list[tuple[Streak, LogBatch, Places]] = field(default_factory=list)


@dataclass(slots=True)
class Counting:
    """The streaks of the next transaction; ``size`` is how many blocks they hold."""

    make: Make
    read_at: Callable[[LogBatch], datetime]
    release: Callable[[Mapping[str, str]], str]
    size: int = 0
    _groups: dict[_Key, _Group] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, stream: Stream, streak: Streak) -> None:
        """Take the blocks of a streak."""
        batch, groups = stream.batch, self._groups
        read_at = self.read_at(batch)
        minute, told = read_at.replace(second=0, microsecond=0), frozenset(batch.attributes.items())
        for (kind, before, after), places in streak.groups.items():
            key = (stream, kind, before, after, minute, told)
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group(read_at)
            if len(group.places) < MOST_OF_BATCH:
                group.kept.append((streak, batch, places))
            group.places += places
            self.size += len(places)

    def counted(self) -> Iterator[Counted]:
        """Yield what was counted: of each group how many, and from when to when."""
        for (stream, kind, before, after, *_), group in self._groups.items():
            streak = group.kept[0][0]
            ends = [min(group.places)[0], max(group.places)[0]]
            moments = [streak.moment(kind, before, second, after) or group.read_at for second in ends]
            yield Counted(
                kind.known.event.fingerprint,
                kind.known.event.severity or "error",
                len(group.places),
                min(moments),
                max(moments),
                self.release(kind.attributes(group.kept[0][1].attributes)),
                partial(self._events, stream, kind, group),
            )

    def _events(self, stream: Stream, kind: Kind, group: _Group) -> Iterator[Event]:
        for streak, batch, places in group.kept:
            for _, place in places:
                yield self.make(stream, batch, streak.repeat(kind, place))
