"""Run the sources of one pipeline, a thread for each, and queue what they hand over."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from msgspec import Struct, field

from aiops_core.detection import Fault
from aiops_core.errors import Retry
from aiops_core.handover import WrongType, signal_from, told
from aiops_core.records import Position, Signal
from aiops_core.step import Step

T = TypeVar("T")
_WAITING = 4
"""Signals that wait to be taken: with more of them sources read no further."""


class Finished(Struct, frozen=True):
    """Say that a source step yields nothing more; ``forget`` drops what it had open."""

    forget: bool
    seen: threading.Event = field(default_factory=threading.Event)


class Canary(Struct, frozen=True):
    """A made-up error that goes the way of all others and is kept nowhere."""

    number: int


Handed: TypeAlias = Signal | Finished | Canary
"""What waits to be taken."""


class HandOver(queue.Queue[T]):
    """A queue that was full has room again when half of it is taken.

    A source that is faster than what follows would else be woken for every signal: each time is a switch of
    threads and back.
    """

    def get(self, block: bool = True, timeout: float | None = None) -> T:
        with self.not_empty:
            if not self._qsize() and not (block and self.not_empty.wait_for(self._qsize, timeout)):
                raise queue.Empty
            item: T = self._get()
            if self._qsize() <= self.maxsize // 2:
                self.not_full.notify_all()
            return item


class Sources:
    """The source steps of one pipeline while they run."""

    def __init__(
        self,
        steps: Sequence[Step],
        stopping: threading.Event,
        *,
        once: bool,
        positions: Callable[[Step], Mapping[str, Position]],
        is_taken: Callable[[], bool],
        fault: Fault,
    ) -> None:
        """Begin each source at its ``positions``; a stop waits no longer when nothing ``is_taken`` any more."""
        self.steps = steps
        self._stopping = stopping
        self._once = once
        self._positions = positions
        self._is_taken = is_taken
        self._fault = fault
        self._queue: HandOver[tuple[Step, Handed, float]] = HandOver(maxsize=_WAITING)
        self._threads: list[tuple[Step, threading.Thread]] = []

    def start(self) -> None:
        """Start the threads."""
        for step in self.steps:
            thread = threading.Thread(
                target=self._pump, args=(step,), name=f"source-{step.name}", daemon=True
            )
            self._threads.append((step, thread))
            thread.start()

    @property
    def reading(self) -> list[Step]:
        """The sources whose threads live."""
        return [step for step, thread in self._threads if thread.is_alive()]

    def take(self, timeout: float) -> tuple[Step, Handed, float]:
        """Return what waits longest and when it came; raise queue.Empty when nothing comes in time."""
        return self._queue.get(timeout=timeout)

    def send(self, canary: Canary) -> bool:
        """Let a canary go the way of all signals; return False when there is no room for it."""
        try:
            self._queue.put((self.steps[0], canary, time.monotonic()), timeout=1)
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
                self._hand_over(step, finished := Finished(forget=True))
                while not finished.seen.wait(0.1) and not self._stopping.is_set():
                    pass
                kind = "wrong type" if isinstance(error, WrongType) else type(error).__name__
                then = "What it read so far is kept" if self._once else "It is started again"
                self._fault(f"source {step.name}: {kind}", f"source {step.name}{told(error)}. {then}")
                wait = 1.0 if time.monotonic() - began > 60 else min(wait * 2, 30.0)
                if self._once:
                    break
                self._stopping.wait(max(wait, error.after if isinstance(error, Retry) else 0.0))
        self._hand_over(step, Finished(forget=False))

    def _read(self, step: Step) -> None:
        for signal in step.call("source", positions=self._positions(step)) or ():
            self._hand_over(step, signal_from(signal))
            if self._stopping.is_set() and not self._is_taken():
                return

    def _hand_over(self, step: Step, signal: Signal | Finished) -> None:
        while True:
            try:
                return self._queue.put((step, signal, time.monotonic()), timeout=0.5)
            except queue.Full:
                step.component.context.stopping.is_set()  # shows that the source lives
                if self._stopping.is_set() and not self._is_taken():
                    return
