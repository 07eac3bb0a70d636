"""Recognise a block that came before but for its numbers, without reading it again.

An error that repeats prints the same lines with other numbers in some of them: times, ids,
addresses. Which numbers do not matter is learned, never guessed: a line may differ only after two
blocks that differ there were read in full and said the same. What is found this way is exactly
what reading would have found; what is not found is read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.records import Event, RaisedException
from aiops_core.text.known_blocks import (
    EDGE,
    NUMBERS,
    Alike,
    Hits,
    Known,
    Lesson,
    above_of,
    head_at,
    text_at,
    text_of,
)
from aiops_core.text.known_lines import KnownLines
from aiops_core.text.openings import Opening, Openings, Told
from aiops_core.text.unwrap import decode_line

_MOST_BLOCKS = 2048
_MOST_KNOWN = 8192
_MOST_WAYS = 16
_NO_WAYS: frozenset[tuple[int, int]] = frozenset()
_MOST_EDGES = 4096
_MOST_LINES = 200
_LEAST = 4
"""Letters by which a line differs for sure from others that begin like it: more is not looked at."""


class RepeatedLine(Struct, frozen=True):
    """A line that was known: where it stands in the stream, and what it repeats."""

    known: Event
    opening: Opening
    message: bytes
    hits: Hits
    start: int
    end: int
    raw: bytes
    zone: tzinfo

    def event(self, **placed: Any) -> Event:  # Any: fields of an event
        """Return the event, its time and message those of this line, with these fields set."""
        event = self.known
        return replace(
            event,
            message=decode_line(self.message),
            occurred_at=self.opening.moment(self.raw, self.zone),
            attributes={**event.attributes, **self.opening.attributes, **placed.pop("attributes", {})},
            block=self.raw.decode("utf-8", "replace"),
            start=self.start,
            end=self.end,
            **placed,
        )


class Repeat(Struct, frozen=True):
    """A block that was known: where it stands in the stream, and what it repeats."""

    known: Known
    opening: Opening
    lines: list[bytes]
    start: int
    end: int
    body: bytes
    zone: tzinfo = UTC
    """Of times that name none."""
    is_settled: bool = False
    """Whether nothing before its end is open any more: whoever starts again does so after it."""

    @property
    def first_line(self) -> bytes:
        """The raw line it begins with."""
        return self.body.partition(b"\n")[0]

    @property
    def moment(self) -> datetime | None:
        """The time its first line names."""
        return self.opening.moment(self.first_line, self.zone)

    def attributes(self, around: Mapping[str, str]) -> Mapping[str, str]:
        """Return those of every such event, with those of the batch it came in."""
        return {**self.known.event.attributes, **self.opening.attributes, **around}

    def event(self, **placed: Any) -> Event:  # Any: fields of an event
        """Return the event, its times and messages those of this block, with these fields set."""
        event, spots = self.known.event, self.known.spots
        raised = event.exceptions
        if any(spots):
            raised = tuple(
                one
                if spot is None
                else RaisedException(one.type, text_at(self.lines, spot), one.frames, one.link, one.parent)
                for one, spot in zip(raised, spots, strict=True)
            )
        return replace(
            event,
            message=raised[0].message,
            exceptions=raised,
            headline=text_of(self.first_line) if event.headline else "",
            occurred_at=self.moment,
            attributes=self.attributes(placed.pop("attributes", {})),
            block=self.body.decode("utf-8", "replace"),
            start=self.start,
            end=self.end,
            **placed,
        )


class Found(NamedTuple):
    """A known block, and where it stands in the data."""

    known: Known
    alike: Alike
    opening: Opening
    lines: list[bytes]
    start: int
    end: int


class Repeats:
    """The blocks that were read, of all streams with one grammar."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Take times that name no zone as of ``zone``."""
        self.zone = zone
        self._lines = KnownLines(zone)
        self._ways: dict[tuple[bytes, Hits], set[tuple[int, int]]] = {}
        self._openings = Openings(zone)
        self._count = 0
        self._alike: OrderedDict[bytes, Alike] = OrderedDict()

    def find(self, data: bytes, line: int, floor: int, hits: Iterable[int]) -> Found | None:
        """Return the known block the raw line at ``line`` belongs to, and where it stands in the data.

        Now and then a known block is not found, so that it is read again and stays as it was.
        """
        first = data.find(b"\n", line) + 1
        for before, after in self._ways_from(data, line, first, tuple(sorted(hits))) if first else ():
            start, end = _back(data, line, before, floor), _forth(data, first, after)
            if start < 0 or end < 0 or end >= len(data):
                continue
            second = first if not before else data.find(b"\n", start) + 1
            alike = self._alike.get(data[second:end].translate(None, NUMBERS))
            if alike is None or head_at(data, end) not in alike.heads:
                continue
            if start > floor and above_of(data, start) not in alike.aboves:
                continue
            lines = [b"", *data[second : end - 1].split(b"\n")]
            for opening, rest in self._openings.find(data[start : second - 1], alike.firsts()):
                lines[0] = rest
                known = alike.known.get(alike.key(lines, opening.level))
                if known is not None and known.is_in(lines):
                    return None if known.is_due() else Found(known, alike, opening, lines, start, end)
        return None

    def find_line(self, data: bytes, line: int, hits: Iterable[int]) -> RepeatedLine | None:
        """Return the known line that is the whole of a block at ``line``, its places in the data."""
        end, by = data.find(b"\n", line) + 1, tuple(sorted(hits))
        found = self._lines.find(data[line : end - 1], by) if end else None
        return None if found is None else RepeatedLine(*found, by, line, end, data[line:end], self.zone)

    def is_passed(self, data: bytes, line: int, hits: Iterable[int]) -> bool:
        """Tell whether the line at ``line`` is known to make no event."""
        end = data.find(b"\n", line)
        return end >= 0 and self._lines.is_passed(data[line:end], tuple(sorted(hits)))

    def pass_over(self, data: bytes, line: int, hits: Iterable[int]) -> None:
        """Remember the line at ``line``: it was read in full, for itself alone, and made no event."""
        end = data.find(b"\n", line)
        if end >= 0:
            self._lines.pass_over(data[line:end], tuple(sorted(hits)))

    def learn(self, owner: int, lesson: Lesson, rest: str, told: Told, events: list[Event]) -> None:
        """Remember a block that was read in full.

        ``rest`` is what its first line holds of the trace itself, nothing for a logging line;
        ``told`` what its envelope added to the events.
        """
        lines = lesson.body.removesuffix(b"\n").split(b"\n")
        if len(lines) == 1 and len(events) == 1:
            self._lines.learn(lines[0], lesson.hits, told, events[0])
        if len(events) != 1 or not events[0].exceptions or not 1 < len(lines) <= _MOST_LINES:
            return
        if not all(_sets_apart(lesson.head, line) for line in lines[1:]):
            return  # the line after it looks like one of its own
        if lines[0].startswith((b"  ", b"\t")):
            return  # it may be part of what began above it
        event, first = events[0], lines[0]
        own = self._openings.own(first, rest, told, event)
        opening = self._openings.learn(first, own, told, event.occurred_at)
        if opening is None or (event.headline and event.headline != text_of(first)):
            return
        lines[0] = opening
        below = lesson.body.partition(b"\n")[2]
        alike = self._alike.setdefault(below.translate(None, NUMBERS), Alike())
        before = len(alike.known)
        alike.learn(owner, told.level, lines, event, lesson)
        self._count += len(alike.known) - before
        self._note_way(lesson, len(lines))
        self._forget(alike)

    def _ways_from(self, data: bytes, line: int, first: int, hits: Hits) -> Iterable[tuple[int, int]]:
        known = self._ways.get((_edge(data, line, first), hits), _NO_WAYS)
        return known or self._ways.get((_below(data, first), hits), _NO_WAYS)

    def _note_way(self, lesson: Lesson, count: int) -> None:
        body = lesson.body + lesson.head
        at = _forth(body, 0, lesson.hit)
        end = body.find(b"\n", at) + 1
        edge = _edge(body, at, end) if lesson.hit else _below(body, end)
        ways = self._ways.setdefault((edge, lesson.hits), set())
        if len(ways) < _MOST_WAYS:
            ways.add((lesson.hit, count - 1 - lesson.hit))

    def _forget(self, learned: Alike) -> None:
        """Keep what is known within bounds, at the cost of the blocks that grow in number."""
        if self._count > _MOST_KNOWN:
            learned.forget_one()
            self._count -= 1
        if len(self._alike) > _MOST_BLOCKS:
            _, oldest = self._alike.popitem(last=False)
            oldest.withdraw()
            self._count -= len(oldest.known)
        if len(self._ways) > _MOST_EDGES:
            self._ways.clear()


def _sets_apart(head: bytes, line: bytes) -> bool:
    """Tell whether the line after a block begins otherwise than one of its own, and by more than a letter."""
    shown = max(1, len(head) - _LEAST + 1)
    return line[:EDGE].translate(None, NUMBERS)[:shown] != head[:shown]


def _edge(data: bytes, line: int, end: int) -> bytes:
    """Return how a line ends and the next one begins: by that a line of a known block is known."""
    return data[max(line, end - EDGE // 2) : end].translate(None, NUMBERS) + head_at(data, end)


def _below(data: bytes, end: int) -> bytes:
    """Return how the two lines below one begin: by that a known block is known that begins with it, whatever it says."""
    return head_at(data, end) + b"\n" + head_at(data, data.find(b"\n", end) + 1)


def _back(data: bytes, at: int, count: int, floor: int) -> int:
    for _ in range(count):
        if at <= floor:
            return -1
        at = data.rfind(b"\n", 0, at - 1) + 1
    return at if at >= floor else -1


def _forth(data: bytes, at: int, count: int) -> int:
    find = data.find
    for _ in range(count):
        at = find(b"\n", at) + 1
        if not at:
            return -1
    return at
