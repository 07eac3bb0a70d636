"""Recognise a block that came before but for its numbers, without reading it again.

An error that repeats prints the same lines with other numbers in some of them: times, ids,
addresses. Which numbers do not matter is learned, never guessed: a line may differ only after two
blocks that differ there were read in full and said the same. What is found this way is exactly
what reading would have found; what is not found is read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any, TypeAlias

from aiops_core.records import Event, RaisedException
from aiops_core.text.known_lines import KnownLine, KnownLines
from aiops_core.text.openings import NEVER, VARYING, Opening, Openings, Told
from aiops_core.text.unwrap import decode_line

_NUMBERS = b"0123456789abcdef"
"""What numbers are written with: without it lines that differ in ids alone are equal."""
_EDGE = 24
"""Bytes after the end of a line, and half of that before it, by which a place is known again."""
_MOST_BLOCKS = 2048
_MOST_VARIANTS = 4096
_MOST_WAYS = 16
_MOST_HEADS = 64
_MOST_LINES = 200
_READ_AGAIN = 16
"""Repeats after which a known block is read again; then after four times as many each time."""

Spot = tuple[int, int]
"""Line and column in a block."""


Hits: TypeAlias = tuple[int, ...]
"""The triggers that hit one line, ascending."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the cutter saw of a block: its bytes, which line was hit first and by what, what came after."""

    body: bytes
    hit: int
    hits: Hits
    head: bytes


@dataclass(slots=True)
class Known:
    """A block that was read: its lines, the first one without what came before the trace, and its event."""

    owner: int
    level: str | None
    lines: list[bytes]
    event: Event
    spots: list[Spot | None]
    """Where the messages of the exceptions stand, None for those that never change."""
    needles: tuple[bytes, ...] = ()
    """What has to stand there as it is, numbers and all."""
    readings: int = 1
    repeats: int = 0
    due: int = _READ_AGAIN

    def is_in(self, lines: list[bytes]) -> bool:
        """Tell whether lines that are equal where it matters say the same."""
        if self.readings < 2 and (self.readings < 1 or lines != self.lines):
            return False
        return not self.needles or all(map(b"\n".join(lines).__contains__, self.needles))

    def is_due(self) -> bool:
        """Count a repeat; tell whether the block should be read again, so that it stays as it was."""
        self.repeats += 1
        if self.repeats < self.due:
            return False
        self.due *= 4
        return True


Key = tuple[bytes, str | None]


@dataclass(slots=True)
class _Alike:
    """The known blocks that are equal but for their numbers and their first lines."""

    free: dict[int, frozenset[int]] = field(default_factory=dict)
    """Of lines whose numbers do not all matter: which parts of them do not."""
    heads: set[bytes] = field(default_factory=set)
    """How lines began that came after such a block."""
    known: dict[Key, Known] = field(default_factory=dict)
    """By what matters."""

    def key(self, lines: list[bytes], level: str | None) -> Key:
        """Return what matters in a block."""
        if self.free:
            lines = lines.copy()
            for index, parts in self.free.items():
                split = VARYING.split(lines[index])
                lines[index] = b"\0".join([part for at, part in enumerate(split) if at not in parts])
        return b"\n".join(lines), level

    def release(self, parts: Mapping[int, frozenset[int]]) -> None:
        """Let these parts not matter; blocks that cannot be told apart then are dropped."""
        for index, free in parts.items():
            self.free[index] = self.free.get(index, frozenset()) | free
        kept: dict[Key, Known] = {}
        for known in self.known.values():
            key = self.key(known.lines, known.level)
            other = kept.setdefault(key, known)
            if other.event.fingerprint != known.event.fingerprint:
                kept[key] = known
                known.readings = NEVER
        self.known = kept


@dataclass(frozen=True, slots=True)
class RepeatedLine:
    """A line that was known: where it stands in the stream, and what it repeats."""

    known: KnownLine
    opening: Opening
    message: bytes
    hits: Hits
    start: int
    end: int
    raw: bytes
    zone: tzinfo

    def event(self, **placed: Any) -> Event:  # Any: fields of an event
        """Return the event, its time and message those of this line, with these fields set."""
        event = self.known.event
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


@dataclass(frozen=True, slots=True)
class Repeat:
    """A block that was known: where it stands in the stream, and what it repeats."""

    known: Known
    opening: Opening
    lines: list[bytes]
    start: int
    end: int
    body: bytes
    zone: tzinfo = UTC
    """Of times that name none."""

    def event(self, **placed: Any) -> Event:  # Any: fields of an event
        """Return the event, its times and messages those of this block, with these fields set."""
        event, spots = self.known.event, self.known.spots
        raised = event.exceptions
        if any(spots):
            raised = tuple(
                one
                if spot is None
                else RaisedException(one.type, _text(self.lines, spot), one.frames, one.link, one.parent)
                for one, spot in zip(raised, spots, strict=True)
            )
        first = self.body.partition(b"\n")[0]
        attributes = {**event.attributes, **self.opening.attributes, **placed.pop("attributes", {})}
        return replace(
            event,
            message=raised[0].message,
            exceptions=raised,
            headline=decode_line(first) if event.headline else "",
            occurred_at=self.opening.moment(first, self.zone),
            attributes=attributes,
            block=self.body.decode("utf-8", "replace"),
            start=self.start,
            end=self.end,
            **placed,
        )


class Repeats:
    """The blocks that were read, of all streams with one grammar."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Take times that name no zone as of ``zone``."""
        self.zone = zone
        self._lines = KnownLines(zone)
        self._ways: dict[tuple[bytes, Hits], set[tuple[int, int]]] = {}
        self._openings = Openings()
        self._alike: OrderedDict[bytes, _Alike] = OrderedDict()

    def find(
        self, data: bytes, line: int, floor: int, hits: Iterable[int]
    ) -> tuple[Known, Opening, list[bytes], int, int] | None:
        """Return the known block the raw line at ``line`` belongs to, and where it stands in the data.

        Now and then a known block is not found, so that it is read again and stays as it was.
        """
        first = data.find(b"\n", line) + 1
        by = _edge(data, line, first), tuple(sorted(hits))
        for before, after in self._ways.get(by, ()) if first else ():
            start, end = _back(data, line, before, floor), _forth(data, first, after)
            if start < 0 or end < 0 or end >= len(data):
                continue
            second = first if not before else data.find(b"\n", start) + 1
            alike = self._alike.get(data[second:end].translate(None, _NUMBERS))
            if alike is None or _head(data, end) not in alike.heads:
                continue
            lines = [b"", *data[second : end - 1].split(b"\n")]
            for opening, rest in self._openings.find(data[start : second - 1]):
                lines[0] = rest
                known = alike.known.get(alike.key(lines, opening.level))
                if known is not None and known.is_in(lines):
                    return None if known.is_due() else (known, opening, lines, start, end)
        return None

    def find_line(self, data: bytes, line: int, hits: Iterable[int]) -> RepeatedLine | None:
        """Return the known line that is the whole of a block at ``line``, its places in the data."""
        end, by = data.find(b"\n", line) + 1, tuple(sorted(hits))
        found = self._lines.find(data[line : end - 1], by) if end else None
        return None if found is None else RepeatedLine(*found, by, line, end, data[line:end], self.zone)

    def learn(self, owner: int, lesson: Lesson, rest: str, told: Told, events: list[Event]) -> None:
        """Remember a block that was read in full.

        ``rest`` is what its first line holds of the trace itself, nothing for a logging line;
        ``told`` what its envelope added to the events.
        """
        lines = lesson.body.removesuffix(b"\n").split(b"\n")
        if len(lines) == 1 and len(events) == 1:
            self._lines.learn(lines[0], lesson.hits, told, events[0])
        if len(events) != 1 or not events[0].frames or not 1 < len(lines) <= _MOST_LINES:
            return
        if lesson.head in {line[:_EDGE].translate(None, _NUMBERS) for line in lines[1:]}:
            return  # the line after it looks like one of its own
        event, first = events[0], lines[0]
        opening = self._openings.learn(first, rest, told, event.occurred_at, self.zone)
        if opening is None or (event.headline and event.headline != decode_line(first)):
            return
        lines[0] = opening
        below = lesson.body.partition(b"\n")[2]
        alike = self._alike.setdefault(below.translate(None, _NUMBERS), _Alike())
        if not _confirm(alike, owner, told.level, lines, event):
            _add(alike, owner, told.level, lines, event)
        if len(alike.heads) < _MOST_HEADS:
            alike.heads.add(lesson.head)
        self._note_way(lesson, len(lines))
        self._forget()

    def _note_way(self, lesson: Lesson, count: int) -> None:
        body = lesson.body
        at = _forth(body, 0, lesson.hit)
        edge = _edge(body + lesson.head, at, body.find(b"\n", at) + 1)
        ways = self._ways.setdefault((edge, lesson.hits), set())
        if len(ways) < _MOST_WAYS:
            ways.add((lesson.hit, count - 1 - lesson.hit))

    def _forget(self) -> None:
        if len(self._alike) > _MOST_BLOCKS:
            self._alike.popitem(last=False)
        if len(self._ways) > _MOST_VARIANTS:
            self._ways.clear()


def _confirm(alike: _Alike, owner: int, level: str | None, lines: list[bytes], event: Event) -> bool:
    """Find the known block that says the same as this one; what differs does not matter from now on."""
    for known in alike.known.values():
        if (known.owner, known.level) != (owner, level) or not _says_the_same(known, lines, event):
            continue
        differing = _differing(known.lines, lines)
        if differing is None:
            continue
        if any(not parts <= alike.free.get(index, frozenset()) for index, parts in differing.items()):
            alike.release(differing)
        common = dict(known.event.attributes.items() & event.attributes.items())
        known.event = replace(known.event, attributes=common)
        known.readings += 1
        return True
    return False


def _differing(known: list[bytes], lines: list[bytes]) -> dict[int, frozenset[int]] | None:
    """Return which parts of which lines differ; None when more than numbers do."""
    found: dict[int, frozenset[int]] = {}
    for index, (one, other) in enumerate(zip(known, lines, strict=True)):
        if one == other:
            continue
        parts, others = VARYING.split(one), VARYING.split(other)
        if len(parts) != len(others) or parts[::2] != others[::2]:
            return None
        found[index] = frozenset(at for at in range(1, len(parts), 2) if parts[at] != others[at])
    return found


def _add(alike: _Alike, owner: int, level: str | None, lines: list[bytes], event: Event) -> None:
    if event.message != event.exceptions[0].message or len(alike.known) >= _MOST_VARIANTS:
        return
    spots = _spots(lines, event)
    known = Known(owner, level, lines, event, spots, _needles(event, spots))
    alike.known[alike.key(lines, level)] = known


def lesson(data: bytes, start: int, end: int, hit: int, hits: Hits) -> Lesson | None:
    """Return what is seen of the block from ``start`` to ``end``, None while nothing comes after it."""
    if end >= len(data):
        return None
    return Lesson(data[start:end], data.count(b"\n", start, hit), hits, _head(data, end))


def _head(data: bytes, at: int) -> bytes:
    return data[at : at + _EDGE].partition(b"\n")[0].translate(None, _NUMBERS)


def _edge(data: bytes, line: int, end: int) -> bytes:
    """Return how a line ends and the next one begins: by that a line of a known block is known."""
    return data[max(line, end - _EDGE // 2) : end].translate(None, _NUMBERS) + _head(data, end)


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
    return bool(of.headline) == bool(event.headline) and event.message == event.exceptions[0].message


def _spots(lines: list[bytes], event: Event) -> list[Spot | None]:
    """Return where each message stands, up to the end of its line; None for those that stay as they are."""
    texts = [decode_line(line) for line in lines]
    return [_spot(texts, raised.message) for raised in event.exceptions]


def _spot(texts: list[str], message: str) -> Spot | None:
    if not _has_digit(message):
        return None
    found = [index for index, text in enumerate(texts) if text.endswith(message)]
    if len(found) != 1:
        return None
    column = len(texts[found[0]]) - len(message)
    # The column would move with numbers before it.
    return None if _has_digit(texts[found[0]][:column]) else (found[0], column)


def _text(lines: list[bytes], spot: Spot) -> str:
    return decode_line(lines[spot[0]])[spot[1] :]


def _needles(event: Event, spots: list[Spot | None]) -> tuple[bytes, ...]:
    """Return the types and the lines of messages that hold a number and have to stay as they are."""
    fixed = [one.message for one, spot in zip(event.exceptions, spots, strict=True) if spot is None]
    texts = {one.type for one in event.exceptions}.union(*(message.split("\n") for message in fixed))
    return tuple(text.strip().encode() for text in sorted(texts) if _has_digit(text))


def _has_digit(text: str) -> bool:
    return any(letter.isdigit() for letter in text)
