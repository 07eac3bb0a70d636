"""From claims to events: parse, fill in what the host knows, fingerprint."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from msgspec.structs import replace

from aiops_core.component import LogDetector
from aiops_core.errors import is_interrupt
from aiops_core.handover import WrongType, events_from, told
from aiops_core.records import RELEASE_ATTRIBUTES, Block, Event, LogBatch
from aiops_core.text.blocks import Claim, Grammar, Piece
from aiops_core.text.candidates import Call
from aiops_core.text.carriers import Carried
from aiops_core.text.envelope import Envelope, parse_envelope
from aiops_core.text.grouping import Grouping, GroupingRule
from aiops_core.text.known_blocks import Lesson
from aiops_core.text.openings import Told, told_by
from aiops_core.text.repeats import Repeat, RepeatedLine
from aiops_core.text.streaks import Streak
from aiops_core.text.timestamps import in_zone, match_time, read_moment

_CACHE = 512
_NUMBER = re.compile(r"(?<![A-Za-z_])\d+(?:T\d+)?")
"""Times and the like; what is part of a name may tell two errors apart."""
_Said = tuple[int, tuple[str, ...], str, str]
"""What a detector reads of a block: its own lines, the logging line above, what stands before them."""
_RELEASE = frozenset(RELEASE_ATTRIBUTES)

Fault = Callable[[str, str], None]
"""Report a failure of the pipeline itself: (cause, text)."""


class Detection:
    """Turn claims into events: parse, fill in what the host knows, fingerprint."""

    def __init__(
        self,
        steps: Iterable[tuple[str, LogDetector]],
        *,
        detect: Callable[[int, Claim], object] | None = None,
        call: Call | None = None,
        fault: Fault | None = None,
        engine: str = "",
        grouping: Sequence[GroupingRule] = (),
        zone: tzinfo = UTC,
    ) -> None:
        """Compile the detectors of ``steps`` (name, detector); ``detect`` replaces the direct call.

        ``call`` makes the calls of detectors, given who is called and what.
        ``zone`` is that of times that name none.
        """
        named = list(steps)
        self._names = [name for name, _ in named]
        self._detectors = [detector for _, detector in named]
        self._detect = detect or (lambda owner, claim: self._detectors[owner].detect(claim.block))
        self._fault = fault
        self._zone = zone
        self.grouping = Grouping(grouping)
        self._cache: OrderedDict[_Said, tuple[Event, ...]] = OrderedDict()
        failed = self._failed if fault else None
        self.grammar = Grammar(self._detectors, engine=engine, failed=failed, call=call, zone=zone)

    def events(
        self, claim: Piece, *, batch: LogBatch, key: Callable[[int, int], str] = lambda start, index: ""
    ) -> list[Event]:
        """Return the events of one claim with place, times, severity and fingerprint.

        ``key`` gives the key of the event of this number in the block that starts there.
        """
        if isinstance(claim, Claim):
            return self._read(claim, batch, key)
        repeats = claim.repeats() if isinstance(claim, Streak) else (claim,)
        return [repeated(repeat, batch, key(repeat.start, 0)) for repeat in repeats]

    def _read(self, claim: Claim, batch: LogBatch, key: Callable[[int, int], str]) -> list[Event]:
        block = claim.block
        head = claim.record or block.headline or block.prefix or block.lines[0]
        envelope = parse_envelope(head, zone=self._zone)
        carried = claim.carried or Carried("", "")
        is_trace = self._detectors[claim.detector].rank == "trace"
        outer = told_by(envelope)
        written_at = self._written_at(envelope, carried)
        found = []
        for index, event in enumerate(self._parsed(claim, is_trace=is_trace)):
            severity: str | None = event.severity
            if outer.level is not None and (severity is None or (is_trace and severity != "critical")):
                severity = outer.level
            attributes = {**carried.attributes, **envelope.attributes, **batch.attributes, **event.attributes}
            found.append(
                replace(
                    event,
                    severity=severity or "error",
                    occurred_at=event.occurred_at or written_at,
                    read_at=batch.read_at,
                    attributes=attributes,
                    path=batch.path,
                    stream=batch.stream,
                    start=claim.start,
                    end=claim.end,
                    headline=block.headline,
                    block=block.raw,
                    context_before=claim.before,
                    context_after=claim.after,
                    truncated=block.truncated,
                    key=key(claim.start, index),
                )
            )
        may_repeat = is_trace or not self._detectors[claim.detector].reads_numbers
        # Of which release a repeat is would be guessed.
        may_repeat = may_repeat and _RELEASE.isdisjoint(envelope.attributes)
        if claim.lesson is not None and may_repeat and not self.grouping.reads_messages:
            self._learn(claim, claim.lesson, outer, found, batch)
        return found

    def _learn(
        self, claim: Claim, lesson: Lesson, told: Told, events: Iterable[Event], batch: LogBatch
    ) -> None:
        block, bare = claim.block, [_bare(event, told, batch) for event in events]
        rest = block.lines[0]
        if block.headline:
            said = block.headline[parse_envelope(block.headline, zone=self._zone).length :]
            rest = said if any(_is_told_by(said, event, block) for event in bare) else ""
        self.grammar.repeats.learn(claim.detector, lesson, rest, told, bare)

    def _parsed(self, claim: Claim, *, is_trace: bool) -> tuple[Event, ...]:
        if not is_trace:
            return self._parse(claim)
        block = claim.block
        key = (claim.detector, block.lines, self._undated(block.headline), self._undated(block.prefix))
        events = self._cache.get(key)
        if events is None:
            events = self._parse(claim)
            if any(
                self._is_dated(event, head) for event in events for head in (block.headline, block.prefix)
            ):
                return events
            self._cache[key] = events
            if len(self._cache) > _CACHE:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(key)
        return events

    def _is_dated(self, event: Event, head: str) -> bool:
        """Tell whether a message holds what each such block has of its own."""
        envelope = head[: parse_envelope(head, zone=self._zone).length].strip()
        return bool(envelope) and envelope in event.message

    def _undated(self, head: str) -> str:
        """Return what stands above or before a block without the numbers of its envelope: each has its own time."""
        length = parse_envelope(head, zone=self._zone).length
        return _NUMBER.sub("", head[:length]) + head[length:]

    def _parse(self, claim: Claim) -> tuple[Event, ...]:
        name = self._names[claim.detector]
        try:
            return self._named(name, events_from(self._detect(claim.detector, claim)))
        except BaseException as error:
            if self._fault is None or is_interrupt(error):
                raise
            self._failed(claim.detector, error)
            return self._named(name, [Event(type=f"unread {name}", message=claim.block.first_line[:500])])

    def _named(self, detector: str, events: list[Event]) -> tuple[Event, ...]:
        named = [replace(self.timed(event), detector=detector) for event in events]
        return tuple(replace(event, fingerprint=self.grouping.fingerprint(event)) for event in named)

    def timed(self, event: Event) -> Event:
        """Take a time that a detector left without a zone as the log's own."""
        if event.occurred_at is None or event.occurred_at.tzinfo is not None:
            return event
        return replace(event, occurred_at=in_zone(event.occurred_at, self._zone))

    def _written_at(self, envelope: Envelope, carried: Carried) -> datetime | None:
        """Return when the lines say they were written; a time that names its zone comes first."""
        if envelope.occurred_at is not None and envelope.has_zone:
            return envelope.occurred_at
        found = match_time(carried.envelope) if carried.envelope else None
        moment = read_moment(found, datetime.now(UTC)) if found else None
        if moment is not None and (moment.tzinfo is not None or envelope.occurred_at is None):
            return in_zone(moment, self._zone)
        return envelope.occurred_at

    def _failed(self, owner: int, error: BaseException) -> None:
        if self._fault is not None:
            name = self._names[owner]
            kind = "wrong type" if isinstance(error, WrongType) else type(error).__name__
            self._fault(
                f"detector {name}: {kind}", f"detector {name}{told(error)}. Its lines are counted unread"
            )


def _is_told_by(said: str, event: Event, block: Block) -> bool:
    """Tell whether a logging line, not the trace below it, said what happened."""
    own = "\n".join(block.lines)
    types = {one.type for one in event.exceptions if one.type not in own}
    texts = {line for one in event.exceptions for line in one.message.split("\n")}
    return any(one in said for one in types) or any(line not in own for line in texts)


def _bare(event: Event, told: Told, batch: LogBatch) -> Event:
    """Return the event without what only its first line, its batch and its surroundings told."""
    outer = {**told.attributes, **batch.attributes}
    own = {name: value for name, value in event.attributes.items() if outer.get(name) != value}
    return replace(event, attributes=own, context_before=(), context_after=())


def repeated(repeat: Repeat | RepeatedLine, batch: LogBatch, key: str) -> Event:
    """Return the event of a block that was known."""
    return repeat.event(
        attributes=batch.attributes, read_at=batch.read_at, path=batch.path, stream=batch.stream, key=key
    )
