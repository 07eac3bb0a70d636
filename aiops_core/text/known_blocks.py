"""The blocks that were read, by what of them matters.

Which numbers in a block do not matter is learned, never guessed: a line may differ only after two
blocks that differ there were read in full and said the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.records import Event
from aiops_core.text.openings import NEVER, VARYING
from aiops_core.text.unwrap import decode_line

NUMBERS = b"0123456789abcdef"
"""What numbers are written with: without it lines that differ in ids alone are equal."""
EDGE = 24
"""Bytes after the end of a line by which a place is known again."""
_MOST_VARIANTS = 4096
_LATEST = 8
"""First lines that a line that is not known itself is compared with."""
_MOST_HEADS = 64
_LETTER = re.compile(rb"[A-Za-z0-9\x80-\xff]")
_READ_AGAIN = 256
"""Repeats after which a known block is read again; then after so many times as many each time."""

Spot: TypeAlias = tuple[int, int, int]
"""A line of a block, and how many of its characters stand before and after what is meant."""
Hits: TypeAlias = tuple[int, ...]
"""The triggers that hit one line, ascending."""


class Lesson(Struct, frozen=True):
    """What the cutter saw of a block: its bytes, which line was hit first and by what, what came after and before."""

    body: bytes
    hit: int
    hits: Hits
    head: bytes
    above: bytes


class Known(Struct, eq=False):
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
    built_on: list[Callable[[], None]] = field(default_factory=list)
    """What takes back what was made of this: called when it holds no more."""

    def withdraw(self) -> None:
        """Let nothing rely on what was made of this block."""
        for take_back in self.built_on:
            take_back()
        self.built_on.clear()

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
        self.due *= _READ_AGAIN
        return True


Key: TypeAlias = tuple[bytes, str | None]


class Alike(Struct):
    """The known blocks that are equal but for their numbers and their first lines."""

    free: dict[int, frozenset[int]] = field(default_factory=dict)
    """Of lines whose numbers do not all matter: which parts of them do not."""
    heads: set[bytes] = field(default_factory=set)
    """How lines began that came after such a block."""
    aboves: set[bytes] = field(default_factory=set)
    """Of what kind the lines above such a block were."""
    known: dict[Key, Known] = field(default_factory=dict)
    """By what matters."""
    _groups: defaultdict[bytes, list[Known]] = field(default_factory=lambda: defaultdict(list))
    """By what stays when all that may vary is left out."""

    def key(self, lines: list[bytes], level: str | None) -> Key:
        """Return what matters in a block."""
        if self.free:
            lines = lines.copy()
            for index, parts in self.free.items():
                split = VARYING.split(lines[index])
                lines[index] = b"\0".join([part for at, part in enumerate(split) if at not in parts])
        return b"\n".join(lines), level

    def firsts(self) -> Iterator[bytes]:
        """Yield how the first lines of the latest of these blocks begin the trace itself."""
        return (known.lines[0] for known in islice(reversed(self.known.values()), _LATEST))

    def learn(self, owner: int, level: str | None, lines: list[bytes], event: Event, lesson: Lesson) -> None:
        """Remember a block that was read, or confirm what is known of it."""
        if not self._confirm(owner, level, lines, event):
            self._add(owner, level, lines, event)
        if len(self.heads) < _MOST_HEADS:
            self.heads.add(lesson.head)
        self.aboves.add(lesson.above)

    def withdraw(self) -> None:
        """Let nothing rely on what was made of these blocks."""
        for known in self.known.values():
            known.withdraw()

    def forget_one(self) -> None:
        """Forget what was learned first."""
        self._forget(next(iter(self.known)))

    def _forget(self, key: Key) -> None:
        known = self.known.pop(key)
        by = lasting(known.lines)
        self._groups[by].remove(known)
        if not self._groups[by]:
            del self._groups[by]
        known.withdraw()

    def _confirm(self, owner: int, level: str | None, lines: list[bytes], event: Event) -> bool:
        """Find the known block that says the same as this one; what differs does not matter from now on."""
        for known in self._groups.get(lasting(lines), ()):
            if (known.owner, known.level) != (owner, level) or not _says_the_same(known, lines, event):
                continue
            differing = _differing(known.lines, lines)
            if differing is None or (differing and not event.frames):
                continue  # without frames a block is known by its message, in which a number may matter
            if any(not parts <= self.free.get(index, frozenset()) for index, parts in differing.items()):
                self._release(differing)
            common = dict(known.event.attributes.items() & event.attributes.items())
            known.event = replace(known.event, attributes=common)
            known.readings += 1
            return True
        return False

    def _add(self, owner: int, level: str | None, lines: list[bytes], event: Event) -> None:
        if event.message != event.exceptions[0].message:
            return
        if len(self.known) >= _MOST_VARIANTS:
            self.forget_one()
        spots, key = _spots(lines, event), self.key(lines, level)
        if key in self.known:
            self._forget(key)
        known = self.known[key] = Known(owner, level, lines, event, spots, _needles(event, spots))
        self._groups[lasting(lines)].append(known)

    def _release(self, parts: Mapping[int, frozenset[int]]) -> None:
        """Let these parts not matter; blocks that cannot be told apart then are dropped."""
        self.withdraw()
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
        self._groups.clear()
        for known in kept.values():
            self._groups[lasting(known.lines)].append(known)


def lasting(lines: list[bytes]) -> bytes:
    """Return what stays of lines when all that may vary is left out."""
    return b"\0".join(VARYING.split(b"\n".join(lines))[::2])


def lesson(data: bytes, start: int, end: int, hit: int, hits: Hits) -> Lesson | None:
    """Return what is seen of the block from ``start`` to ``end``, None while nothing comes after it."""
    if end >= len(data):
        return None
    return Lesson(
        data[start:end], data.count(b"\n", start, hit), hits, head_at(data, end), above_of(data, start)
    )


def above_of(data: bytes, start: int) -> bytes:
    """Return of what kind the line above a block is: one that opens something may make the block a part of it."""
    line = data[data.rfind(b"\n", 0, max(start - 1, 0)) + 1 : start].rstrip()
    if not line or line[:1].isspace():
        return line[:1]
    if line.endswith((b":", b"{", b"[", b"(", b",")):
        return line[-1:]
    return b"w" if _LETTER.search(line) else b"-"


def head_at(data: bytes, at: int) -> bytes:
    """Return how the line at a place begins, without its numbers."""
    return data[at : at + EDGE].partition(b"\n")[0].translate(None, NUMBERS)


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
        if other.message != (one.message if spot is None else text_at(lines, spot)):
            return False
    return bool(of.headline) == bool(event.headline) and event.message == event.exceptions[0].message


def _spots(lines: list[bytes], event: Event) -> list[Spot | None]:
    """Return where each message stands; None for those that stay as they are."""
    texts = [text_of(line) for line in lines]
    return [_spot(texts, raised.message) for raised in event.exceptions]


def _spot(texts: list[str], message: str) -> Spot | None:
    if not _has_digit(message):
        return None
    ends = [index for index, text in enumerate(texts) if text.endswith(message)]
    found = ends or [index for index, text in enumerate(texts) if text.count(message) == 1]
    if len(found) != 1:
        return None
    before, _, after = texts[found[0]].rpartition(message)
    # What stands before or after would move with the numbers in it.
    return None if _has_digit(before + after) else (found[0], len(before), len(after))


def text_at(lines: list[bytes], spot: Spot) -> str:
    """Return what stands at a place in a block."""
    line, before, after = spot
    text = text_of(lines[line])
    return text[before : len(text) - after]


def text_of(line: bytes) -> str:
    """Return the text of a line whose line feed was split off."""
    return decode_line(line + b"\n")


def _needles(event: Event, spots: list[Spot | None]) -> tuple[bytes, ...]:
    """Return the types and the lines of messages that hold a number and have to stay as they are."""
    fixed = [one.message for one, spot in zip(event.exceptions, spots, strict=True) if spot is None]
    texts = {one.type for one in event.exceptions}.union(*(message.split("\n") for message in fixed))
    return tuple(text.strip().encode() for text in sorted(texts) if _has_digit(text))


def _has_digit(text: str) -> bool:
    return any(letter.isdigit() for letter in text)
