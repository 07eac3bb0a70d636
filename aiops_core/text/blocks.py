"""Cut the blocks out of one physical stream: the hot path between a source and the detectors.

Chunks are scanned raw; lines are only looked at round a hit. What a detector claims becomes a
`Claim`; what might go on stays open, and the low-water mark stays before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from aiops_core.records import Block
from aiops_core.text.candidates import Candidate, Grammar, Place
from aiops_core.text.carriers import Carried, readable
from aiops_core.text.envelope import may_be_severe, parse_envelope
from aiops_core.text.envelope_forms import is_on_every_line
from aiops_core.text.held import Held, HeldLines
from aiops_core.text.known_blocks import Hits, Lesson
from aiops_core.text.known_blocks import lesson as learn_from
from aiops_core.text.lines import LOOK_BACK
from aiops_core.text.matcher import Hit
from aiops_core.text.repeats import Found, Repeat, RepeatedLine
from aiops_core.text.streaks import Streak
from aiops_core.text.unwrap import decode_line, learn_prefix

__all__ = ["Claim", "Cutter", "Following", "Grammar", "Piece"]

_KEEP = 16 * 1024
_RAW_CAP = 256 * 1024
_SMALL = 64 * 1024
_INTRODUCE = frozenset({"critical", "error", "warning"})
"""Severities of a logging line that may introduce a trace."""
_WRITER = frozenset({"service", "host", "pid", "thread"})
"""Attributes that tell writers apart."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One block, which detector claimed it, and where it stands in the stream."""

    detector: int
    start: int
    end: int
    block: Block
    before: tuple[str, ...]
    after: tuple[str, ...]
    carried: Carried | None = None
    """What the carrier of the lines told about them."""
    record: str = ""
    """The whole record a field of which holds the block."""
    lesson: Lesson | None = None
    """What may be learned from the block, so that its like need not be read."""
    continues: int | None = None
    """Where the block starts that this one goes on from: a silence closed it too early."""


@dataclass(frozen=True, slots=True)
class _Silenced:
    """A trace that a silence closed, and what is needed to cut it again."""

    owner: int
    start: int
    line: int
    floor: int
    hits: list[int]


Piece: TypeAlias = Claim | Repeat | RepeatedLine | Streak
"""One block, read, or known already; or several known ones."""


@dataclass(frozen=True, slots=True)
class Following:
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
        self._keep = _KEEP if before <= LOOK_BACK else _KEEP * 8
        self._buffer = b""
        self._base = offset
        self._claimed = offset
        self._taken: set[int] = set()
        self._places: list[int] = []
        self._triggers: list[int] = []
        """Where in the stream which trigger hit, in ascending order."""
        self._held = HeldLines()
        self._silenced: dict[str, _Silenced] = {}
        self._retry_at = 0
        self._waiting: list[tuple[int, int]] = []
        self.low_water = offset

    @property
    def is_open(self) -> bool:
        """Whether a block may still grow, or a line waits to see what follows it."""
        return self.low_water < self._end

    @property
    def _end(self) -> int:
        return self._base + len(self._buffer)

    def feed(self, data: bytes) -> tuple[Iterable[Piece], list[Following]]:
        """Take the next lines of the stream; return what is complete now, and late context.

        The claims are made while they are iterated, to the end: what one teaches serves the next.
        """
        late = self._follow(data) if self._waiting else []
        at = self._end
        hits = self._grammar.matcher.scan(data)
        if not hits and not self.is_open:
            self._forget(data)
            return (), late
        self._places += [at + place for place, _ in hits]
        self._triggers += [trigger for _, trigger in hits]
        self._add(data, hits)
        if len(self._buffer) < self._retry_at:
            return (), late
        return self._resolve(quiet_to=self._base), late

    def flush(self, quiet_to: int | None = None) -> Iterable[Piece]:
        """Close what is open: the stream ended, or its writers were silent for long enough.

        ``quiet_to`` closes only what the writers added nothing to after that offset. The claims
        are made while they are iterated, to the end.
        """
        return self._resolve(quiet_to=self._end if quiet_to is None else quiet_to) if self.is_open else ()

    def _add(self, data: bytes, hits: list[Hit]) -> None:
        """Put data behind what is kept; where nobody looks back that far it is taken as it is."""
        if self.is_open or data.rfind(b"\n", 0, hits[0][0]) < self._keep:
            self._buffer += data
        else:
            self._base, self._buffer = self._end, data

    def _forget(self, data: bytes) -> None:
        """Keep only the last lines, for context and for looking back."""
        end = self._end + len(data)
        tail = data if len(data) >= self._keep else self._buffer + data
        cut = max(len(tail) - self._keep, 0)
        if cut:
            cut = tail.find(b"\n", cut) + 1 or cut
        self._buffer = tail[cut:]
        self._base = end - len(self._buffer)
        self.low_water = end

    def _follow(self, data: bytes) -> list[Following]:
        """Hand the lines after earlier claims out as they come."""
        late: list[Following] = []
        still: list[tuple[int, int]] = []
        for start, missing in self._waiting:
            lines = _first_lines(data, 0, missing)
            late.append(Following(start, lines))
            if len(lines) < missing:
                still.append((start, missing - len(lines)))
        self._waiting = still
        return late

    def _resolve(self, *, quiet_to: int) -> Iterator[Piece]:
        """Claim what is complete; a writer who wrote nothing after ``quiet_to`` has nothing to add."""
        claims: list[Piece] = []
        open_from = self._end
        for line, hits in self._hit_lines():
            yield from claims
            claims.clear()
            if (
                line in self._taken
                or self._repeats(line, hits, claims)
                or self._holds_known(line, hits, claims)
            ):
                continue
            candidate = self._best(line, hits, quiet_to)
            if candidate is None:
                continue
            self._expire(claims, line)
            if candidate.is_open:
                open_from = self._start_with_headline(candidate)
                self._forget_hits(bisect_left(self._places, line))
                break
            self._settle(candidate, line, claims)
        else:
            self._forget_hits(len(self._places))
            self._expire(claims, self._end, quiet_to)
        self._trim(min([open_from, *(held.start for held in self._held)]))
        yield from claims

    def _repeats(self, line: int, hits: list[int], claims: list[Piece]) -> bool:
        """Claim the block at a hit when it is known already."""
        floor = max(self._claimed - self._base, 0)
        found = self._grammar.repeats.find(self._buffer, line - self._base, floor, hits)
        if found is None or self._taken or self._silenced:
            return False
        known, _, opening, lines, start, end = found
        if not known.event.headline and start > floor and self._may_have_headline(start):
            return False
        start, end = start + self._base, end + self._base
        if self._held:
            self._expire(claims, line)
            self._held.take(range(start, end))
            self._claim_held(self._held.release(""), claims)
        body = self._slice(start, end)
        claims.append(Repeat(known, opening, lines, start, end, body, self._grammar.repeats.zone))
        self._claimed = end
        self._follow_streak(found, body, claims)
        return True

    def _follow_streak(self, found: Found, body: bytes, claims: list[Piece]) -> None:
        """Claim the known blocks that come right after one that was found."""
        places, triggers, streaks = self._places, self._triggers, self._grammar.streaks
        first, last = bisect_left(places, found.start + self._base), bisect_left(places, self._claimed)
        streaks.learn(found, body, triggers[first:last])
        if self._held:
            return
        streak = streaks.follow(self._buffer, self._base, found.end, places, triggers)
        if streak is not None:
            claims.append(streak)
            self._claimed = streak.end

    def _forget_hits(self, count: int) -> None:
        del self._places[:count], self._triggers[:count]

    def _holds_known(self, line: int, hits: list[int], claims: list[Piece]) -> bool:
        """Hold a line back that is known already: a trace may follow that it introduces."""
        if self._taken or self._grammar.hits_trace(hits):
            return False
        found = self._grammar.repeats.find_line(self._buffer, line - self._base, hits)
        if found is None:
            return False
        self._expire(claims, line)
        known = replace(found, start=line, end=found.end + self._base)
        self._claim_held(self._held.hold("", known), claims)
        return True

    def _may_have_headline(self, at: int) -> bool:
        previous = self._buffer.rfind(b"\n", 0, at - 1) + 1
        raw = self._buffer[previous:at]
        return may_be_severe(raw) and parse_envelope(decode_line(raw)).severity in _INTRODUCE

    def _best(self, line: int, hits: list[int], quiet_to: int) -> Candidate | None:
        floor = max(self._claimed - self._base, 0)
        final = quiet_to >= self._end
        place = Place(self._grammar, self._buffer, self._base, line - self._base, floor, hits, final)
        candidate = place.best()
        if candidate is not None and candidate.is_open and candidate.end <= quiet_to:
            place.final = True
            candidate = place.best()
        if candidate is not None:
            candidate.hits = tuple(sorted(hits))
        if candidate is not None and self._grammar.is_trace(candidate.owner):
            candidate.continues = self._continued(candidate)
            if candidate.end <= quiet_to:
                self._silenced[candidate.stream] = _Silenced(
                    candidate.owner, candidate.start, line, floor + self._base, hits
                )
        return candidate

    def _continued(self, candidate: Candidate) -> int | None:
        """Return where the trace starts that a silence parted from this one, if they are one."""
        before = self._silenced.pop(candidate.stream, None) if not candidate.is_open else None
        if before is None or before.start < self._base or before.owner != candidate.owner:
            return None
        line, floor = before.line - self._base, max(before.floor - self._base, 0)
        whole = Place(self._grammar, self._buffer, self._base, line, floor, before.hits, final=True).best()
        return before.start if whole is not None and whole.end > candidate.start else None

    def _expire(self, claims: list[Piece], line: int, quiet_to: int = 0) -> None:
        """Claim the logging lines that nothing that comes now can belong to."""
        if self._held:
            buffer, base = self._buffer, self._base
            passed = self._held.expire(lambda end: buffer.count(b"\n", end - base, line - base), quiet_to)
            self._claim_held(passed, claims)

    def _settle(self, candidate: Candidate, line: int, claims: list[Piece]) -> None:
        if not self._grammar.is_trace(candidate.owner):
            self._claim_held(self._held.hold(candidate.stream, candidate), claims)
            return
        start = self._start_with_headline(candidate)
        joined = self._held.take({start, *(at for at, _ in candidate.raw_lines())})
        self._claim_held(self._held.release(candidate.stream), claims)
        hits = [(held.start, held.hits) for held in joined]
        self._claim(candidate, start, claims, min([(line, candidate.hits), *hits]))

    def _claim_held(self, lines: Iterable[Held], claims: list[Piece]) -> None:
        for held in lines:
            if isinstance(held, RepeatedLine):
                claims.append(held)
                self._claimed = max(self._claimed, held.end)
            else:
                self._claim(held, held.start, claims)

    def _claim(
        self, candidate: Candidate, start: int, claims: list[Piece], hit: tuple[int, Hits] | None = None
    ) -> None:
        pieces = candidate.raw_lines()
        is_whole = not candidate.lines.skipped(candidate.first, candidate.last)
        if is_whole and self._line_end(start) >= pieces[0][0]:
            self._claimed = max(self._claimed, candidate.end)
        else:
            is_whole = False
            self._taken.update((start, *(at for at, _ in pieces)))
        after = self._lines_after(candidate.end)
        if len(after) < self._after:
            self._waiting.append((start, self._after - len(after)))
        block = self._block(candidate, start, self._headline(candidate, start))
        lesson = None
        if is_whole and candidate.carrier is None and candidate.record is None:
            lesson = self._lesson(candidate, start, hit or (candidate.start, candidate.hits))
        claims.append(
            Claim(
                candidate.owner,
                start,
                candidate.end,
                block,
                self._lines_before(start),
                after,
                candidate.carried,
                candidate.record.line if candidate.record else "",
                lesson,
                candidate.continues,
            )
        )

    def _lesson(self, candidate: Candidate, start: int, hit: tuple[int, Hits]) -> Lesson | None:
        if candidate.lines.capped or candidate.lines.final:
            return None
        at, hits = hit[0] - self._base, hit[1]
        return learn_from(self._buffer, start - self._base, candidate.end - self._base, at, hits)

    def _headline(self, candidate: Candidate, start: int) -> str:
        if start == candidate.start:
            return self._record_headline(candidate)
        raw = self._slice(start, self._line_end(start))
        carried = candidate.carrier(raw) if candidate.carrier else None
        return carried.text if carried is not None else decode_line(raw)

    def _record_headline(self, candidate: Candidate) -> str:
        """Return the message of the record, or the line of its text that introduced the trace."""
        if candidate.record is None or not self._grammar.is_trace(candidate.owner):
            return ""
        return candidate.record.message or candidate.lines.get(candidate.first - 1) or ""

    def _block(self, candidate: Candidate, start: int, headline: str) -> Block:
        lines = candidate.lines
        texts = [lines.get(index) or "" for index in range(candidate.first, candidate.last)]
        prefix = candidate.prefix
        if not prefix and not candidate.is_hit_first:
            prefix = texts[0][: parse_envelope(texts[0]).length]
            texts[0] = texts[0][len(prefix) :]
        return Block(
            lines=tuple(texts),
            headline=headline,
            prefix=prefix,
            raw=self._raw(candidate, start).decode("utf-8", "replace"),
            trigger=candidate.trigger,
            truncated=lines.capped,
        )

    def _raw(self, candidate: Candidate, start: int) -> bytes:
        pieces = candidate.raw_lines()
        if (
            not candidate.lines.skipped(candidate.first, candidate.last)
            and self._line_end(start) >= pieces[0][0]
        ):
            return self._slice(start, min(candidate.end, start + _RAW_CAP))
        headline = self._slice(start, self._line_end(start)) if start < pieces[0][0] else b""
        return b"".join([headline, *(self._slice(*piece) for piece in pieces)])[:_RAW_CAP]

    def _hit_lines(self) -> Iterator[tuple[int, list[int]]]:
        """Yield (start of line, triggers that hit it) in stream order, claimed lines left out."""
        buffer, base, places, hit = self._buffer, self._base, self._places, self._triggers
        at = 0
        while at < len(places):
            place = places[at]
            if place < self._claimed:
                at = bisect_left(places, self._claimed, at)
                continue
            start = buffer.rfind(b"\n", 0, place - base) + 1
            end = (buffer.find(b"\n", place - base) + 1 or len(buffer)) + base
            triggers: list[int] = []
            while at < len(places) and places[at] < end:
                if hit[at] not in triggers:
                    triggers.append(hit[at])
                at += 1
            if start + base >= self._claimed:
                yield start + base, triggers

    def _start_with_headline(self, candidate: Candidate) -> int:
        """Return where the block starts once the logging line that introduced it is joined."""
        is_introduced = candidate.record is None and not candidate.is_record
        if not is_introduced or not self._grammar.is_trace(candidate.owner):
            return candidate.start
        previous = self._previous(candidate)
        if previous is None or previous in self._taken:
            return candidate.start
        raw = self._slice(previous, self._line_end(previous))
        if not may_be_severe(raw):
            return candidate.start
        carried = candidate.carrier(raw) if candidate.carrier else None
        text = carried.text if carried is not None else decode_line(raw)
        prefix = candidate.prefix or self._own_prefix(candidate)
        is_own = _has_prefix(text, prefix) and _is_of_the_same(text, prefix)
        if not is_own if prefix.strip() else is_on_every_line(text):
            return candidate.start
        if any(held.start == previous for held in self._held):
            return previous
        return previous if parse_envelope(text).severity in _INTRODUCE else candidate.start

    def _own_prefix(self, candidate: Candidate) -> str:
        first = candidate.lines.get(candidate.first) or ""
        return first[: parse_envelope(first).length]

    def _previous(self, candidate: Candidate) -> int | None:
        """Return where the line before the block starts, of the same writer where there are several."""
        if candidate.first > 0:
            pieces = candidate.lines.raw_lines(candidate.first - 1, candidate.first)
            return pieces[0][0] + candidate.base if pieces else None
        at = candidate.start - self._base
        if candidate.start <= self._claimed or at <= 0 or candidate.carrier is not None:
            return None
        return max(self._buffer.rfind(b"\n", 0, at - 1) + 1 + self._base, self._claimed)

    def _trim(self, open_from: int) -> None:
        """Drop what is neither open nor near enough to be looked back to."""
        self.low_water = open_from
        open_bytes = self._end - open_from
        # A block that grows line by line is cut again only after it grew by an eighth.
        is_long = open_bytes > _SMALL
        cut = max(open_from - self._base - self._keep, 0)
        if cut:
            cut = self._buffer.find(b"\n", cut) + 1 or cut
            self._buffer = self._buffer[cut:]
            self._base += cut
        if self._taken:
            self._taken = {at for at in self._taken if at >= self._base}
        if self._silenced:
            still = {name: one for name, one in self._silenced.items() if one.start >= self._base}
            self._silenced = still
        self._retry_at = len(self._buffer) + open_bytes // 8 if is_long else 0

    def _slice(self, start: int, end: int) -> bytes:
        return self._buffer[start - self._base : end - self._base]

    def _line_end(self, start: int) -> int:
        end = self._buffer.find(b"\n", start - self._base) + 1
        return (end or len(self._buffer)) + self._base

    def _lines_before(self, start: int) -> tuple[str, ...]:
        at = stop = start - self._base
        for _ in range(self._before):
            if at <= 0:
                break
            at = self._buffer.rfind(b"\n", 0, at - 1) + 1
        return _texts(self._buffer[at:stop])

    def _lines_after(self, end: int) -> tuple[str, ...]:
        return _first_lines(self._buffer, end - self._base, self._after)


def _has_prefix(text: str, prefix: str) -> bool:
    """Tell whether a line has a prefix of this shape at its start, not indented or after its envelope."""
    strip = learn_prefix(prefix.lstrip())
    rest = text[parse_envelope(text).length :]
    return strip(text) != text or strip(rest) != rest


def _is_of_the_same(text: str, prefix: str) -> bool:
    """Tell whether a line may be of the writer who wrote a prefix."""
    one, other = parse_envelope(text).attributes, parse_envelope(prefix).attributes
    return all(one[name] == other[name] for name in _WRITER & one.keys() & other.keys())


def _first_lines(data: bytes, at: int, count: int) -> tuple[str, ...]:
    stop = at
    for _ in range(count):
        found = data.find(b"\n", stop) + 1
        if not found:
            stop = len(data)
            break
        stop = found
    return _texts(data[at:stop])


def _texts(data: bytes) -> tuple[str, ...]:
    lines = data.removesuffix(b"\n").split(b"\n") if data else ()
    return tuple(readable(line.removesuffix(b"\r"))[:4096] for line in lines)
