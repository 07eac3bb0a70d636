"""What the first lines of blocks add to their events: a time, a level, attributes.

The first line of a block is the logging line that introduced it, or its own first line behind an
envelope. Both change more often than the trace below them, so they are remembered apart from it.
"""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.records import Event
from aiops_core.text.envelope import Envelope, parse_envelope
from aiops_core.text.timestamps import match_time, to_moment
from aiops_core.text.unwrap import decode_line

VARYING = re.compile(
    rb"([0-9a-f](?:(?<=[0-9])(?<![A-Za-z_].)[0-9A-Za-z_]*|(?<=\b[a-f])(?=[a-f]*[0-9])[0-9a-f]{5,}\b))"
)
"""A number, with its unit; or an id. Splitting by it gives what stays at even places.

What it may begin with comes first: all else is passed over at once.
"""
NEVER = -(1 << 60)
"""Readings of what cannot be relied on."""
_WORD = re.compile(rb"[A-Za-z_][A-Za-z_-]*")
_TIME_WITHIN = 48
_MOST = 4096
_MOST_WORDS = 8
"""Words of a first line that may stand before the trace, though not before every trace of its kind."""


class Told(Struct, frozen=True):
    """What the envelope of a first line told: its level, and attributes."""

    level: str | None
    attributes: Mapping[str, str]


class Opening(Struct, eq=False):
    """What first lines that differ in numbers alone have in common."""

    level: str | None
    time: int | None
    """The column where the time stands."""
    rest: tuple[int, int]
    """Where the trace itself begins: in which part of the line, and at which of its bytes."""
    attributes: Mapping[str, str]
    readings: int = 1

    @property
    def is_reliable(self) -> bool:
        """Whether two blocks that were read in full had it alike."""
        return self.readings >= 2

    def confirm(self, other: Opening) -> bool:
        """Compare with what another block with this first line had; say whether it may be relied on."""
        if (self.level, self.time) != (other.level, other.time):
            self.readings = NEVER
        self.attributes = dict(self.attributes.items() & other.attributes.items())
        self.readings += 1
        return self.readings > 0

    def cut(self, parts: list[bytes]) -> bytes:
        """Return what a first line holds of the trace, nothing of a logging line."""
        part, at = self.rest
        return b"".join([parts[part][at:], *parts[part + 1 :]])

    def moment(self, line: bytes, zone: tzinfo) -> datetime | None:
        """Return the time a first line names."""
        return None if self.time is None else moment_at(line, self.time, zone)


class Openings:
    """The first lines that are known, by what of them stays."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Take times that name no zone as of ``zone``."""
        self._zone = zone
        self._known: OrderedDict[bytes, dict[tuple[int, int], Opening]] = OrderedDict()
        self._prefixes: set[bytes] = set()
        """What stood before the own first lines of traces."""
        self._shapes: defaultdict[bytes, set[bytes]] = defaultdict(set)
        """By own first lines: what stood before them, but for its words."""

    def find(self, line: bytes, rests: Iterable[bytes]) -> list[tuple[Opening, bytes]]:
        """Return what is known of a first line, and what of it then belongs to the trace.

        ``rests`` are what that may be where the line itself is not known: a prefix that stood before other
        traces, of the shape of one that stood before this one, stands before this one too.
        """
        parts = VARYING.split(line)
        known = self._known.get(_lasting(parts))
        if known is None:
            known = {opening.rest: opening for opening in self._as_others(line, parts, rests)}
            if known:
                self._forget()
                self._known[_lasting(parts)] = known
        return [
            (opening, opening.cut(parts))
            for opening in known.values()
            if opening.is_reliable or self._is_confirmed(opening, line, opening.cut(parts))
        ]

    def own(self, line: bytes, rest: str, told: Told, event: Event) -> str:
        """Return ``rest``, what a first line holds of the trace, without words that stood before other traces too.

        They have to add nothing: what stands before the trace tells the same with them, and the event has none
        of them.
        """
        start = len(line) - len(rest.encode())
        spaces = islice(re.finditer(b" ", line[start:]), _MOST_WORDS) if start > 0 else ()
        for end in reversed([start + space.end() for space in spaces]):
            if _lasting(VARYING.split(line[:end])) not in self._prefixes:
                continue
            envelope, alone = self._told(line, line[end:])
            words, own = decode_line(line[start:end]).strip(), decode_line(line[end:])
            if (alone, envelope.occurred_at) == (told, event.occurred_at) and _is_apart(words, own, event):
                return own
        return rest

    def learn(self, line: bytes, rest: str, told: Told, time: datetime | None) -> bytes | None:
        """Note what a first line said, and return ``rest``, what it holds of the trace, as it lies there.

        None when what is said cannot be relied on.
        """
        opening, own = opening_of(line, rest, told, time, self._zone), rest.encode()
        if opening is None:
            return None
        self._forget()
        known = self._known.setdefault(_lasting(VARYING.split(line)), {})
        before = known.setdefault(opening.rest, opening)
        if before is not opening and not before.confirm(opening):
            return None
        if 0 < len(own) < len(line):
            prefix = _lasting(VARYING.split(line[: -len(own)]))
            self._prefixes.add(prefix)
            self._shapes[_lasting(VARYING.split(own))].add(_shape(prefix))
        return own

    def _forget(self) -> None:
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        if len(self._prefixes) > _MOST or len(self._shapes) > _MOST:
            self._prefixes.clear()
            self._shapes.clear()

    def _told(self, line: bytes, rest: bytes) -> tuple[Envelope, Told]:
        head = decode_line(line.removesuffix(rest) or line)
        envelope = parse_envelope(head, zone=self._zone)
        return envelope, told_by(envelope)

    def _is_confirmed(self, opening: Opening, line: bytes, rest: bytes) -> bool:
        """Read again what stands before a trace, where it stood before one that was read in full."""
        if opening.readings != 1:
            return False
        envelope, told = self._told(line, rest)
        if (told.level, envelope.occurred_at) != (opening.level, opening.moment(line, self._zone)):
            return False
        return opening.confirm(replace(opening, attributes=told.attributes))

    def _as_others(self, line: bytes, parts: list[bytes], rests: Iterable[bytes]) -> Iterator[Opening]:
        for rest in rests:
            split = VARYING.split(rest)
            own = _end_like(parts, split)
            if not own or len(own) == len(line):
                continue
            prefix = _lasting(VARYING.split(line[: -len(own)]))
            if prefix in self._prefixes and _shape(prefix) in self._shapes.get(_lasting(split), ()):
                envelope, told = self._told(line, own)
                opening = opening_of(line, decode_line(own), told, envelope.occurred_at, self._zone)
                if opening is not None:
                    yield replace(opening, readings=2)


def told_by(envelope: Envelope) -> Told:
    """Return what an envelope tells of the event behind it."""
    level = envelope.severity if envelope.severity in {"critical", "error", "warning"} else None
    return Told(level, envelope.attributes)


def _is_apart(words: str, rest: str, event: Event) -> bool:
    """Tell whether an event has nothing of these words, and its type or a message of what is left of the line."""
    texts = [text for one in event.exceptions for text in (one.type, *one.message.split("\n")) if text]
    frames = [text for frame in event.frames for text in (frame.function, frame.module, frame.file)]
    is_said = any(words in text for text in (*texts, *frames)) or any(text in words for text in texts)
    return not is_said and any(text in rest for text in texts)


def _lasting(parts: list[bytes]) -> bytes:
    """Return what stays of a line that was split by what varies."""
    return b"\0".join(parts[::2])


def _shape(prefix: bytes) -> bytes:
    return _WORD.sub(b"w", prefix)


def _end_like(parts: list[bytes], rest: list[bytes]) -> bytes:
    """Return the end of a line that is like ``rest`` but for what varies; nothing where it ends otherwise."""
    end = parts[-len(rest) :]
    is_like = len(end) == len(rest) and end[2::2] == rest[2::2] and end[0].endswith(rest[0])
    return b"".join([rest[0], *end[1:]]) if is_like else b""


def opening_of(line: bytes, rest: str, told: Told, time: datetime | None, zone: tzinfo) -> Opening | None:
    """Return what a first line said that ends with ``rest``, None where that cannot be told."""
    parts, column, raw = VARYING.split(line), _column(line, time, zone), rest.encode()
    place = _place(parts, len(line) - len(raw))
    is_inside_number = place[0] % 2 == 1 and place[1] > 0
    if not line.endswith(raw) or is_inside_number or (column is None and time is not None):
        return None
    return Opening(told.level, column, place, told.attributes)


def moment_at(line: bytes, column: int, zone: tzinfo) -> datetime | None:
    """Return the time that stands in a raw line at a column of its text."""
    found = match_time(decode_line(line), column)
    return to_moment(found, zone=zone) if found else None


def _column(line: bytes, time: datetime | None, zone: tzinfo) -> int | None:
    if time is None:
        return None
    columns = range(min(len(line), _TIME_WITHIN))
    return next((at for at in columns if moment_at(line, at, zone) == time), None)


def _place(parts: list[bytes], at: int) -> tuple[int, int]:
    """Return in which part of a line a byte stands, and where in it."""
    for index, part in enumerate(parts):
        if at < len(part) or index == len(parts) - 1:
            return index, at
        at -= len(part)
    raise AssertionError("a line has at least one part")
