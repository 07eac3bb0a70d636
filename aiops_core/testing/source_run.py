"""Run a source in a thread as a host does, and keep what it yields."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from aiops_core.context import Context
from aiops_core.records import Json, LogBatch, Position

DEADLINE = 60.0
"""How many seconds a test waits for what it expects: so many on a machine that is busy with others, too."""
_PAUSE = 0.005


class SourceRun:
    """One run after the other of one source, with what a host commits kept between them.

    ``make`` builds the source from the context of a run; ``settings`` say how. ``batches`` holds what
    all runs yielded, ``positions`` where the next one begins, ``messages`` what was logged.
    """

    def __init__(
        self,
        make: Callable[[Context], Any],  # Any: a source of any kind, with what only it has
        directory: Path,
        *,
        name: str = "source",
    ) -> None:
        self.batches: list[LogBatch] = []
        self.positions: dict[str, Position] = {}
        self.messages: list[str] = []
        self.failure: BaseException | None = None
        self._make = make
        self._directory = directory
        self._name = name
        self._state: Json = {}
        self._going = threading.Event()
        self._going.set()
        self._thread: threading.Thread | None = None

    def start(self, *, once: bool = False) -> Self:
        """Begin a run where the one before it was committed."""
        self.context = Context(
            name=self._name,
            directory=self._directory,
            once=once,
            logger=self._logger(),
            stopping=threading.Event(),
            state=json.loads(json.dumps(self._state)),
        )
        self.component = self._make(self.context)
        self.component.start()
        self._thread = threading.Thread(target=self._run, args=(dict(self.positions),))
        self._thread.start()
        return self

    def stop(self) -> Self:
        """End the run; raise what the source raised."""
        if self._thread is not None:
            self.context.stopping.set()
            self._going.set()
            self.component.stop()
        return self.join()

    def join(self) -> Self:
        """Wait until the run has ended by itself; raise what the source raised."""
        if self._thread is not None:
            self._thread.join(DEADLINE)
            assert not self._thread.is_alive(), "the source did not end"
            self._thread = None
            self._state = dict(self.context.state)
        if self.failure:
            raise self.failure
        return self

    def run_once(self) -> Self:
        """Run over what is there."""
        return self.start(once=True).join().stop()

    def hold(self) -> None:
        """Take no further batch: the pipeline falls behind."""
        self._going.clear()

    def release(self) -> None:
        """Go on after ``hold``."""
        self._going.set()

    def _run(self, positions: dict[str, Position]) -> None:
        try:
            for batch in self.component.source(positions):
                self.batches.append(batch)
                if not self._going.is_set():
                    self._going.wait(DEADLINE)
                    if self.context.stopping.is_set():
                        return
                self.positions[batch.stream] = batch.end
                self.component.committed(batch.stream, batch.end)
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            self.failure = error

    def _logger(self) -> logging.Logger:
        logger = logging.Logger(self._name)
        handler = logging.Handler()
        handler.emit = lambda record: self.messages.append(record.getMessage())  # type: ignore[method-assign]
        logger.addHandler(handler)
        return logger

    @property
    def chunks(self) -> list[LogBatch]:
        """Return the batches that hold any data."""
        return [batch for batch in list(self.batches) if batch.data]

    @property
    def streams(self) -> list[str]:
        """Return the streams that data came from, in order."""
        return list(dict.fromkeys(batch.stream for batch in self.chunks))

    @property
    def data(self) -> bytes:
        """Return all that was read."""
        return b"".join(batch.data for batch in list(self.batches))

    @property
    def lines(self) -> list[str]:
        """Return the lines that were read."""
        return self.data.decode("utf-8", "replace").splitlines()

    def wait(
        self, is_so: Callable[[], object], what: str = "what was expected", seconds: float = DEADLINE
    ) -> Self:
        """Return as soon as something is so; fail after so many seconds, or with the source."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if self.failure:
                raise self.failure
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self}"
            time.sleep(_PAUSE)
        return self

    def wait_for(self, *lines: str, seconds: float = DEADLINE) -> Self:
        """Return as soon as these lines were read, and no others."""
        return self.wait(lambda: self.lines == list(lines), f"{lines}, got {self.lines}", seconds)

    def __str__(self) -> str:
        told = [(b.stream, b.path.rpartition("/")[2], b.offset, len(b.data), b.ended) for b in self.batches]
        return f"{told[-30:]} {self.messages}"
