"""Recognise a block that came before but for its numbers, without reading it again.

An error that repeats prints the same lines with other numbers in some of them: times, ids,
addresses. Which numbers do not matter is learned, never guessed: a line may differ only after two
blocks that differ there were read in full and said the same. What is found this way is exactly
what reading would have found; what is not found is read.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo

from aiops_core.records import Event, RaisedException
from aiops_core.text.timestamps import match_time, to_moment
from aiops_core.text.unwrap import decode_line

_NUMBERS = b"0123456789"
_HEAD = 24
"""Bytes by which the line after a block is known again."""
_MOST_BLOCKS = 2048
_MOST_VARIANTS = 4096
_NEVER = -(1 << 60)
_MOST_HEADS = 64
_MOST_LINES = 200
_TIME_WITHIN = 48

Spot = tuple[int, int]
"""Line and column in a block."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the cutter saw of a block: its raw bytes, which line was hit first, what came after it."""

    body: bytes
    hit: int
    head: bytes


@dataclass(slots=True)
class Known:
    """A block that was read: its lines, and the event it made."""

    owner: int
    lines: list[bytes]
    event: Event
    spots: list[Spot | None]
    """Where the messages of the exceptions stand, None for those that never change."""
    time: Spot | None
    needles: tuple[bytes, ...] = ()
    zone: tzinfo = UTC
    """Of times that name none."""
    readings: int = 1
    repeats: int = 0


@dataclass(slots=True)
class _Alike:
    """The known blocks that are equal but for their numbers."""

    free: frozenset[int] = frozenset()
    """Lines whose numbers do not matter."""
    heads: set[bytes] = field(default_factory=set)
    """How lines began that came after such a block."""
    known: dict[bytes, Known] = field(default_factory=dict)
    """By the lines whose numbers matter."""

    def key(self, lines: list[bytes]) -> bytes:
        free = self.free
        return b"\n".join([line for index, line in enumerate(lines) if index not in free])

    def find(self, lines: list[bytes]) -> Known | None:
        """Return the block that says the same as these lines."""
        known = self.known.get(self.key(lines))
        if known is None or known.readings < 2:
            return None
        has_all = all(any(needle in line for line in lines) for needle in known.needles)
        return known if has_all else None

    def release(self, indexes: set[int]) -> None:
        """Let the numbers of these lines not matter; blocks that cannot be told apart then are dropped."""
        self.free |= indexes
        kept: dict[bytes, Known] = {}
        for known in self.known.values():
            other = kept.setdefault(self.key(known.lines), known)
            if other.event.fingerprint != known.event.fingerprint:
                kept[self.key(known.lines)] = known
                known.readings = _NEVER
        self.known = kept


@dataclass(frozen=True, slots=True)
class Repeat:
    """A block that was known: where it stands in the stream, and what it repeats."""

    known: Known
    start: int
    end: int
    body: bytes

    def event(self) -> Event:
        """Return the event, its times and messages those of this block."""
        known = self.known
        lines = self.body.split(b"\n")
        event = known.event
        raised = tuple(
            one
            if spot is None
            else RaisedException(one.type, _text(lines, spot), one.frames, one.link, one.parent)
            for one, spot in zip(event.exceptions, known.spots, strict=True)
        )
        return replace(
            event,
            message=raised[0].message,
            exceptions=raised,
            headline=decode_line(lines[0]) if event.headline else "",
            occurred_at=_moment(lines, known.time, known.zone),
            block=self.body.decode("utf-8", "replace"),
            start=self.start,
            end=self.end,
        )


class Repeats:
    """The blocks that were read, of all streams with one grammar."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Take times that name no zone as of ``zone``."""
        self._zone = zone
        self._ways: dict[bytes, set[tuple[int, int]]] = {}
        self._alike: OrderedDict[bytes, _Alike] = OrderedDict()

    def find(self, data: bytes, line: int, floor: int) -> tuple[Known, int, int] | None:
        """Return the known block the raw line at ``line`` belongs to, and where it stands in the data.

        Now and then a known block is not found, so that it is read again and stays as it was.
        """
        first = data.find(b"\n", line) + 1
        ways = self._ways.get(data[line:first].translate(None, _NUMBERS))
        if ways is None or not first:
            return None
        for before, after in ways:
            start, end = _back(data, line, before, floor), _forth(data, first, after)
            if start < 0 or end < 0 or end >= len(data):
                continue
            body = data[start:end]
            alike = self._alike.get(body.translate(None, _NUMBERS))
            if alike is None or _head(data, end) not in alike.heads:
                continue
            known = alike.find(body.split(b"\n"))
            if known is not None:
                known.repeats += 1
                is_due = known.repeats & (known.repeats - 1) == 0
                return None if is_due else (known, start, end)
        return None

    def learn(self, owner: int, lesson: Lesson, events: list[Event]) -> None:
        """Remember a block that was read in full."""
        lines = lesson.body.split(b"\n")
        if len(events) != 1 or not events[0].frames or len(lines) > _MOST_LINES:
            return
        if lesson.head in {line[:_HEAD].translate(None, _NUMBERS) for line in lines[1:-1]}:
            return  # the line after it looks like one of its own
        alike = self._alike.setdefault(lesson.body.translate(None, _NUMBERS), _Alike())
        if not _confirm(alike, owner, lines, events[0]) and not _add(
            alike, owner, lines, events[0], self._zone
        ):
            return
        if len(alike.heads) < _MOST_HEADS:
            alike.heads.add(lesson.head)
        way = lesson.hit, len(lines) - 2 - lesson.hit
        self._ways.setdefault(lines[lesson.hit].translate(None, _NUMBERS) + b"\n", set()).add(way)
        self._forget()

    def _forget(self) -> None:
        if len(self._alike) > _MOST_BLOCKS:
            self._alike.popitem(last=False)
        if len(self._ways) > _MOST_BLOCKS:
            self._ways.clear()


def _confirm(alike: _Alike, owner: int, lines: list[bytes], event: Event) -> bool:
    """Find the known block that says the same as this one; what differs does not matter from now on."""
    for known in alike.known.values():
        if known.owner == owner and known.event.fingerprint == event.fingerprint:
            if not _says_the_same(known, lines, event):
                continue
            differing = {index for index, line in enumerate(lines) if line != known.lines[index]}
            if not differing <= alike.free:
                alike.release(differing)
            common = dict(known.event.attributes.items() & event.attributes.items())
            known.event = replace(known.event, attributes=common)
            known.readings += 1
            return True
    return False


def _add(alike: _Alike, owner: int, lines: list[bytes], event: Event, zone: tzinfo) -> bool:
    spots, time = _spots(lines, event), _time(lines, event, zone)
    if (
        spots is None
        or (time is None and event.occurred_at is not None)
        or len(alike.known) >= _MOST_VARIANTS
    ):
        return False
    alike.known[alike.key(lines)] = Known(owner, lines, event, spots, time, _needles(event), zone)
    return True


def lesson(data: bytes, start: int, end: int, hit: int) -> Lesson | None:
    """Return what is seen of the block from ``start`` to ``end``, None while nothing comes after it."""
    if end >= len(data):
        return None
    return Lesson(data[start:end], data.count(b"\n", start, hit), _head(data, end))


def _head(data: bytes, at: int) -> bytes:
    return data[at : at + _HEAD].partition(b"\n")[0].translate(None, _NUMBERS)


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


def _says_the_same(known: Known, lines: list[bytes], event: Event) -> bool:
    of = known.event
    if (of.fingerprint, of.severity, of.type, of.language) != (
        event.fingerprint,
        event.severity,
        event.type,
        event.language,
    ) or len(of.exceptions) != len(event.exceptions):
        return False
    for one, other, spot in zip(of.exceptions, event.exceptions, known.spots, strict=True):
        if (one.type, one.frames, one.link, one.parent) != (
            other.type,
            other.frames,
            other.link,
            other.parent,
        ):
            return False
        if other.message != (one.message if spot is None else _text(lines, spot)):
            return False
    has_time = event.occurred_at == _moment(lines, known.time, known.zone)
    return (
        has_time
        and bool(of.headline) == bool(event.headline)
        and event.message == event.exceptions[0].message
    )


def _spots(lines: list[bytes], event: Event) -> list[Spot | None] | None:
    """Return where each message stands, up to the end of its line; None where one cannot be told."""
    texts = [decode_line(line) for line in lines]
    spots: list[Spot | None] = []
    if event.message != event.exceptions[0].message:
        return None
    if event.headline and event.headline != texts[0]:
        return None
    for raised in event.exceptions:
        message = raised.message
        if not any(letter.isdigit() for letter in message):
            spots.append(None)
            continue
        found = [index for index, text in enumerate(texts) if text.endswith(message)]
        if len(found) != 1 and not (event.headline and len(found) == 2 and found[0] == 0):
            return None
        column = len(texts[found[-1]]) - len(message)
        if any(letter.isdigit() for letter in texts[found[-1]][:column]):
            return None  # the column would move with the numbers before it
        spots.append((found[-1], column))
    return spots


def _text(lines: list[bytes], spot: Spot) -> str:
    return decode_line(lines[spot[0]])[spot[1] :]


def _time(lines: list[bytes], event: Event, zone: tzinfo) -> Spot | None:
    if event.occurred_at is None:
        return None
    text = decode_line(lines[0])
    for column in range(min(len(text), _TIME_WITHIN)):
        if _moment(lines, (0, column), zone) == event.occurred_at:
            return 0, column
    return None


def _moment(lines: list[bytes], spot: Spot | None, zone: tzinfo) -> datetime | None:
    found = match_time(decode_line(lines[spot[0]]), spot[1]) if spot else None
    return to_moment(found, datetime.now(UTC), zone) if found else None


def _needles(event: Event) -> tuple[bytes, ...]:
    """Return the names of types that hold a number: those must stand there as they are."""
    names = {raised.type for raised in event.exceptions}
    return tuple(name.encode() for name in names if any(letter.isdigit() for letter in name))
