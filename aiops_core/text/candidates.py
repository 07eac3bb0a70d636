"""What a hit may be: every detector that was hit cuts its block, the best cut wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from functools import partial
from itertools import groupby
from typing import Any, Literal, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.errors import is_interrupt
from aiops_core.handover import WrongType, named
from aiops_core.text.carriers import (
    PIECES,
    Carried,
    Carrier,
    carrier_of,
    is_prefixed,
    prefix_carrier,
    stream_of,
    tells_level,
    within,
)
from aiops_core.text.envelope import parse_envelope
from aiops_core.text.fields import Record, begins_object, is_member, may_carry_text, read_record
from aiops_core.text.line_records import line_record
from aiops_core.text.lines import LOOK_BACK, MAX_LINES, Lines, More, Span, line_starts
from aiops_core.text.matcher import Trigger, alike, compile_triggers
from aiops_core.text.repeats import Repeats
from aiops_core.text.shared_prefix import has_prefix, outer_prefix, shared_prefix, writers_prefix
from aiops_core.text.spread import carried_record, spread_record
from aiops_core.text.streaks import Streaks
from aiops_core.text.streams import RecordLines, Writer, WriterLines
from aiops_core.text.unwrap import decode_line, learn_prefix

OnAll = Literal["", "block", "writers"]
"""Where a prefix has to stand: anywhere, before all lines of a block, or of all who write there."""
Call = Callable[..., Any]  # Any: what the called one gives
"""Make a call of a detector: (which, what it is called, the call, its arguments)."""


class Cutting(Protocol):
    """What is asked of a detector of lines, see ``LogDetector``."""

    @property
    def triggers(self) -> Sequence[str]: ...

    @property
    def rank(self) -> str: ...

    @property
    def reads_numbers(self) -> bool: ...

    def cut(self, lines: Lines, hit: int) -> object: ...


class Grammar:
    """The detectors of one pipeline with all their triggers compiled once; shared by its streams."""

    def __init__(
        self,
        detectors: Sequence[Cutting],
        *,
        engine: str = "",
        failed: Callable[[int, BaseException], None] | None = None,
        call: Call | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        """Compile the triggers; ``failed`` learns of a detector whose ``cut`` raised.

        ``call`` makes the calls of detectors, given who is called and what; ``zone`` is that of times that
        name none.
        """
        self._call = call
        self.detectors = tuple(detectors)
        self._failed = failed
        patterns = [
            (owner, pattern) for owner, detector in enumerate(detectors) for pattern in detector.triggers
        ]
        pieces = [(0, pattern) for pattern in PIECES]
        self.triggers, self.matcher = compile_triggers([*patterns, *pieces], engine=engine)
        self._pieces = frozenset(range(len(patterns), len(self.triggers)))
        self.alike = alike(self.triggers)
        self.repeats = Repeats(zone)
        self.streaks = Streaks(zone)
        self._of_traces = tuple(
            index
            for index, trigger in enumerate(self.triggers)
            if index not in self._pieces and self.is_trace(trigger.owner)
        )
        self._trace_triggers = frozenset(self._of_traces)
        self._by_line = frozenset(
            index
            for index, trigger in enumerate(self.triggers)
            if not (index in self._pieces or index in self._trace_triggers or self._reads_numbers(trigger))
        )

    def cut(self, owner: int, lines: Lines, hit: int) -> Span | More | None:
        """Let a detector cut; one that raises claims the line that was hit, so that it is not lost."""
        try:
            cut = self.detectors[owner].cut
            found = cut(lines, hit) if self._call is None else self._call(owner, "cut", cut, lines, hit)
            return cut_from(found, lines)
        except BaseException as error:
            if self._failed is None or is_interrupt(error):
                raise
            self._failed(owner, error)
            return Span(hit, hit + 1)

    def is_trace(self, owner: int) -> bool:
        """Tell whether a detector reads several lines."""
        return self.detectors[owner].rank == "trace"

    def by_owner(self, hits: Iterable[int]) -> Iterator[tuple[int, list[Trigger]]]:
        """Group triggers by their detector."""
        own = sorted(hit for hit in hits if hit not in self._pieces)
        for owner, indexes in groupby(own, key=lambda index: self.triggers[index].owner):
            yield owner, [self.triggers[index] for index in indexes]

    def hits_trace(self, hits: Iterable[int]) -> bool:
        """Tell whether a trigger among these is of a detector that reads several lines."""
        return not self._trace_triggers.isdisjoint(hits)

    def tell_by_line(self, hits: Iterable[int]) -> bool:
        """Tell whether all these triggers are of detectors to which a line is like another but for its numbers."""
        return self._by_line.issuperset(hits)

    def _reads_numbers(self, trigger: Trigger) -> bool:
        return self.detectors[trigger.owner].reads_numbers

    def hits_in(self, text: str) -> list[int]:
        """Return the triggers that may hold in a line that was joined from pieces."""
        found = dict.fromkeys(self.matcher.scan(text.encode("utf-8", "replace"))[1])
        return [index for first in found for index in self.alike[first]]

    def traces(self) -> tuple[int, ...]:
        """Return the triggers of all detectors that read several lines."""
        return self._of_traces


def cut_from(cut: object, lines: Lines) -> Span | More | None:
    """Return what ``cut`` handed over; raise WrongType for what claims no lines."""
    if isinstance(cut, More) and lines.final:
        raise WrongType("cut() returned More after the last line. Let it return a Span when lines.final")
    if isinstance(cut, Span) and not 0 <= cut.start < cut.end:
        raise WrongType(
            f"cut() returned {cut}, which holds no line. Let it start at 0 or later, and end later"
        )
    if cut is None or isinstance(cut, Span | More):
        return cut
    raise WrongType(f"cut() returned {named(cut)}. Let it return a Span, More or None")


class Candidate(Struct):
    """What one detector claims; all places are offsets of the stream."""

    owner: int
    start: int
    end: int
    is_open: bool
    lines: Lines
    base: int
    """Stream offset of the data behind ``lines``."""
    first: int
    last: int
    prefix: str = ""
    trigger: str = ""
    is_hit_first: bool = True
    hits: tuple[int, ...] = ()
    """The triggers that hit the line."""
    is_record: bool = False
    stream: str = ""
    carrier: Carrier | None = None
    carried: Carried | None = None
    record: Record | None = None
    continues: int | None = None

    def raw_lines(self) -> list[tuple[int, int]]:
        """Return where the claimed raw lines start and end."""
        pieces = self.lines.raw_lines(self.first, self.last)
        return [(start + self.base, end + self.base) for start, end in pieces]


class Place(Struct):
    """A raw line that was hit, in the data known of its stream."""

    grammar: Grammar
    data: bytes
    base: int
    line: int
    floor: int
    hits: list[int]
    final: bool
    floors: Mapping[str, int] = field(default_factory=dict)
    """Where the last block of each writer ends, in the stream."""
    pieces: list[int] = field(default_factory=list)
    """Where the pieces of the line start that follow the first one, once all are known."""
    _reach: list[int] | None = None

    def best(self) -> Candidate | None:
        """Choose by rank, earlier start, length, YAML order."""
        raw = self.data[self.line : self._line_end()]
        found = carrier_of(raw)
        if found is None:
            text = decode_line(raw)
            return (
                self._best_of_records(text, None, None)
                or self._best(self._of_line_records(raw, is_trace=True))
                or self._best(self._plain(text))
                or self._best(self._of_line_records(raw, is_trace=False))
            )
        carrier, carried = found
        if tells_level(carrier) and not self._may_be_trace(carried.text):
            return self._best(self._whole_lines(carried.stream))
        lines = self._writer_lines(carrier, carried.stream)
        carried_text = lines.get(lines.hit)
        if carried_text is None:
            start, end = lines.extent(lines.hit, lines.hit + 1)
            return self._candidate(self.grammar.triggers[self.hits[0]].owner, (start, end), lines)
        if carried.is_partial:
            self._join(carried_text, lines)
        return self._best_of_records(carried_text, lines, found) or self._best(
            self._carried(carried_text, lines, found)
        )

    def speaks_for_itself(self) -> bool:
        """Tell whether what detectors are asked about is the line as it is, and all of them are."""
        raw = self.data[self.line : self._line_end()]
        text = decode_line(raw)
        if not self.grammar.tell_by_line(self.hits) or not raw.endswith(b"\n") or text[:1].isspace():
            return False
        if carrier_of(raw) or line_record(raw) or read_record(text) or is_member(text) or begins_object(text):
            return False
        triggers = [self.grammar.triggers[hit] for hit in self.hits]
        prefixes = [prefix for _, prefix, _ in self._prefixes(text, triggers, self._below)]
        return len(prefixes) == len(triggers) and not any(prefixes)

    def _join(self, text: str, lines: WriterLines) -> None:
        """Look for triggers in a line joined from pieces: a cut may go through one."""
        self.hits = self.grammar.hits_in(text)
        self.pieces = [start + self.base for start, _ in lines.raw_lines(lines.hit, lines.hit + 1)[1:]]

    def _may_be_trace(self, text: str) -> bool:
        grammar = self.grammar
        return any(grammar.is_trace(grammar.triggers[hit].owner) for hit in self.hits) or may_carry_text(text)

    def _whole_lines(self, stream: str) -> Iterator[Candidate]:
        for owner, triggers in self.grammar.by_owner(self.hits):
            yield from self._whole_line(owner, triggers, stream)

    def _best(self, candidates: Iterable[Candidate]) -> Candidate | None:
        return min(candidates, key=self._order, default=None)

    def _order(self, candidate: Candidate) -> tuple[bool, int, int, int, int]:
        owner, count = candidate.owner, candidate.last - candidate.first
        return not self.grammar.is_trace(owner), candidate.start, -candidate.end, -count, owner

    def _line_end(self) -> int:
        return self.data.find(b"\n", self.line) + 1 or len(self.data)

    def _plain(self, text: str) -> Iterator[Candidate]:
        """Yield what detectors claim of lines that nothing carried, but a prefix of their own."""
        for owner, triggers in self.grammar.by_owner(self.hits):
            for trigger, whole, on_all in self._prefixes(text, triggers, self._below):
                prefix, is_shared = outer_prefix(whole, self._below), on_all == "writers"
                carrier = prefix_carrier(prefix, is_shared=is_shared) if prefix else None
                if carrier is not None:
                    lines: Lines = self._writer_lines(carrier, stream_of(prefix, is_shared=is_shared))
                    hit = lines.hit if isinstance(lines, WriterLines) else 0
                else:
                    starts = self._starts()
                    hit = len(starts) - 1
                    unwrap = self._unwrapper(prefix, text)
                    lines = Lines(self.data, starts, final=self.final, unwrap=unwrap, cap_from=hit)
                candidate = self._cut(owner, trigger, lines, hit, prefix)
                if candidate is not None and self._all_have(on_all, prefix, candidate, decode_line):
                    told = prefix or text[: parse_envelope(text).length]
                    candidate.stream = stream_of(told, is_shared=on_all != "")
                    yield candidate
                    break

    def _prefixes(
        self, text: str, triggers: Iterable[Trigger], below: Callable[[], str]
    ) -> Iterator[tuple[Trigger, str, OnAll]]:
        """Yield triggers that hold in a line, what may stand before it, and who has to have that before each line."""
        is_bare = False
        for trigger in triggers:
            column = trigger.confirm(text, is_bare=is_bare)
            is_bare = is_bare or column == 0
            is_sure = column == 0 or (column > 0 and trigger.is_anchored)
            if not is_bare and self.grammar.is_trace(trigger.owner):
                if is_sure:
                    prefix = writers_prefix(text[:column], below)
                else:
                    prefix = shared_prefix(text, trigger.find(text), self._is_beside, below)
                if prefix:
                    yield trigger, prefix, "writers"
                    yield trigger, prefix, "block"
            if column >= 0:
                yield trigger, self._prefix(text[:column], trigger), ""

    def _is_beside(self, word: bytes) -> bool:
        """Tell whether bytes stand shortly above or in the line below, or may do so in one that is not known yet."""
        end = self._line_end()
        below = self.data.find(b"\n", end) + 1 or len(self.data)
        is_last = end >= len(self.data) and not self.final
        return (
            is_last
            or word in self.data[end:below]
            or word in self.data[max(self.line - _BESIDE, 0) : self.line]
        )

    def _unwrapper(self, prefix: str, text: str) -> Callable[[bytes], str]:
        """Return how lines are read: without the prefix, of which only the hit has any where the line below has not."""
        if not prefix:
            return decode_line
        strip = learn_prefix(prefix, has_level=True)
        below = self._below()
        is_on_all = not prefix.strip() or not below.strip() or strip(below) != below

        def unwrap(raw: bytes) -> str:
            line = decode_line(raw)
            return strip(line) if is_on_all or line == text else line

        return unwrap

    def _below(self) -> str:
        end = self._line_end()
        return decode_line(self.data[end : self.data.find(b"\n", end) + 1 or len(self.data)])

    def _all_have(
        self, on_all: OnAll, prefix: str, candidate: Candidate, read: Callable[[bytes], str]
    ) -> bool:
        """Tell whether all who have to have a prefix have one of this shape.

        A candidate of ``writers`` whose next line is not known yet stays open.
        """
        if not on_all or candidate.is_open:
            return True
        places = [(start - self.base, end - self.base) for start, end in candidate.raw_lines()]
        has = has_prefix(prefix)
        if len(places) < 2 or not all(has(read(self.data[start:end])) for start, end in places):
            return False
        if on_all == "block":
            return True
        last = places[-1][1]
        below = self.data.find(b"\n", last) + 1
        if below:
            line = read(self.data[last:below])
            return has(line) or is_prefixed(line, prefix)
        candidate.is_open = not self.final
        return True

    def _carried(self, text: str, lines: WriterLines, found: tuple[Carrier, Carried]) -> Iterator[Candidate]:
        """Yield what detectors claim of the lines one writer had carried here."""
        carrier, carried = found

        def below() -> str:
            return lines.get(lines.hit + 1) or ""

        for owner, triggers in self.grammar.by_owner(self.hits):
            if not self.grammar.is_trace(owner) and tells_level(carrier):
                yield from self._whole_line(owner, triggers, carried.stream)
                continue
            for trigger, whole, on_all in self._prefixes(text, triggers, below):
                own = lines
                prefix, is_shared = outer_prefix(whole, below), on_all == "writers"
                if prefix:
                    inner = prefix_carrier(prefix, is_shared=is_shared)
                    name = stream_of(prefix, is_shared=is_shared)
                    stream = f"{carried.stream} {name}" if inner else carried.stream
                    own = self._writer_lines(
                        within(carrier, inner, learn_prefix(prefix, has_level=True)), stream
                    )
                candidate = self._cut(owner, trigger, own, own.hit, prefix)
                read = partial(_read, carrier)
                if candidate is not None and self._all_have(on_all, prefix, candidate, read):
                    candidate.stream, candidate.carrier = carried.stream, carrier
                    candidate.carried = _told(carried, own, candidate.first, candidate.last)
                    yield candidate
                    break

    def _of_line_records(self, raw: bytes, *, is_trace: bool) -> Iterator[Candidate]:
        """Yield the traces that records carry line by line, or lines of records that tell no level themselves."""
        triggers = [self.grammar.triggers[hit] for hit in self.hits]
        wanted = [trigger for trigger in triggers if self.grammar.is_trace(trigger.owner) is is_trace]
        carried = line_record(raw) if wanted else None
        if carried is None or not (is_trace or carried.severity is None):
            return
        if any(trigger.confirm(carried.text) >= 0 for trigger in wanted):
            lines = self._writer_lines(line_record, carried.stream)
            found = self._carried(carried.text, lines, (line_record, carried))
            yield from (one for one in found if self.grammar.is_trace(one.owner) is is_trace)

    def _whole_line(self, owner: int, triggers: list[Trigger], stream: str) -> Iterator[Candidate]:
        """Yield what a detector of single lines claims of a line whose carrier tells the level."""
        text = decode_line(self.data[self.line : self._line_end()])
        for trigger in triggers:
            if trigger.confirm(text) >= 0:
                lines = Lines(self.data, [self.line], final=self.final, unwrap=decode_line)
                candidate = self._cut(owner, trigger, lines, 0, "")
                if candidate is not None:
                    candidate.stream = stream
                    yield candidate
                    return

    def _best_of_records(
        self, text: str, lines: WriterLines | None, found: tuple[Carrier, Carried] | None
    ) -> Candidate | None:
        """Return the trace that a field of a record carries."""
        piece = lines.extent(lines.hit, lines.hit + 1) if lines else (self.line, self._line_end())
        record = read_record(text)
        is_spread = begins_object(text) or (lines is None and is_member(text))
        if record is None and is_spread:
            spread = carried_record(lines) if lines else spread_record(self.data, self.line, self.floor)
            if spread is None:
                return None
            record, piece, is_complete = spread
            if not is_complete:
                if self.final:
                    return None
                open_lines = RecordLines([text], piece)
                return self._candidate(self.grammar.triggers[self.hits[0]].owner, piece, open_lines)
        if record is None:
            return None
        candidate = self._of_record(record, piece)
        if candidate is not None:
            candidate.record = record
            candidate.stream = found[1].stream if found else ""
            candidate.carried = _told(found[1], lines, lines.hit, lines.hit + 1) if found and lines else None
        return candidate

    def _of_record(self, record: Record, piece: tuple[int, int]) -> Candidate | None:
        """Return the best trace of the first text that holds one, else what is said of the whole line."""
        for hits in (self.hits, self.grammar.traces()):
            for body in record.texts:
                lines = RecordLines(body.splitlines(), piece)
                best = self._best(self._of_text(lines, body, hits))
                if best is not None:
                    return best
        lines = RecordLines([record.line], piece)
        return self._best(self._of_text(lines, record.line, self.hits, is_trace=False))

    def _of_text(
        self, lines: RecordLines, body: str, hits: Sequence[int], *, is_trace: bool = True
    ) -> Iterator[Candidate]:
        for owner, triggers in self.grammar.by_owner(hits):
            if self.grammar.is_trace(owner) is is_trace:
                for trigger in triggers:
                    candidate = self._cut_record(owner, trigger, lines, body)
                    if candidate is not None:
                        yield candidate
                        break

    def _cut_record(self, owner: int, trigger: Trigger, lines: RecordLines, body: str) -> Candidate | None:
        if trigger.search(body) is None:
            return None
        for index, line in enumerate(lines.texts):
            if trigger.confirm(line) >= 0:
                return self._cut(owner, trigger, lines, index, "")
        return None

    def _prefix(self, prefix: str, trigger: Trigger) -> str:
        """Return what is cut from every line: an envelope, or anything before the start of a pattern."""
        if trigger.is_anchored:
            return prefix
        is_trace = self.grammar.is_trace(trigger.owner)
        length = parse_envelope(prefix).length if is_trace else 0
        return prefix[:length] if _ends_within(prefix[length:]) or not length else prefix

    def _cut(self, owner: int, trigger: Trigger, lines: Lines, hit: int, prefix: str) -> Candidate | None:
        cut = self.grammar.cut(owner, lines, hit)
        is_told = isinstance(cut, Span) and cut.is_told
        if cut is None or (is_told and parse_envelope(prefix).severity is not None):
            return None
        last = min(cut.end, cut.start + MAX_LINES) if isinstance(cut, Span) else hit + 1
        start, end = lines.extent(cut.start, last)
        candidate = self._candidate(owner, (start, end), lines)
        candidate.is_open = isinstance(cut, More)
        if candidate.is_open:
            candidate.end = self.base + lines.known_to
        candidate.first, candidate.last = cut.start, last
        candidate.prefix, candidate.trigger = prefix, trigger.source
        candidate.is_hit_first = cut.start == hit
        candidate.is_record = isinstance(cut, Span) and cut.is_record
        return candidate

    def _candidate(self, owner: int, piece: tuple[int, int], lines: Lines) -> Candidate:
        """Return an open candidate that starts with the given piece of the data."""
        start, end = piece[0] + self.base, piece[1] + self.base
        return Candidate(owner, start, end, is_open=True, lines=lines, base=self.base, first=0, last=1)

    def _writer_lines(self, carrier: Carrier, stream: str) -> WriterLines:
        floor = max(self.floor, self.floors.get(stream, 0) - self.base)
        return WriterLines(self.data, self.line, floor, Writer(carrier, stream), final=self.final)

    def _starts(self) -> list[int]:
        """Return the starts of the lines a detector may look back to, and of the hit."""
        if self._reach is None:
            self._reach = line_starts(self.data, self.line, self.floor, LOOK_BACK)
        return self._reach


_BESIDE = 2000
"""Bytes above a line in which the writer's other lines show what they all begin with."""
_OF_MESSAGE = re.compile(r"\S\.[a-z]{1,4}:\d+: |[─━═]{3}")
"""The place of what was raised, as compilers and assertions write it; a box that is drawn."""


def _ends_within(said: str) -> bool:
    """Tell whether what stands behind an envelope ends within a word, brackets or a box, or behind a place in code."""
    is_torn = said[-1:].isalnum() or said.endswith(('"', "'", "_", "("))
    return is_torn or said.count("[") > said.count("]") or _OF_MESSAGE.search(said) is not None


def _told(carried: Carried, lines: Lines, first: int, last: int) -> Carried:
    """Return what the carrier told, and whether the last piece of one of the lines never came."""
    if not lines.is_torn(first, last):
        return carried
    return replace(carried, attributes={**carried.attributes, "partial": "true"})


def _read(carrier: Carrier, raw: bytes) -> str:
    carried = carrier(raw)
    return decode_line(raw) if carried is None else carried.text
