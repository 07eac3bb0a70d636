"""Cut the blocks out of one physical stream: the hot path between a source and the detectors.

Chunks are scanned raw; lines are only looked at round a hit. What a detector claims becomes a
`Claim`; what might go on stays open, and the low-water mark stays before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.text.candidates import Candidate, Grammar, Place
from aiops_core.text.claims import Claim, block_of, is_whole, text_of
from aiops_core.text.examples import is_example
from aiops_core.text.held import Held, HeldLines
from aiops_core.text.hits import HitList
from aiops_core.text.introductions import (
    MOST_FIELDS,
    begins_record,
    may_introduce,
    says_no_more,
    start_of_record,
    start_with_headline,
)
from aiops_core.text.kept import Kept, first_lines
from aiops_core.text.known_blocks import Hits, Lesson
from aiops_core.text.known_blocks import lesson as learn_from
from aiops_core.text.repeats import Found, Repeat, RepeatedLine
from aiops_core.text.streaks import Streak

__all__ = ["Claim", "Cutter", "Following", "Grammar", "Piece"]

_SMALL = 64 * 1024


class _Silenced(Struct, frozen=True):
    """A trace that a silence closed, and what is needed to cut it again."""

    owner: int
    start: int
    line: int
    floor: int
    hits: list[int]


Piece: TypeAlias = Claim | Repeat | RepeatedLine | Streak
"""One block, read, or known already; or several known ones."""


class Following(Struct, frozen=True):
    """Lines that followed an earlier claim and arrived after it."""

    start: int
    lines: tuple[str, ...]


class Cutter:
    """Follow one physical stream and cut its blocks.

    All offsets are of the stream. ``low_water`` is the oldest byte still needed.
    """

    def __init__(self, grammar: Grammar, offset: int, *, before: int = 10, after: int = 5) -> None:
        self._grammar = grammar
        self._before = before
        self._after = after
        self._kept = Kept(offset, before=before)
        self._hits = HitList(grammar.alike)
        self._taken: set[int] = set()
        """Where lines start that belong to blocks of one of several writers, and pieces of lines that were read whole."""
        self._floors: dict[str, int] = {}
        """Where the last block of each writer ends."""
        self._held = HeldLines()
        self._silenced: dict[str, _Silenced] = {}
        self._retry_at = 0
        self._newest = offset
        """Where the data begin that came last."""
        self._waiting: list[tuple[int, int]] = []
        self.low_water = offset

    @property
    def is_open(self) -> bool:
        """Whether a block may still grow, or a line waits to see what follows it."""
        return self.low_water < self._kept.end

    def feed(self, data: bytes) -> tuple[Iterable[Piece], list[Following]]:
        """Take the next lines of the stream; return what is complete now, and late context.

        The claims are made while they are iterated, to the end: what one teaches serves the next.
        """
        late = self._follow(data) if self._waiting else []
        kept = self._kept
        hits = self._grammar.matcher.scan(data, kept.end)
        if not hits[0] and not self.is_open:
            kept.pass_over(data)
            self.low_water = kept.end
            return (), late
        self._hits.add(hits)
        self._newest = kept.end
        kept.append(data, hits[0][0] - kept.end if hits[0] else 0, is_open=self.is_open)
        if len(kept.data) < self._retry_at:
            return (), late
        return self._resolve(quiet_to=kept.base), late

    def flush(self, quiet_to: int | None = None) -> Iterable[Piece]:
        """Close what is open: the stream ended, or its writers were silent for long enough.

        ``quiet_to`` closes only what the writers added nothing to after that offset. The claims
        are made while they are iterated, to the end.
        """
        return (
            self._resolve(quiet_to=self._kept.end if quiet_to is None else quiet_to) if self.is_open else ()
        )

    def _follow(self, data: bytes) -> list[Following]:
        """Hand the lines after earlier claims out as they come."""
        late: list[Following] = []
        still: list[tuple[int, int]] = []
        for start, missing in self._waiting:
            lines = first_lines(data, 0, missing)
            late.append(Following(start, lines))
            if len(lines) < missing:
                still.append((start, missing - len(lines)))
        self._waiting = still
        return late

    def _resolve(self, *, quiet_to: int) -> Iterator[Piece]:
        """Claim what is complete; a writer who wrote nothing after ``quiet_to`` has nothing to add."""
        claims: list[Piece] = []
        passed: list[tuple[int, Hits]] = []
        open_from = self._kept.end
        for line, hits in self._hits.lines(self._kept):
            yield from claims
            claims.clear()
            if (
                line in self._taken
                or self._repeats(line, hits, claims)
                or self._holds_known(line, hits, claims)
            ):
                continue
            candidate = None if self._is_passed(line, hits) else self._best(line, hits, quiet_to)
            if candidate is None:
                passed.append((line, tuple(sorted(hits))))
                continue
            self._expire(claims, line)
            if candidate.is_open:
                open_from = self._start(candidate)
                self._hits.forget_before(line)
                break
            self._settle(candidate, line, passed, claims)
            passed.clear()
        else:
            self._hits.forget_before(self._kept.end)
            self._expire(claims, self._kept.end, quiet_to)
        self._trim(min([open_from, *map(self._start_of_held, self._held)]))
        yield from claims

    def _repeats(self, line: int, hits: list[int], claims: list[Piece]) -> bool:
        """Claim the block at a hit when it is known already."""
        kept = self._kept
        floor = max(kept.claimed - kept.base, 0)
        found = self._known_at(line, floor, hits) or self._known_from_held(line, floor)
        if found is None or self._taken or self._silenced:
            return False
        start, end = found.start + kept.base, found.end + kept.base
        has_line_before = not found.known.event.headline and found.start > floor
        if has_line_before and may_introduce(kept.line(kept.line_above(start))):
            return False
        if self._held:
            self._expire(claims, line)
            self._held.take(range(start, end))
            self._claim_held(self._held.release(""), claims)
        body, zone, is_settled = kept.slice(start, end), self._grammar.repeats.zone, not self._held
        claims.append(Repeat(found.known, found.opening, found.lines, start, end, body, zone, is_settled))
        follows, kept.claimed = start == kept.claimed, end
        if follows and is_settled:
            self._follow_streak(found, body, claims)
        return True

    def _known_at(self, line: int, floor: int, hits: Iterable[int]) -> Found | None:
        return self._grammar.repeats.find(self._kept.data, line - self._kept.base, floor, hits)

    def _known_from_held(self, line: int, floor: int) -> Found | None:
        """Return the known block of a line when it came in two pieces and its first line was held meanwhile."""
        held = max(self._held, key=lambda held: held.start) if self._held else None
        if held is None or held.start >= self._newest:
            return None  # it was looked for there
        found = self._known_at(held.start, floor, held.hits)
        return found if found is not None and found.end + self._kept.base > line else None

    def _follow_streak(self, found: Found, body: bytes, claims: list[Piece]) -> None:
        """Claim the known blocks that come right after one that came right after another."""
        kept, hits, streaks = self._kept, self._hits, self._grammar.streaks
        start = kept.claimed - len(body)
        if start >= self._newest:  # hits of earlier data may be forgotten
            streaks.learn(found, body, hits.between(start, kept.claimed))
        streak = streaks.follow(kept.data, kept.base, found.end, hits.places, hits.triggers)
        if streak is not None:
            claims.append(streak)
            kept.claimed = streak.end

    def _holds_known(self, line: int, hits: list[int], claims: list[Piece]) -> bool:
        """Hold a line back that is known already: a trace may follow that it introduces."""
        if self._taken or self._grammar.hits_trace(hits):
            return False
        found = self._grammar.repeats.find_line(self._kept.data, line - self._kept.base, hits)
        if found is None:
            return False
        self._expire(claims, line)
        known = replace(found, start=line, end=found.end + self._kept.base)
        self._claim_held(self._held.hold("", known), claims)
        return True

    def _is_passed(self, line: int, hits: list[int]) -> bool:
        """Tell whether a line that was hit is known to be no event."""
        grammar = self._grammar
        return (
            not self._taken
            and grammar.tell_by_line(hits)
            and grammar.repeats.is_passed(self._kept.data, line - self._kept.base, hits)
        )

    def _best(self, line: int, hits: list[int], quiet_to: int) -> Candidate | None:
        kept = self._kept
        floor = max(kept.claimed, kept.base)
        place = self._place(line, floor, hits, final=quiet_to >= kept.end)
        place.floors = self._floors
        candidate = place.best()
        if candidate is not None and candidate.is_open and candidate.end <= quiet_to:
            place.final = True
            candidate = place.best()
        if candidate is not None:
            candidate.hits = tuple(sorted(hits))
        elif place.speaks_for_itself():
            self._grammar.repeats.pass_over(kept.data, line - kept.base, hits)
        self._taken.update(place.pieces)
        if candidate is not None and self._grammar.is_trace(candidate.owner):
            candidate.continues = self._continued(candidate)
            if candidate.end <= quiet_to:
                self._silenced[candidate.stream] = _Silenced(
                    candidate.owner, candidate.start, line, floor, hits
                )
        return candidate

    def _place(self, line: int, floor: int, hits: list[int], *, final: bool) -> Place:
        data, base = self._kept.data, self._kept.base
        return Place(self._grammar, data, base, line - base, max(floor - base, 0), hits, final)

    def _continued(self, candidate: Candidate) -> int | None:
        """Return where the trace starts that a silence parted from this one, if they are one."""
        before = self._silenced.pop(candidate.stream, None) if not candidate.is_open else None
        if before is None or before.start < self._kept.base or before.owner != candidate.owner:
            return None
        whole = self._place(before.line, before.floor, before.hits, final=True).best()
        return before.start if whole is not None and whole.end > candidate.start else None

    def _expire(self, claims: list[Piece], line: int, quiet_to: int = 0) -> None:
        """Claim the logging lines that nothing that comes now can belong to."""
        if self._held:
            data, base = self._kept.data, self._kept.base
            passed = self._held.expire(lambda end: data.count(b"\n", end - base, line - base), quiet_to)
            self._claim_held(passed, claims)

    def _settle(
        self, candidate: Candidate, line: int, passed: list[tuple[int, Hits]], claims: list[Piece]
    ) -> None:
        """Claim or hold what was found at a line; at those ``passed`` before, that were hit too, nothing was."""
        if not self._grammar.is_trace(candidate.owner):
            is_inside = partial(self._is_inside, candidate)
            self._claim_held(self._held.hold(candidate.stream, candidate, is_inside=is_inside), claims)
            return
        if is_example(candidate, self._kept):
            self._leave_out(candidate, candidate.start, is_whole=True)
            return
        start = self._start(candidate)
        joined = self._held.take({*range(start, candidate.start), *(at for at, _ in candidate.raw_lines())})
        self._claim_held(self._held.release(candidate.stream), claims)
        hits = [(held.start, held.hits) for held in joined] + [one for one in passed if one[0] >= start]
        self._claim(candidate, start, claims, min([(line, candidate.hits), *hits]))

    def _is_inside(self, candidate: Candidate, end: int) -> bool:
        """Tell whether only lines that begin no record, itself one, or ones without a message part it from one that ends there."""
        lines = [text_of(candidate, line) for line in self._kept.slice(end, candidate.end).splitlines()]
        is_one = not any(map(begins_record, lines)) or all(map(says_no_more, lines[:-1]))
        return len(lines) <= MOST_FIELDS and is_one

    def _start(self, candidate: Candidate) -> int:
        """Return where a block starts, with the logging line that introduced it."""
        start = candidate.start
        if self._grammar.is_trace(candidate.owner):
            held = {held.start for held in self._held}
            start = start_with_headline(candidate, self._kept, self._taken, held)
        return start_of_record(candidate, start, self._kept)

    def _start_of_held(self, held: Held) -> int:
        return held.start if isinstance(held, RepeatedLine) else self._start(held)

    def _claim_held(self, lines: Iterable[Held], claims: list[Piece]) -> None:
        for held in lines:
            if isinstance(held, RepeatedLine):
                claims.append(held)
                self._kept.claimed = max(self._kept.claimed, held.end)
            else:
                self._claim(held, self._start(held), claims)

    def _claim(
        self, candidate: Candidate, start: int, claims: list[Piece], hit: tuple[int, Hits] | None = None
    ) -> None:
        kept = self._kept
        whole = is_whole(candidate, start, kept)
        self._leave_out(candidate, start, is_whole=whole)
        after = kept.lines_after(candidate.end, self._after)
        if len(after) < self._after:
            self._waiting.append((start, self._after - len(after)))
        claims.append(
            Claim(
                candidate.owner,
                start,
                candidate.end,
                block_of(candidate, start, kept, is_trace=self._grammar.is_trace(candidate.owner)),
                kept.lines_before(start, self._before),
                after,
                candidate.carried,
                candidate.record.line if candidate.record else "",
                self._lesson(candidate, start, hit or (candidate.start, candidate.hits)) if whole else None,
                candidate.continues,
            )
        )

    def _leave_out(self, candidate: Candidate, start: int, *, is_whole: bool) -> None:
        """Have no other block take these lines; those of other writers before them may still be of one."""
        writer = candidate.lines.writer or (candidate.carried.stream if candidate.carried else "")
        if writer:
            self._floors[writer] = max(candidate.end, self._floors.get(writer, 0))
        if is_whole and not writer:
            self._kept.claimed = max(self._kept.claimed, candidate.end)
        else:
            self._taken.update((start, *(at for at, _ in candidate.raw_lines())))

    def _lesson(self, candidate: Candidate, start: int, hit: tuple[int, Hits]) -> Lesson | None:
        """Return what a block teaches that nothing carried and that ended by itself."""
        lines, base = candidate.lines, self._kept.base
        if lines.writer or candidate.carrier is not None or candidate.record is not None:
            return None
        if lines.capped or lines.final:
            return None
        return learn_from(self._kept.data, start - base, candidate.end - base, hit[0] - base, hit[1])

    def _trim(self, open_from: int) -> None:
        """Drop what is neither open nor near enough to be looked back to."""
        kept, self.low_water = self._kept, open_from
        open_bytes = kept.end - open_from
        kept.drop_before(open_from)
        self._taken = {at for at in self._taken if at >= kept.base}
        self._silenced = {name: one for name, one in self._silenced.items() if one.start >= kept.base}
        self._floors = {name: end for name, end in self._floors.items() if end > kept.base}
        # A block that grows line by line is cut again only after it grew by an eighth.
        self._retry_at = len(kept.data) + open_bytes // 8 if open_bytes > _SMALL else 0
