"""Read the sources of one pipeline: a thread for each, and one that cuts and detects."""

from __future__ import annotations

import hashlib
import platform
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from aiops_core.component import LogDetector, Source, utc_now
from aiops_core.detection import Detection, Fault, repeated
from aiops_core.errors import AiopsError, Retry, StoreError, UserError
from aiops_core.failpoints import failpoint
from aiops_core.handover import WrongType, signal_from, told
from aiops_core.ingest.committing import LONGEST_GATHER, Commits, Recorded
from aiops_core.ingest.stream import Stream
from aiops_core.overtime import Overseer
from aiops_core.pipeline import Pipeline, Step
from aiops_core.records import Event, LogBatch, Signal
from aiops_core.store import Store
from aiops_core.text.blocks import Claim, Cutter, Following, Piece
from aiops_core.text.redaction import Redactor
from aiops_core.text.repeats import Repeat
from aiops_core.text.streaks import Streak

SILENCE = 1.0
"""Seconds without a new line after which an open block is complete."""
LONGEST_OPEN = 30.0
"""Seconds after which an open block is closed although lines still come."""
_DRAIN = 3.0
"""Seconds that a stop gives sources to end."""
_DETECTING = 30.0
"""Seconds that one call of a detector may take."""
_CANARY_FIRST = 100
"""Priority of canaries: what waits before them is no reason to think that nobody works."""
_NEXT = 0.002
"""Seconds within which a source that is reading hands its next chunk over."""
_TICK = 0.1
_IDLE_TICK = 0.5
"""Seconds to the next look at the clock, while a block is open or a position uncommitted and else."""


@dataclass(frozen=True, slots=True)
class _Finished:
    """Say that a source step yields nothing more; ``forget`` drops what it had open."""

    forget: bool
    seen: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _Canary:
    """A made-up error that goes the way of all others and is kept nowhere."""

    number: int


_CANARY = (
    b"2000-01-01 00:00:00,000 ERROR aiops: canary\n"
    b"Traceback (most recent call last):\n"
    b'  File "canary.py", line 1, in sing\n'
    b"CanaryError: nothing is wrong\n"
)


def _seconds_of(step: Step) -> float | None:
    """Return how long a call of a detector may take, None for one that has a process of its own."""
    if step.is_apart:
        return None
    return _DETECTING if step.limits.time is None else step.limits.time.total_seconds()


class Ingest:
    """Read, detect and record for one pipeline, in its own thread; `start`, then `join` or `stop`."""

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        stopping: threading.Event,
        *,
        once: bool = False,
        fault: Fault,
        recorded: Recorded = lambda events, changes: None,
        redactor: Redactor | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._stopping = stopping
        self._once = once
        self._fault = fault
        self._clock = clock
        self._host = platform.node()
        self._queue: queue.Queue[tuple[Step, Signal | _Finished | _Canary, float]] = queue.Queue(maxsize=4)
        self._streams: dict[tuple[str, str], Stream] = {}
        self._unclosed: set[Stream] = set()
        """Those with an open block."""
        self._done: dict[tuple[str, str], frozenset[str]] = {}
        self._commits = Commits(
            pipeline,
            store,
            stopping,
            make=self._repeated,
            fault=fault,
            recorded=recorded,
            redactor=redactor or Redactor(),
            clock=clock,
        )
        self._heard_to = 0.0
        self._running = 0
        self.failure: Exception | None = None
        self._threads: list[threading.Thread] = []
        steps = pipeline.of_kind("detectors")
        detectors = [(step.name, step.component) for step in steps if isinstance(step.component, LogDetector)]
        log_steps = [step for step in steps if isinstance(step.component, LogDetector)]
        self._overseer = Overseer(
            [_seconds_of(step) for step in log_steps], partial(self._tell_of, detectors)
        )

        def detect(owner: int, claim: Claim) -> object:
            return self._overseer.call(
                owner, "detect", lambda: log_steps[owner].call("detect", block=claim.block)
            )

        self._detection = Detection(
            detectors,
            detect=detect,
            call=self._overseer.call,
            fault=fault,
            grouping=pipeline.config.grouping,
            zone=pipeline.config.zone,
        )

    @property
    def engine(self) -> str:
        """The name of the matcher in use."""
        return self._detection.grammar.matcher.engine

    @property
    def is_in_storm(self) -> bool:
        """Whether so many repeats come that reading needs the processor."""
        return self._commits.is_in_storm

    def start(self) -> None:
        """Start the threads."""
        sources = self._pipeline.of_kind("sources")
        self._running = len(sources)
        self._threads = [
            threading.Thread(target=self._ingest, name=f"ingest-{self._pipeline.name}", daemon=True)
        ]
        self._threads += [
            threading.Thread(target=self._pump, args=(step,), name=f"source-{step.name}", daemon=True)
            for step in sources
        ]
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the ingest thread; return whether it ended."""
        self._threads[0].join(timeout)
        return not self._threads[0].is_alive()

    def send_canary(self, number: int) -> bool:
        """Let a canary go the way of all errors; return False when reading does not even take it."""
        try:
            self._queue.put(
                (self._pipeline.of_kind("sources")[0], _Canary(number), time.monotonic()), timeout=1
            )
        except queue.Full:
            return False
        return True

    def _pump(self, step: Step) -> None:
        """Run one source for as long as it lives; restart it with backoff when it raises."""
        wait = 1.0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._read(step)
                break
            except BaseException as error:
                self._hand_over(step, finished := _Finished(forget=True))
                while not finished.seen.wait(0.1) and not self._stopping.is_set():
                    pass
                kind = "wrong type" if isinstance(error, WrongType) else type(error).__name__
                then = "What it read so far is kept" if self._once else "It is started again"
                self._fault(f"source {step.name}: {kind}", f"source {step.name}{told(error)}. {then}")
                wait = 1.0 if time.monotonic() - began > 60 else min(wait * 2, 30.0)
                if self._once:
                    break
                self._stopping.wait(max(wait, error.after if isinstance(error, Retry) else 0.0))
        self._hand_over(step, _Finished(forget=False))

    def _read(self, step: Step) -> None:
        checkpoints = self._store.checkpoints(self._pipeline.name, step.name)
        self._done.update(
            {(step.name, stream): frozenset(point.done) for stream, point in checkpoints.items()}
        )
        positions = {stream: point.position for stream, point in checkpoints.items()}
        for signal in step.call("source", positions=positions) or ():
            self._hand_over(step, signal_from(signal))
            if self._stopping.is_set():
                return

    def _hand_over(self, step: Step, signal: Signal | _Finished) -> None:
        while True:
            try:
                return self._queue.put((step, signal, time.monotonic()), timeout=0.5)
            except queue.Full:
                if self._stopping.is_set() and not self._threads[0].is_alive():
                    return

    def _tell_of(self, detectors: Sequence[tuple[str, LogDetector]], owner: int, text: str) -> None:
        name = detectors[owner][0]
        self._fault(
            f"detector {name}: PluginBroken", f"detector {name}: {text}. Its lines are counted unread"
        )

    def _ingest(self) -> None:
        self._overseer.start(self._stopping)
        try:
            self._follow_queue()
        except BaseException as error:
            self.failure = self._failed(error)  # nothing uncommitted is lost; the runner ends
            self._stopping.set()

    def _failed(self, error: BaseException) -> Exception:
        """Tell that reading ended; return what the program ends with: always a failure of ours."""
        said = f"{self._pipeline.name}: reading ended by {type(error).__name__}: {error}"
        try:
            self._fault("ingest", f"{said}. Start again: it goes on at the last commit")
        except AiopsError as other:
            said = f"{said}, and then {other}"
        if isinstance(error, Exception) and not isinstance(error, UserError):
            return error
        failure = AiopsError(f"{said}. Start again: it goes on at the last commit")
        failure.__cause__ = error
        return failure

    def _follow_queue(self) -> None:
        while self._running and not self._stopping.is_set():
            self._take()
            self._close_silent()
            self._commits.commit_if_due()
        if self._stopping.is_set():
            self._drain()
        for stream in self._streams.values():
            if not self._stopping.is_set() or not self._resumes(stream):
                self._close(stream)
        self._commits.commit()

    def _resumes(self, stream: Stream) -> bool:
        """Whether what a stop cuts off is read again, and whole."""
        step = self._pipeline.step("sources", stream.step)
        return step is None or not isinstance(step.component, Source) or step.component.resumes

    def _drain(self) -> None:
        """Take what sources handed over before the stop."""
        until = time.monotonic() + _DRAIN
        while self._running and time.monotonic() < until:
            self._take()

    def _take(self) -> None:
        """Take what is waiting, and what follows close on it.

        Note up to when everything that came is taken: a line that waits here is no silence.
        """
        try:
            tick = _TICK if self._unclosed or self._commits.awaits else _IDLE_TICK
            step, signal, self._heard_to = self._queue.get(timeout=tick)
            began = time.monotonic()
            while True:
                self._accept(step, signal)
                longest = max(self._commits.gathers_for, LONGEST_GATHER if self._once else 0.0)
                if time.monotonic() - began > longest or self._commits.is_full:
                    return
                step, signal, self._heard_to = self._queue.get(timeout=_NEXT)
        except queue.Empty:
            self._heard_to = time.monotonic()

    def _accept(self, step: Step, signal: Signal | _Finished | _Canary) -> None:
        if isinstance(signal, _Canary):
            self._sing(signal)
        elif isinstance(signal, LogBatch):
            self._accept_batch(step, signal)
        elif isinstance(signal, Event):
            self._accept_event(step, signal)
        elif signal.forget:
            self._commits.commit()
            for key in [key for key in self._streams if key[0] == step.name]:
                self._unclosed.discard(self._streams.pop(key))
            signal.seen.set()
        else:
            self._running -= 1

    def _sing(self, canary: _Canary) -> None:
        """Cut and detect the canary, commit what waits, and hand it to the workers."""
        cutter = Cutter(self._detection.grammar, 0, before=0, after=0)
        batch = LogBatch("canary", _CANARY, ((0, {}), (len(_CANARY), {})), ended=True, read_at=self._clock())
        for claim in (*cutter.feed(_CANARY)[0], *cutter.flush()):
            self._detection.events(claim, batch=batch)
        self._commits.commit()
        name = self._pipeline.name
        payload = {"pipeline": name, "number": canary.number}
        try:
            self._store.queue.enqueue(
                "canary", f"canary:{name}:{canary.number}", payload, priority=_CANARY_FIRST
            )
        except StoreError as error:
            self._fault("store", str(error))

    def _accept_batch(self, step: Step, batch: LogBatch) -> None:
        failpoint("after_read")
        if batch.read_at is None:
            batch = replace(batch, read_at=self._clock())
        key = (step.name, batch.stream)
        stream = self._streams.get(key)
        if stream is not None and stream.batch.offset + len(stream.batch.data) != batch.offset:
            self._close(stream)  # bytes were skipped: what was open cannot go on
            stream = None
        if stream is None:
            stream = self._streams[key] = self._open(step, batch)
        stream.batch = batch
        stream.batches.append(replace(batch, data=b""))
        stream.touched = self._heard_to
        stream.arrivals.append((stream.touched, batch.offset + len(batch.data)))
        self._commits.move(stream)
        stream.places.note(batch, stream.cutter.low_water)
        claims, late = stream.cutter.feed(batch.data)
        self._add_following(stream, late)
        self._add(stream, claims)
        self._note_open(stream)
        if stream.opened is not None:
            failpoint("in_block")
        if batch.ended:
            self._close(stream)
            del self._streams[key]

    def _open(self, step: Step, batch: LogBatch) -> Stream:
        context = self._pipeline.config.context
        return Stream(
            step=step.name,
            cutter=Cutter(self._detection.grammar, batch.offset, before=context.before, after=context.after),
            batch=batch,
            batches=deque(),
            done=set(self._done.get((step.name, batch.stream), ())),
            touched=self._heard_to,
        )

    def _note_open(self, stream: Stream) -> None:
        if not stream.cutter.is_open:
            self._unclosed.discard(stream)
            stream.opened = None
            stream.arrivals.clear()
        elif stream.opened is None or stream.open_from != stream.cutter.low_water:
            self._unclosed.add(stream)
            stream.opened, stream.open_from = stream.touched, stream.cutter.low_water

    def _close(self, stream: Stream) -> None:
        self._add(stream, stream.cutter.flush())
        self._commits.move(stream)
        self._unclosed.discard(stream)
        stream.opened = None

    def _close_silent(self) -> None:
        """Close the blocks to which nobody added anything for a while."""
        now = self._heard_to
        for stream in list(self._unclosed):
            if stream.opened is not None and now - stream.opened >= LONGEST_OPEN:
                self._close(stream)
                self._note_open(stream)
            elif stream.arrivals and now - stream.arrivals[0][0] >= SILENCE:
                self._close_quiet(stream, now - SILENCE)

    def _close_quiet(self, stream: Stream, since: float) -> None:
        """Close the blocks of those who wrote nothing after the moment ``since``."""
        quiet_to = 0
        while stream.arrivals and stream.arrivals[0][0] <= since:
            quiet_to = stream.arrivals.popleft()[1]
        self._add(stream, stream.cutter.flush(quiet_to))
        self._commits.move(stream)
        self._note_open(stream)

    def _add(self, stream: Stream, claims: Iterable[Piece]) -> None:
        wanted = self._pipeline.config.context.after
        for claim in claims:
            if isinstance(claim, Streak) and not stream.places and self._commits.count(stream, claim):
                continue
            events = self._detection.events(claim, batch=stream.batch, key=partial(self._key, stream))
            if isinstance(claim, Claim) and claim.continues is not None:
                told = {"continuation_of": self._key(stream, claim.continues, 0)}
                events = [replace(event, attributes={**event.attributes, **told}) for event in events]
            if isinstance(claim, Claim) and len(claim.after) < wanted:
                stream.keys[claim.start] = [event.key for event in events]
            for event in events:
                stream.emitted.append((event.start, event.key))
                if event.key in stream.done:
                    stream.done.discard(event.key)
                else:
                    self._commits.add(stream.step, stream.places.placed(event))

    def _add_following(self, stream: Stream, late: list[Following]) -> None:
        wanted = self._pipeline.config.context.after
        for following in late:
            keys = stream.keys.get(following.start, [])
            for key in keys:
                self._commits.follow(key, following.lines)
            if len(following.lines) >= wanted:
                stream.keys.pop(following.start, None)
        while len(stream.keys) > 100:
            del stream.keys[next(iter(stream.keys))]

    def _repeated(self, stream: Stream, batch: LogBatch, repeat: Repeat) -> Event:
        return repeated(repeat, batch, self._key(stream, repeat.start, 0))

    def _key(self, stream: Stream, start: int, index: int) -> str:
        parts = (self._pipeline.name, stream.step, self._host, stream.batch.stream, str(start), str(index))
        return hashlib.blake2b(
            "\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16
        ).hexdigest()

    def _accept_event(self, step: Step, event: Event) -> None:
        """Take an event that another system detected."""
        event = replace(
            event,
            detector=event.detector or step.name,
            severity=event.severity or "error",
            read_at=event.read_at or self._clock(),
        )
        event = self._detection.timed(event)
        event = replace(event, fingerprint=self._detection.grouping.fingerprint(event))
        if event.key in self._done.get((step.name, event.stream), frozenset()):
            return
        if event.position is not None:
            self._commits.ready_made(step.name, event.stream, event.position)
        self._commits.add(
            step.name,
            replace(event, key=event.key or f"{step.name}/{event.stream}/{event.fingerprint}/{event.start}"),
        )
