"""Gather what one transaction takes: counts, events, positions, jobs; and commit it."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.analysis import redact_record
from aiops_core.component import Source
from aiops_core.config import duration_text
from aiops_core.detection import Fault, repeated
from aiops_core.errors import PluginBroken, StoreError
from aiops_core.failpoints import failpoint
from aiops_core.handover import told
from aiops_core.ingest.counting import Counting
from aiops_core.ingest.stream import Stream
from aiops_core.pipeline import Pipeline
from aiops_core.records import Decision, Event, Json, LogBatch, Position
from aiops_core.step import Step
from aiops_core.store import Checkpoint, IncidentChange, Store, Volume, release_named
from aiops_core.text.redaction import Redactor
from aiops_core.text.repeats import Repeat
from aiops_core.text.streaks import Streak

COMMIT_EVERY = 0.5
"""Seconds after which positions are committed though nothing was found."""
_LONGEST_WAIT = 4.0
"""Seconds between tries while the disk takes nothing: reading goes on within ten of its cure."""
_MOST_EVENTS = 5000
_MOST_BLOCKS = 200_000
_GATHER = 0.05
"""Seconds for which signals that follow close on each other make one transaction."""
LONGEST_GATHER = 2.0
"""The same at most: in a storm, and when running once."""
_MOST_MET = 10_000
_MANY = 100
"""Known blocks for which it is worth waiting for more."""
_STORM = 1000
"""Blocks of one commit that are only counted."""

Recorded = Callable[[list[Event], list[IncidentChange]], None]


class _Pending(Struct):
    """What the next transaction holds."""

    counting: Counting
    events: list[tuple[Event, bool]] = field(default_factory=list)
    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    ready_made: dict[tuple[str, str], Position] = field(default_factory=dict)
    following: dict[str, tuple[str, ...]] = field(default_factory=dict)
    volumes: defaultdict[str, Volume] = field(default_factory=lambda: defaultdict(Volume))
    has_ended: bool = False
    """Whether a stream ended: its source may wait for the commit to answer somebody."""
    has_news: bool = False
    """Whether an event is of a kind that did not come lately: nobody waits for it longer than need be."""


class Commits:
    """What was read and is not committed yet."""

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        stopping: threading.Event,
        *,
        fault: Fault,
        recorded: Recorded,
        redactor: Redactor,
        clock: Callable[[], datetime],
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._stopping = stopping
        self._fault = fault
        self._recorded = recorded
        self._redactor = redactor
        self._clock = clock
        repository = pipeline.config.repository
        self._release = repository.release if repository is not None else ""
        self._unchecked = frozenset(
            step.name
            for step in pipeline.of_kind("sources")
            if isinstance(step.component, Source) and not step.component.checks_senders
        )
        self._is_observed = bool(pipeline.of_kind("extensions"))
        self._is_answered = not pipeline.only_records
        self._committed_at = 0.0
        self._took = 0.0
        self._was_storm = False
        self._has_given_up = False
        self._met: set[str] = set()
        """Fingerprints of events that came lately."""
        self._pending = self._nothing()

    def _nothing(self) -> _Pending:
        return _Pending(Counting(self._made, self._read_at, self._release_of))

    @property
    def awaits(self) -> bool:
        """Whether a stream has moved since the last commit."""
        return bool(self._pending.streams)

    @property
    def is_full(self) -> bool:
        """Whether no more should be gathered."""
        return len(self._pending.events) > _MOST_EVENTS or self._pending.counting.size > _MOST_BLOCKS

    @property
    def gathers_for(self) -> float:
        """Seconds worth waiting for more: while many known blocks come twenty times a commit."""
        if self._pending.counting.size < _MANY or self._pending.has_news:
            return _GATHER
        return min(max(COMMIT_EVERY, 20 * self._took), LONGEST_GATHER)

    @property
    def is_in_storm(self) -> bool:
        """Whether the last commit, not long ago, was mostly of what is only counted."""
        return self._was_storm and time.monotonic() - self._committed_at < 2 * LONGEST_GATHER

    def add(self, step: str, event: Event) -> None:
        """Take an event of a source step."""
        event = self._placed(step, event)
        self._pending.volumes[step].add(event)
        if event.fingerprint not in self._met:
            self._pending.has_news = True
            if len(self._met) >= _MOST_MET:
                self._met.clear()
            self._met.add(event.fingerprint)
        is_answerable = self._is_answerable(event.occurred_at or event.read_at, self._clock())
        self._pending.events.append((event, is_answerable))

    def count(self, stream: Stream, known: Streak | Repeat) -> bool:
        """Take blocks that were known; return False where each has to become an event."""
        if self._is_observed or stream.needs_keys:
            return False
        counting = self._pending.counting
        before = counting.size
        if isinstance(known, Streak):
            counting.add(stream, known)
        else:
            counting.add_one(stream, known)
        self._pending.volumes[stream.step].events += counting.size - before
        return True

    def read(self, step: str, size: int) -> None:
        """Count what a source step brought."""
        self._pending.volumes[step].bytes += size

    def move(self, stream: Stream) -> None:
        """Note that a stream was read on, or closed."""
        self._pending.streams[stream.step, stream.batch.stream] = stream
        self._pending.has_ended |= stream.batch.ended

    def ready_made(self, step: str, stream: str, position: Position) -> None:
        """Note how far a source has read that makes events itself."""
        self._pending.ready_made[step, stream] = position

    def follow(self, key: str, lines: tuple[str, ...]) -> None:
        """Take lines that came after an event."""
        self._pending.following[key] = (*self._pending.following.get(key, ()), *lines)

    def _made(self, stream: Stream, batch: LogBatch, repeat: Repeat) -> Event:
        return self._placed(stream.step, repeated(repeat, batch, stream.key(repeat.start, 0)))

    def _placed(self, step: str, event: Event) -> Event:
        if step in self._unchecked:
            event = replace(event, unauthenticated=True)
        if self._release and not release_named(event.attributes):
            event = replace(event, attributes={**event.attributes, "release": self._release})
        return event

    def _release_of(self, attributes: Mapping[str, str]) -> str:
        return release_named(attributes) or (
            release_named({"release": self._release}) if self._release else ""
        )

    def _read_at(self, batch: LogBatch) -> datetime:
        return batch.read_at or self._clock()

    def _is_answerable(self, happened: datetime | None, now: datetime) -> bool:
        return self._is_answered and now - (happened or now) <= self._pipeline.config.policy.max_age

    def commit_if_due(self) -> None:
        """Commit what people wait for at once, positions alone now and then."""
        pending = self._pending
        waited = time.monotonic() - self._committed_at
        if (
            pending.events
            or pending.counting
            or pending.following
            or (pending.streams and waited > COMMIT_EVERY)
            or pending.ready_made
            or pending.has_ended
        ):
            self.commit()

    def commit(self) -> None:
        """Commit counts, events, positions and jobs at once; wait for the disk when it is full.

        After one that a stop left undone there is none: its positions would lie behind what is to be read again.
        """
        pending, self._pending = self._pending, self._nothing()
        self._committed_at = time.monotonic()
        self._was_storm = pending.counting.size > _STORM
        checkpoints = [stream.checkpoint() for stream in pending.streams.values()]
        checkpoints += [Checkpoint(step, name, at, ()) for (step, name), at in pending.ready_made.items()]
        if self._has_given_up or not (checkpoints or pending.events or pending.following):
            return
        states = self._states()
        failpoint("before_commit")
        changes = self._persist(pending, checkpoints, states)
        if changes is None:
            return
        failpoint("after_commit")
        for point in checkpoints:
            step = self._pipeline.step("sources", point.step)
            if step is not None:
                self._isolated(step, point)
        self._add_context(pending.following)
        self._explain(changes)
        self._recorded([event for event, _ in pending.events], changes)
        self._took = time.monotonic() - self._committed_at

    def _states(self) -> dict[str, Json]:
        """Copy what components keep; leave out what is no JSON."""
        states: dict[str, Json] = {}
        for step in self._pipeline.steps:
            if not step.component.context.state:
                continue
            try:
                states[step.name] = json.loads(json.dumps(step.component.context.state))
            except (TypeError, ValueError, RuntimeError) as error:
                self._fault(
                    f"{step.name}: state",
                    f"{step.name} keeps state that is no JSON: {error}. It is not saved",
                )
        return states

    def _add_context(self, following: Mapping[str, tuple[str, ...]]) -> None:
        """Write the lines after earlier events: best effort, never a reason to wait."""
        if not following:
            return
        try:
            redact = self._redactor.redact
            self._store.add_context_after(
                {key: tuple(map(redact, lines)) for key, lines in following.items()}
            )
        except StoreError as error:
            self._fault("store", str(error))

    def _explain(self, changes: Iterable[IncidentChange]) -> None:
        """Say why an incident that awaits an answer gets none: best effort, as it is no news later."""
        if self._is_answered:
            oldest = duration_text(self._pipeline.config.policy.max_age)
            text = (
                f"not answered: its events were older than {oldest} when they were read. "
                "A newer one is answered, or this one with 'aiops incidents retry'"
            )
            decision = Decision("max-age", text, setting="policy.max_age")
        else:
            text = (
                "recorded only: the pipeline names nobody who analyses it or is told. "
                "Once it does, the next event is answered, or this one with 'aiops incidents retry'"
            )
            decision = Decision("recorded", text, setting="analyzers")
        unanswered = [
            change.incident_id
            for change in changes
            if change.before != change.after
            and change.after in {"new", "regressed"}
            and change.run_id is None
        ]
        if not unanswered:
            return
        try:
            self._store.incidents.decide_all(unanswered, None, decision)
        except StoreError as error:
            self._fault("store", str(error))

    def _isolated(self, step: Step, point: Checkpoint) -> None:
        if step.is_off:
            return
        try:
            step.call("committed", stream=point.stream, position=point.position)
        except BaseException as error:
            what = "" if isinstance(error, PluginBroken) else ": committed()"
            self._fault(f"source {step.name}: committed", f"source {step.name}{what}{told(error)}")

    def _persist(
        self, pending: _Pending, checkpoints: list[Checkpoint], states: Mapping[str, object]
    ) -> list[IncidentChange] | None:
        """Try until the store takes it; reading waits meanwhile, so nothing is lost."""
        wait, now = 0.5, self._clock()
        counted = [(one, self._is_answerable(one.last, now)) for one in pending.counting.counted()]
        while True:
            try:
                return self._store.record(
                    self._pipeline.name,
                    pending.events,
                    checkpoints,
                    states,
                    redact=lambda event: redact_record(event, self._redactor),
                    counted=counted,
                    volumes=pending.volumes,
                )
            except StoreError as error:
                self._fault("store", str(error))
                if self._stopping.is_set():
                    self._has_given_up = True
                    return None  # not committed: the same bytes are read again next time
                self._stopping.wait(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
