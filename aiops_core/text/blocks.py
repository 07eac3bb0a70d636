"""Cut the blocks out of one physical stream: the hot path between a source and the detectors.

Chunks are scanned raw; lines are only looked at round a hit. What a detector claims becomes a
`Claim`; what might go on stays open, and the low-water mark stays before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from aiops_core.component import LogDetector
from aiops_core.records import Block
from aiops_core.text.envelope import parse_envelope
from aiops_core.text.lines import LOOK_BACK, Lines, More, Span
from aiops_core.text.matcher import Matcher, Trigger, build_matcher, compile_trigger
from aiops_core.text.unwrap import decode_line, learn_prefix

_KEEP = 16 * 1024
_RAW_CAP = 256 * 1024
_SMALL = 64 * 1024
_HOLD = 8
"""Lines that may stand between a logging line and the trigger of the trace it introduces."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One block, which detector claimed it, and where it stands in the stream."""

    detector: int
    start: int
    end: int
    block: Block
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Following:
    """Lines that followed an earlier claim and arrived after it."""

    start: int
    lines: tuple[str, ...]


class Grammar:
    """The detectors of one pipeline with all their triggers compiled once; shared by its streams."""

    def __init__(
        self,
        detectors: Sequence[LogDetector],
        *,
        engine: str = "",
        failed: Callable[[int, Exception], None] | None = None,
    ) -> None:
        """Compile the triggers; ``failed`` learns of a detector whose ``cut`` raised."""
        self.detectors = tuple(detectors)
        self._failed = failed
        self.triggers: tuple[Trigger, ...] = tuple(
            compile_trigger(owner, pattern)
            for owner, detector in enumerate(detectors)
            for pattern in detector.triggers
        )
        self.matcher: Matcher = build_matcher(self.triggers, engine=engine)

    def cut(self, owner: int, lines: Lines, hit: int) -> Span | More | None:
        """Let a detector cut; one that raises claims the line that was hit, so that it is not lost."""
        try:
            return self.detectors[owner].cut(lines, hit)
        except Exception as error:
            if self._failed is None:
                raise
            self._failed(owner, error)
            return Span(hit, hit + 1)

    def order(self, owner: int) -> tuple[bool, int]:
        """Return what decides between claims of equal extent: traces first, then YAML order."""
        return self.detectors[owner].rank != "trace", owner


@dataclass(slots=True)
class _Candidate:
    owner: int
    start: int
    end: int
    is_open: bool
    prefix: str
    trigger: str
    lines: Lines
    hit: int
    first: int
    last: int


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
        self._hits: list[tuple[int, int]] = []
        self._held: _Candidate | None = None
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

    def feed(self, data: bytes) -> tuple[list[Claim], list[Following]]:
        """Take the next lines of the stream; return what is complete now."""
        late = self._follow(data) if self._waiting else []
        at = self._end
        hits = self._grammar.matcher.scan(data)
        if not hits and not self.is_open:
            self._forget(data)
            return [], late
        self._hits.extend((at + place, trigger) for place, trigger in hits)
        self._buffer += data
        if len(self._buffer) < self._retry_at:
            return [], late
        return self._resolve(final=False), late

    def flush(self) -> list[Claim]:
        """Close what is open: the stream was silent for long enough, or ended."""
        return self._resolve(final=True) if self.is_open else []

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

    def _resolve(self, *, final: bool) -> list[Claim]:
        claims: list[Claim] = []
        open_from = self._end
        for line, hits in self._hit_lines():
            if line < self._claimed:
                continue
            candidate = self._best(line, hits, final=final)
            if candidate is None:
                continue
            if candidate.is_open:
                open_from = self._start_with_headline(candidate)
                self._hits = self._hits[bisect_left(self._hits, (line, -1)) :]
                break
            self._settle(candidate, claims)
        else:
            self._hits.clear()
            held = self._held
            if held is not None and not final and self._lines_since(held) < _HOLD:
                open_from = held.start
        if self._held is not None and self._held.start < open_from:
            self._release(claims)
        self._held = None if open_from == self._end else self._held
        self._trim(open_from)
        return claims

    def _lines_since(self, held: _Candidate) -> int:
        return self._buffer.count(b"\n", held.end - self._base)

    def _settle(self, candidate: _Candidate, claims: list[Claim]) -> None:
        if self._grammar.detectors[candidate.owner].rank != "trace":
            self._release(claims)
            self._held = candidate
            return
        start = self._start_with_headline(candidate)
        if self._held is not None and self._held.start < start:
            self._release(claims)
        self._held = None
        self._claim(candidate, start, claims)

    def _release(self, claims: list[Claim]) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._claim(held, held.start, claims)

    def _claim(self, candidate: _Candidate, start: int, claims: list[Claim]) -> None:
        self._claimed = candidate.end
        after = self._lines_after(candidate.end)
        if len(after) < self._after:
            self._waiting.append((start, self._after - len(after)))
        block = self._block(candidate, start)
        claims.append(Claim(candidate.owner, start, candidate.end, block, self._lines_before(start), after))

    def _block(self, candidate: _Candidate, start: int) -> Block:
        lines = candidate.lines
        texts = [lines.get(index) or "" for index in range(candidate.first, candidate.last)]
        prefix = candidate.prefix
        if not prefix and candidate.first != candidate.hit:
            prefix = texts[0][: parse_envelope(texts[0]).length]
            texts[0] = texts[0][len(prefix) :]
        headline = ""
        if start < candidate.start:
            headline = decode_line(self._slice(start, candidate.start))
        raw = self._slice(start, min(candidate.end, start + _RAW_CAP))
        return Block(
            lines=tuple(texts),
            headline=headline,
            prefix=prefix,
            raw=raw.decode("utf-8", "replace"),
            trigger=candidate.trigger,
            truncated=lines.capped,
        )

    def _hit_lines(self) -> list[tuple[int, list[int]]]:
        """Return (start of line, triggers that hit it) in stream order."""
        buffer, base = self._buffer, self._base
        lines: list[tuple[int, list[int]]] = []
        end = -1
        for place, trigger in self._hits:
            if place < end:
                triggers = lines[-1][1]
                if trigger not in triggers:
                    triggers.append(trigger)
                continue
            index = place - base
            start = buffer.rfind(b"\n", 0, index) + 1
            end = (buffer.find(b"\n", index) + 1 or len(buffer)) + base
            lines.append((start + base, [trigger]))
        return lines

    def _best(self, line: int, hits: list[int], *, final: bool) -> _Candidate | None:
        """Let every detector that was hit cut; choose by rank, earlier start, length, YAML order."""
        text = decode_line(self._slice(line, self._line_end(line)))
        triggers = self._grammar.triggers
        best: _Candidate | None = None
        for owner, indexes in groupby(sorted(hits), key=lambda index: triggers[index].owner):
            for index in indexes:
                column = triggers[index].confirm(text)
                if column < 0:
                    continue
                candidate = self._cut(owner, triggers[index], line, text[:column], final=final)
                if candidate is None:
                    continue
                if best is None or self._key(candidate) < self._key(best):
                    best = candidate
                break
        return best

    def _key(self, candidate: _Candidate) -> tuple[bool, int, int, int]:
        is_line, owner = self._grammar.order(candidate.owner)
        return is_line, candidate.start, -candidate.end, owner

    def _cut(self, owner: int, trigger: Trigger, line: int, prefix: str, *, final: bool) -> _Candidate | None:
        detector = self._grammar.detectors[owner]
        if (
            prefix
            and not trigger.is_anchored
            and (detector.rank != "trace" or not parse_envelope(prefix).length)
        ):
            prefix = ""
        starts = self._starts(line)
        hit = len(starts) - 1
        lines = Lines(self._buffer, starts, final=final, unwrap=_unwrapper(prefix), cap_from=hit)
        cut = self._grammar.cut(owner, lines, hit)
        if cut is None:
            return None
        is_open = isinstance(cut, More)
        last = cut.end if isinstance(cut, Span) else hit + 1
        end = self._end if is_open else self._base + lines.offset(last)
        start = self._base + lines.offset(cut.start)
        return _Candidate(
            owner, start, end, is_open, prefix, trigger.pattern.pattern, lines, hit, cut.start, last
        )

    def _starts(self, line: int) -> list[int]:
        """Return the starts of the lines a detector may look back to, and of the hit, in the buffer."""
        at = line - self._base
        floor = max(self._claimed - self._base, 0)
        starts = [at]
        while at > floor and len(starts) <= LOOK_BACK:
            at = self._buffer.rfind(b"\n", 0, at - 1) + 1
            if at < floor:
                break
            starts.append(at)
        starts.reverse()
        return starts

    def _start_with_headline(self, candidate: _Candidate) -> int:
        """Return where the block starts once the logging line that introduced it is joined."""
        previous = self._previous_line(candidate.start)
        if previous is None:
            return candidate.start
        text = decode_line(self._slice(previous, candidate.start))
        prefix = candidate.prefix or self._own_prefix(candidate)
        if prefix.strip() and learn_prefix(prefix)(text) == text:
            return candidate.start
        if self._held is not None and self._held.start == previous:
            return previous
        if parse_envelope(text).severity in {"critical", "error", "warning"}:
            return previous
        return candidate.start

    def _own_prefix(self, candidate: _Candidate) -> str:
        first = candidate.lines.get(candidate.first) or ""
        return first[: parse_envelope(first).length]

    def _previous_line(self, start: int) -> int | None:
        at = start - self._base
        if start <= self._claimed or at <= 0:
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
    return tuple(decode_line(line)[:4096] for line in data.splitlines(keepends=True)) if data else ()


def _unwrapper(prefix: str) -> Callable[[bytes], str]:
    if not prefix:
        return decode_line
    strip = learn_prefix(prefix)
    return lambda raw: strip(decode_line(raw))
