"""Read the sources of one pipeline: a thread for each, and one that cuts and detects."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec.structs import replace

from aiops_core.component import Source
from aiops_core.context import utc_now
from aiops_core.detection import Fault
from aiops_core.errors import AiopsError, StoreError, UserError
from aiops_core.ingest.committing import LONGEST_GATHER, Commits, Recorded
from aiops_core.ingest.detecting import overseen
from aiops_core.ingest.pauses import Pauses
from aiops_core.ingest.sources import Canary, Handed, Sources
from aiops_core.ingest.stream import Stream
from aiops_core.ingest.streams import Streams
from aiops_core.pipeline import Pipeline
from aiops_core.records import Event, LogBatch, Position
from aiops_core.step import Step
from aiops_core.store import Store
from aiops_core.text.blocks import Cutter
from aiops_core.text.redaction import Redactor

_DRAIN = 3.0
"""Seconds that a stop gives sources to end."""
_CANARY_FIRST = 100
"""Priority of canaries: what waits before them is no reason to think that nobody works."""
_NEXT = 0.002
"""Seconds within which a source that is reading hands its next chunk over."""
_TICK = 0.1
_IDLE_TICK = 0.5
"""Seconds to the next look at the clock, while a block is open or a position uncommitted and else."""
_CANARY = (
    b"2000-01-01 00:00:00,000 ERROR aiops: canary\n"
    b"Traceback (most recent call last):\n"
    b'  File "canary.py", line 1, in sing\n'
    b"CanaryError: nothing is wrong\n"
)


def canary_key(pipeline: str, number: int) -> str:
    """Return the key of the job that a canary becomes."""
    return f"canary:{pipeline}:{number}"


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
        self._done: dict[tuple[str, str], frozenset[str]] = {}
        self._commits = Commits(
            pipeline,
            store,
            stopping,
            fault=fault,
            recorded=recorded,
            redactor=redactor or Redactor(),
            clock=clock,
        )
        self._detection, self._overseer = overseen(pipeline, fault)
        self._streams = Streams(pipeline, self._detection, self._commits)
        self._thread = threading.Thread(target=self._ingest, name=f"ingest-{pipeline.name}", daemon=True)
        self._sources = Sources(
            pipeline.of_kind("sources"),
            stopping,
            once=once,
            positions=self._positions,
            is_taken=self._thread.is_alive,
            fault=fault,
        )
        self._running = len(self._sources.steps)
        self._pauses = Pauses()
        self._heard_to = 0.0
        self.failure: Exception | None = None

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
        self._thread.start()
        self._sources.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the ingest thread; return whether it ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def reading(self) -> list[Step]:
        """The sources whose threads live."""
        return self._sources.reading

    def send_canary(self, number: int) -> bool:
        """Let a canary go the way of all errors; return False when reading does not even take it."""
        return self._sources.send(Canary(number))

    def _positions(self, step: Step) -> Mapping[str, Position]:
        """Return where a source step begins, and note what is counted above that."""
        checkpoints = self._store.checkpoints(self._pipeline.name, step.name)
        self._done.update(
            {(step.name, stream): frozenset(point.done) for stream, point in checkpoints.items()}
        )
        return {stream: point.position for stream, point in checkpoints.items()}

    def _ingest(self) -> None:
        self._overseer.start(self._stopping)
        self._pauses.start(self._stopping)
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
            self._streams.close_silent(self._heard_to, self._pauses.runs_since)
            self._commits.commit_if_due()
        if self._stopping.is_set():
            self._drain()
        self._streams.close_all(lambda stream: not self._stopping.is_set() or not self._resumes(stream))
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
            tick = _TICK if self._streams.has_unclosed or self._commits.awaits else _IDLE_TICK
            step, signal, self._heard_to = self._sources.take(tick)
            began = time.monotonic()
            while True:
                self._accept(step, signal)
                longest = max(self._commits.gathers_for, LONGEST_GATHER if self._once else 0.0)
                if time.monotonic() - began > longest or self._commits.is_full:
                    return
                step, signal, self._heard_to = self._sources.take(_NEXT)
        except queue.Empty:
            self._heard_to = time.monotonic()

    def _accept(self, step: Step, signal: Handed) -> None:
        if isinstance(signal, Canary):
            self._sing(signal)
        elif isinstance(signal, LogBatch):
            batch = signal if signal.read_at is not None else replace(signal, read_at=self._clock())
            done = self._done.get((step.name, batch.stream), frozenset())
            self._streams.accept(step.name, batch, self._heard_to, done)
        elif isinstance(signal, Event):
            self._accept_event(step, signal)
        elif signal.forget:
            self._commits.commit()
            self._streams.forget(step.name)
            signal.seen.set()
        else:
            self._running -= 1

    def _sing(self, canary: Canary) -> None:
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
                "canary", canary_key(name, canary.number), payload, priority=_CANARY_FIRST
            )
        except StoreError as error:
            self._fault("store", str(error))

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
