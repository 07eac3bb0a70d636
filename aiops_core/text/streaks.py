"""Recognise known blocks that follow each other without a gap: in a storm hardly anything else comes.

Of a known block and its opening a pattern is made that accepts what `Repeats.find` finds, or less of
it, never more; where one block ends the next is tried at once. A block that other triggers hit than
the one the pattern was made of is left to be looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TypeAlias

from aiops_core.text.block_patterns import Match, opening_pattern, pattern_behind
from aiops_core.text.known_blocks import EDGE, NUMBERS, Known, head_at
from aiops_core.text.openings import Opening, moment_at
from aiops_core.text.repeats import Found, Repeat

_MOST_SHAPES = 1024
_MOST_KINDS = 4096
_MOST_ALIKE = 8

Places: TypeAlias = list[tuple[bytes, int]]
"""Of blocks of one kind and minute: the seconds of the time each names, and where it starts."""


@dataclass(slots=True, eq=False)
class _Shape:
    """An opening as a pattern, and the blocks that follow it."""

    opening: Opening
    match: Match
    kinds: dict[int, dict[bytes, list[Kind]]] = field(default_factory=dict)
    """By the length of what never changes after the opening, and by that."""
    known: set[Known] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Kind:
    """The blocks that open alike and say the same: after the ``fixed`` bytes comes what ``rest`` matches."""

    shape: _Shape
    known: Known
    heads: set[bytes]
    fixed: bytes
    rest: Match
    triggers: list[int]

    def attributes(self, around: Mapping[str, str]) -> Mapping[str, str]:
        """Return those of every such event, with those of the batch it came in."""
        return {**self.known.event.attributes, **self.shape.opening.attributes, **around}

    def take_back(self) -> None:
        """Recognise such blocks no more."""
        self.shape.kinds[len(self.fixed)][self.fixed].remove(self)
        self.shape.known.discard(self.known)


Group: TypeAlias = tuple[Kind, bytes, bytes]
"""What blocks have in common that are counted as one: their kind, and the time round its seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Streak:
    """Known blocks with nothing between them. ``start`` and ``end`` are of the stream, places of ``data``."""

    start: int
    end: int
    data: bytes
    base: int
    groups: Mapping[Group, Places]
    zone: tzinfo

    def repeats(self) -> Iterator[Repeat]:
        """Yield every block, in order."""
        kinds = {place: kind for (kind, _, _), places in self.groups.items() for _, place in places}
        for place in sorted(kinds):
            yield self.repeat(kinds[place], place)

    def repeat(self, kind: Kind, place: int) -> Repeat:
        """Return the block at a place."""
        opened = kind.shape.match(self.data, place)
        rest = opened and kind.rest(self.data, opened.end() + len(kind.fixed))
        assert opened and rest, "what was recognised once is recognised again"
        lines = self.data[opened.end() : rest.end() - 1].split(b"\n")
        body, at = self.data[place : rest.end()], place + self.base
        return Repeat(kind.known, kind.shape.opening, lines, at, at + len(body), body, self.zone)

    def moment(self, kind: Kind, before: bytes, second: bytes, after: bytes) -> datetime | None:
        """Return the time that a block of a kind names, given its parts."""
        is_timed = kind.shape.opening.time is not None
        return moment_at(before + second + after + b" ", 0, self.zone) if is_timed else None


class Streaks:
    """The patterns of known blocks, of all streams with one grammar."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Take times that name no zone as of ``zone``."""
        self._zone = zone
        self._shapes: dict[Opening, _Shape | None] = {}
        self._looks: dict[bytes, list[_Shape]] = {}
        """By what first lines have besides numbers."""
        self._count = 0

    def learn(self, found: Found, body: bytes, triggers: list[int]) -> None:
        """Note what a block looks like that was found to be known, and which triggers hit it."""
        first = body.partition(b"\n")[0]
        shape = self._shape(found.opening, first, found.lines[0])
        if shape is None:
            return
        looks = self._looks.setdefault(first.translate(None, NUMBERS), [])
        if shape not in looks:
            looks.append(shape)
        if found.known not in shape.known:
            shape.known.add(found.known)
            self._add(shape, found, triggers)

    def _shape(self, opening: Opening, first: bytes, rest: bytes) -> _Shape | None:
        if opening not in self._shapes:
            if (
                len(self._shapes) > _MOST_SHAPES
                or len(self._looks) > _MOST_SHAPES
                or self._count > _MOST_KINDS
            ):
                self._forget()
            match = opening_pattern(first, len(first) - len(rest), opening.time)
            self._shapes[opening] = None if match is None else _Shape(opening, match)
        return self._shapes[opening]

    def _forget(self) -> None:
        self._shapes.clear()
        self._looks.clear()
        self._count = 0

    def _add(self, shape: _Shape, found: Found, triggers: list[int]) -> None:
        behind = pattern_behind(found)
        if behind is None:
            return
        kind = Kind(shape, found.known, found.alike.heads, *behind, triggers)
        same = shape.kinds.setdefault(len(kind.fixed), {}).setdefault(kind.fixed, [])
        if len(same) < _MOST_ALIKE:
            self._count += 1
            same.append(kind)
            found.known.built_on.append(kind.take_back)

    def follow(
        self, data: bytes, base: int, at: int, places: Sequence[int], triggers: Sequence[int]
    ) -> Streak | None:
        """Return the known blocks that follow each other from the place ``at`` on.

        ``places`` and ``triggers`` say where in the stream which trigger hit, in ascending order.
        """
        groups: dict[Group, Places] = {}
        start, hit, size = at, bisect_left(places, at + base), len(data)
        while (found := self._at(data, at)) is not None:
            kind, (minute, seconds, zone), end = found
            next_hit = bisect_left(places, end + base, hit)
            if triggers[hit:next_hit] != kind.triggers or end >= size:
                break
            head = data[end : end + EDGE].translate(None, NUMBERS)
            if head not in kind.heads and head_at(data, end) not in kind.heads:
                break
            blocks = groups.get((kind, minute, zone))
            if blocks is None:
                groups[kind, minute, zone] = [(seconds, at)]
            else:
                blocks.append((seconds, at))
            at, hit = end, next_hit
        for (kind, _, _), blocks in groups.items():
            kind.known.repeats += len(blocks)
        return Streak(start + base, at + base, data, base, groups, self._zone) if groups else None

    def _at(self, data: bytes, at: int) -> tuple[Kind, tuple[bytes, ...], int] | None:
        """Return which kind of block stands at a place, the parts of its time, and where it ends.

        One that is due to be read again is passed over.
        """
        for shape in self._looks.get(data[at : data.find(b"\n", at)].translate(None, NUMBERS), ()):
            opened = shape.match(data, at)
            if opened is None or shape.opening.readings < 2:
                continue
            body = opened.end()
            for length, kinds in shape.kinds.items():
                for kind in kinds.get(data[body : body + length], ()):
                    rest = kind.rest(data, body + length)
                    if rest is not None and kind.known.repeats + 1 < kind.known.due:
                        return kind, opened.groups(), rest.end()
        return None
