"""Recognise known blocks that follow each other: in a storm hardly anything else comes.

Of a known block and its opening patterns are made that accept what `Repeats.find` finds, or less of
it, never more; where one block ends the next is tried at once. A block that other triggers hit than
the one the patterns were made of is left to be looked at.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from operator import methodcaller
from typing import TypeAlias

from aiops_core.text.block_patterns import Parts, form_pattern, opening_pattern, parts_behind
from aiops_core.text.branches import Branches
from aiops_core.text.known_blocks import EDGE, NUMBERS, Known, head_at
from aiops_core.text.openings import Opening, moment_at
from aiops_core.text.repeats import Found, Repeat

_MOST_SHAPES = 1024
_MOST_KINDS = 4096
_WORTH_IT = 8
"""Runs of blocks of one form that are looked at alone before a pattern is made for them."""

Times: TypeAlias = tuple[bytes, ...]
"""What the times of blocks have round their seconds: what stands before them, and after."""


@dataclass(slots=True, eq=False)
class _Shape:
    """An opening as a pattern, and the blocks that follow it."""

    opening: Opening
    pattern: re.Pattern[bytes]
    kinds: Branches[Kind] = field(default_factory=Branches)
    forms: dict[tuple[object, ...], _Form] = field(default_factory=dict)
    known: set[Known] = field(default_factory=set)

    def form(self, parts: Parts) -> _Form:
        """Return the form of blocks with such parts."""
        key = (*map(len, parts.texts), *parts.numbers)
        form = self.forms.get(key)
        if form is None:
            form = self.forms[key] = _Form(self.pattern.pattern, parts)
        return form

    def find(self, data: bytes, at: int) -> Kind | None:
        """Return the kind of block that stands at a place."""
        opened = self.pattern.match(data, at)
        return None if opened is None else self.kinds.find(data, opened.end())


@dataclass(slots=True, eq=False)
class _Form:
    """Blocks that open alike with parts of the same lengths: ``pattern`` matches them whatever they say."""

    opening: bytes
    parts: Parts
    kinds: dict[object, Kind] = field(default_factory=dict)
    """By what never changes in their blocks."""
    found: int = 0
    _pattern: re.Pattern[bytes] | None = None

    def is_wanted(self) -> bool:
        """Count one more run that begins with such a block; tell whether a pattern pays."""
        self.found += 1
        return self.found > _WORTH_IT

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """The pattern, whose groups from the fourth on are the parts."""
        if self._pattern is None:
            self._pattern = form_pattern(self.opening, self.parts)
        return self._pattern

    @property
    def texts(self) -> Callable[[re.Match[bytes]], object]:
        """What of a match never changes in blocks of one kind."""
        return methodcaller("group", *range(4, 4 + len(self.parts.texts)))


@dataclass(slots=True, eq=False)
class Kind:
    """The blocks that open alike and say the same."""

    shape: _Shape
    form: _Form
    known: Known
    heads: set[bytes]
    parts: Parts
    triggers: list[int]
    is_chained: bool = False
    """Whether a block that opens like this one is known to come after it."""

    def attributes(self, around: Mapping[str, str]) -> Mapping[str, str]:
        """Return those of every such event, with those of the batch it came in."""
        return {**self.known.event.attributes, **self.shape.opening.attributes, **around}

    def put(self) -> None:
        """Recognise such blocks."""
        self.shape.kinds.put(self.parts, self)
        self.form.kinds[self._texts] = self

    def take_back(self) -> None:
        """Recognise such blocks no more."""
        self.shape.kinds.take_back(self.parts, self)
        self.shape.known.discard(self.known)
        if self.form.kinds.get(self._texts) is self:
            del self.form.kinds[self._texts]

    @property
    def _texts(self) -> object:
        texts = self.parts.texts
        return texts if len(texts) > 1 else texts[0]

    def is_due(self) -> bool:
        """Tell whether the next such block should be read, or nothing can be relied on yet."""
        return self.known.repeats + 1 >= self.known.due or self.shape.opening.readings < 2

    def may_end(self, data: bytes, at: int) -> bool:
        """Tell whether the line at a place is known to come after such a block."""
        if at >= len(data):
            return False
        head = data[at : at + EDGE].translate(None, NUMBERS)
        if head not in self.heads and head_at(data, at) not in self.heads:
            return False
        self.is_chained = self.is_chained or self.shape.pattern.match(data, at) is not None
        return True


@dataclass(slots=True)
class Blocks:
    """Blocks of one kind and minute: the seconds of the time each names, and where it starts."""

    seconds: list[bytes]
    places: list[int]


@dataclass(frozen=True, slots=True, eq=False)
class Streak:
    """Known blocks that follow each other. ``start`` and ``end`` are of the stream, places of ``data``."""

    start: int
    end: int
    data: bytes
    base: int
    groups: Mapping[tuple[Kind, Times], Blocks]
    zone: tzinfo

    def __len__(self) -> int:
        return sum(len(blocks.places) for blocks in self.groups.values())

    def repeats(self) -> Iterator[Repeat]:
        """Yield every block, in order."""
        kinds = {place: kind for (kind, _), blocks in self.groups.items() for place in blocks.places}
        for place in sorted(kinds):
            yield self.repeat(kinds[place], place)

    def repeat(self, kind: Kind, place: int) -> Repeat:
        """Return the block at a place."""
        found = kind.form.pattern.match(self.data, place)
        assert found, "what was recognised once is recognised again"
        first, end = found.start(4), found.end()
        lines, body, at = self.data[first : end - 1].split(b"\n"), found[0], place + self.base
        return Repeat(kind.known, kind.shape.opening, lines, at, at + len(body), body, self.zone)

    def moment(self, kind: Kind, times: Times, seconds: bytes) -> datetime | None:
        """Return the time that a block of a kind names, given its parts."""
        is_timed = kind.shape.opening.time is not None
        return moment_at(times[0] + seconds + times[1] + b" ", 0, self.zone) if is_timed else None


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
            pattern = opening_pattern(first, len(first) - len(rest), opening.time)
            self._shapes[opening] = None if pattern is None else _Shape(opening, pattern)
        return self._shapes[opening]

    def _forget(self) -> None:
        self._shapes.clear()
        self._looks.clear()
        self._count = 0

    def _add(self, shape: _Shape, found: Found, triggers: list[int]) -> None:
        parts = parts_behind(found)
        if parts is not None:
            kind = Kind(shape, shape.form(parts), found.known, found.alike.heads, parts, triggers)
            kind.put()
            found.known.built_on.append(kind.take_back)
            self._count += 1

    def follow(
        self, data: bytes, base: int, at: int, places: Sequence[int], triggers: Sequence[int]
    ) -> Streak | None:
        """Return the known blocks that follow each other from the place ``at`` on.

        ``places`` and ``triggers`` say where in the stream which trigger hit, in ascending order.
        """
        walk = _Walk(data, base, at, places, triggers, bisect_left(places, at + base))
        next_kind = self._at(data, at)
        while next_kind is not None and next_kind.form.is_wanted() and walk.run(next_kind.form):
            next_kind = self._at(data, walk.at) or self._behind_lines(walk)
        for (kind, _), blocks in walk.groups.items():
            kind.known.repeats += len(blocks.places)
        end = walk.end + base
        return Streak(at + base, end, data, base, walk.groups, self._zone) if walk.groups else None

    def _at(self, data: bytes, at: int) -> Kind | None:
        """Return the kind of block that stands at a place, whatever it opens with."""
        for shape in self._looks.get(data[at : data.find(b"\n", at)].translate(None, NUMBERS), ()):
            kind = shape.find(data, at)
            if kind is not None:
                return kind
        return None

    def _behind_lines(self, walk: _Walk) -> Kind | None:
        """Go on behind lines that nothing hit, to a block that such a line cannot belong to."""
        if walk.hit == len(walk.places):
            return None
        line = walk.data.rfind(b"\n", walk.at, walk.places[walk.hit] - walk.base) + 1
        for place in (line, walk.data.rfind(b"\n", walk.at, max(line - 1, walk.at)) + 1):
            kind = self._at(walk.data, place) if place > walk.at else None
            if kind is not None and kind.known.event.headline:
                walk.at = place
                return kind
        return None


@dataclass(slots=True)
class _Walk:
    """A walk from block to block, ``at`` the next one, whose first hit is number ``hit``."""

    data: bytes
    base: int
    at: int
    places: Sequence[int]
    triggers: Sequence[int]
    hit: int
    end: int = 0
    groups: dict[tuple[Kind, Times], Blocks] = field(default_factory=dict)

    def run(self, form: _Form) -> bool:
        """Go on over blocks of one form; tell whether there may be more behind them."""
        match, texts, kinds, groups = form.pattern.match, form.texts, form.kinds, self.groups
        data, base, places, triggers = self.data, self.base, self.places, self.triggers
        at, hit, last = self.at, self.hit, None
        while (found := match(data, at)) is not None and (kind := kinds.get(texts(found))) is not None:
            end = found.end()
            next_hit = bisect_left(places, end + base, hit)
            if triggers[hit:next_hit] != kind.triggers or not (kind.is_chained or kind.may_end(data, end)):
                break
            group = (kind, found.group(1, 3))
            blocks = groups.get(group)
            if blocks is None:
                if kind.is_due():
                    break
                blocks = groups[group] = Blocks([], [])
            blocks.seconds.append(found[2])
            blocks.places.append(at)
            at, hit, last = end, next_hit, group
        is_over = last is None or (found is not None and kind is not None)
        if last is not None and not last[0].may_end(data, at):
            at, is_over = self._take_back(last), True
        self.at, self.end, self.hit = at, at, hit
        return not is_over

    def _take_back(self, group: tuple[Kind, Times]) -> int:
        """Forget the last block; return where it stood."""
        blocks = self.groups[group]
        blocks.seconds.pop()
        if len(blocks.places) == 1:
            del self.groups[group]
        return blocks.places.pop()
