"""Recognise known blocks that follow each other: in a storm hardly anything else comes.

Of a known block and its opening patterns are made that accept what `Repeats.find` finds, or less of
it, never more; where one block ends the next is tried at once. A block that other triggers hit than
the one the patterns were made of is left to be looked at.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import accumulate, chain, islice
from operator import ge, lt
from typing import ClassVar, NamedTuple, TypeAlias, cast

from msgspec import Struct, field

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


class _Shape(Struct, eq=False):
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


class _Form(Struct, eq=False):
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
        """The pattern, see `form_pattern`."""
        if self._pattern is None:
            self._pattern = form_pattern(self.opening, self.parts)
        return self._pattern

    def size(self, data: bytes, at: int) -> int:
        """Return how long the block at a place is, 0 where none stands."""
        found = self.pattern.match(data, at)
        return found.end() - at if found else 0

    def next(self, data: bytes, at: int, stop: int) -> _Next:
        """Return the blocks that stand between two places; what is between them is passed over."""
        found = self.pattern.findall(data, at, stop)
        if not found:
            return _Next((), (), [], [])
        wholes, minutes, seconds, zones, *texts = zip(*found, strict=True)
        said = texts[0] if len(texts) == 1 else zip(*texts, strict=True)
        return _Next(wholes, seconds, _times(minutes, zones), list(map(self.kinds.get, said)))


class _Next(NamedTuple):
    """Blocks of one form in order: what they are, the seconds of their times and what is round them."""

    wholes: Sequence[bytes]
    seconds: Sequence[bytes]
    times: list[Times]
    kinds: list[Kind | None]

    def follow_on(self, data: bytes, at: int) -> int:
        """Return how many of them follow each other from a place on and are of a kind that is known."""
        together = b"".join(self.wholes)
        count = self.kinds.index(None) if None in self.kinds else len(self.kinds)
        if data.startswith(together, at):
            return count
        for number, whole in enumerate(self.wholes[:count]):
            if not data.startswith(whole, at):
                return number
            at += len(whole)
        return count


def _times(minutes: Sequence[bytes], zones: Sequence[bytes]) -> list[Times]:
    """Return what the times of blocks have round their seconds, nearly always the same."""
    count = len(minutes)
    if minutes.count(minutes[0]) == count == zones.count(zones[0]):
        return [(minutes[0], zones[0])] * count
    return list(zip(minutes, zones, strict=True))


class Kind(Struct, eq=False):
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

    def moment(self, times: Times, seconds: bytes, zone: tzinfo) -> datetime | None:
        """Return the time that such a block names, given its parts."""
        is_timed = self.shape.opening.time is not None
        return moment_at(times[0] + seconds + times[1] + b" ", 0, zone) if is_timed else None

    def repeat(self, body: bytes, start: int, zone: tzinfo) -> Repeat:
        """Return such a block, given its bytes and where they start in the stream."""
        found = self.form.pattern.match(body)
        assert found, "what was recognised once is recognised again"
        lines = body[found.start(5) : -1].split(b"\n")
        return Repeat(self.known, self.shape.opening, lines, start, start + len(body), body, zone)

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


class Streak(Struct, frozen=True, eq=False):
    """Known blocks that follow each other, between two offsets of the stream; ``data`` begin at ``base``.

    Of each block, in order: its kind, the time it names in two parts, and where it starts in the stream.
    """

    start: int
    end: int
    data: bytes
    base: int
    kinds: list[Kind]
    times: list[Times]
    seconds: list[bytes]
    starts: list[int]
    zone: tzinfo
    is_settled: ClassVar[bool] = True
    """See `Repeat`: a streak only goes on where nothing is open."""

    def __len__(self) -> int:
        return len(self.kinds)

    def repeats(self) -> Iterator[Repeat]:
        """Yield every block, in order."""
        for kind, start in zip(self.kinds, self.starts, strict=True):
            yield kind.repeat(self.body(kind, start), start, self.zone)

    def body(self, kind: Kind, start: int) -> bytes:
        """Return the bytes of the block of a kind that starts at an offset."""
        at = start - self.base
        return self.data[at : at + kind.form.size(self.data, at)]


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
        while next_kind is not None and next_kind.form.is_wanted():
            walk.run(next_kind.form)
            if walk.is_over:
                break
            next_kind = self._at(data, walk.at) or self._behind_lines(walk)
        if not walk.kinds:
            return None
        for kind, count in Counter(walk.kinds).items():
            kind.known.repeats += count
        found = (walk.kinds, walk.times, walk.seconds, walk.starts)
        return Streak(at + base, walk.end + base, data, base, *found, self._zone)

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


class _Walk(Struct):
    """A walk from block to block, ``at`` the next one, whose first hit is number ``hit``."""

    data: bytes
    base: int
    at: int
    places: Sequence[int]
    triggers: Sequence[int]
    hit: int
    end: int = 0
    kinds: list[Kind] = field(default_factory=list)
    times: list[Times] = field(default_factory=list)
    seconds: list[bytes] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    is_over: bool = False
    """Whether a block came that is to be looked at."""
    _met: set[Kind] = field(default_factory=set)

    def run(self, form: _Form) -> None:
        """Go on over blocks of one form, more of them at a time as long as nothing else comes."""
        before = len(self.kinds)
        size = 2 * form.size(self.data, self.at)
        while self._take(form.next(self.data, self.at, self.at + size)):
            size *= 2
        if len(self.kinds) == before:
            self.is_over = True
        elif not self.kinds[-1].may_end(self.data, self.at):
            self._take_back()
            self.is_over = True
        self.end = self.at

    def _take(self, found: _Next) -> bool:
        """Count the blocks that follow each other; tell whether all did."""
        count = found.follow_on(self.data, self.at)
        kinds = cast("list[Kind]", found.kinds[:count])
        starts = list(accumulate(map(len, found.wholes), initial=self.at + self.base))
        sure = self._undisturbed(kinds, starts)
        self.is_over = sure < count
        self.kinds += kinds[:sure]
        self.times += found.times[:sure]
        self.seconds += found.seconds[:sure]
        self.starts += starts[:sure]
        self.at = starts[sure] - self.base
        return 0 < sure == len(found.kinds)

    def _take_back(self) -> None:
        """Forget the last block."""
        self.at = self.starts.pop() - self.base
        for column in (self.kinds, self.times, self.seconds):
            column.pop()

    def _undisturbed(self, kinds: list[Kind], starts: list[int]) -> int:
        """Return of how many blocks nothing but their kind has to be known."""
        count = len(kinds)
        if not self._met.issuperset(kinds):
            firsts = dict(zip(reversed(kinds), range(count - 1, -1, -1), strict=True))
            for kind in firsts.keys() - self._met:
                end = starts[firsts[kind] + 1] - self.base
                if kind.is_due() or not (kind.is_chained or kind.may_end(self.data, end)):
                    count = min(count, firsts[kind])
            self._met.update(kinds[:count])
        return self._hit_as_known(kinds[:count], starts)

    def _hit_as_known(self, kinds: list[Kind], starts: list[int]) -> int:
        """Return how many blocks were hit by the triggers that hit their kind, and pass over these hits."""
        expected = [kind.triggers for kind in kinds]
        after = list(accumulate(map(len, expected), initial=0))
        stop = bisect_left(self.places, starts[len(kinds)], self.hit)
        places = self.places[self.hit : stop]
        count = len(kinds)
        if (
            after[-1] != len(places)
            or self.triggers[self.hit : stop] != list(chain.from_iterable(expected))
            or not all(map(ge, map(places.__getitem__, after[:-1]), starts))
            or not all(map(lt, map([0, *places].__getitem__, after[1:]), islice(starts, 1, None)))
        ):
            count = self._until_hit_otherwise(expected, starts)
        self.hit += after[count]
        return count

    def _until_hit_otherwise(self, expected: list[list[int]], starts: list[int]) -> int:
        """Return how many blocks come before the first one that other triggers hit."""
        hit = self.hit
        for number, triggers in enumerate(expected):
            next_hit = bisect_left(self.places, starts[number + 1], hit)
            if self.triggers[hit:next_hit] != triggers:
                return number
            hit = next_hit
        return len(expected)
