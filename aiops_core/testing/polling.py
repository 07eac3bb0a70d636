"""Run a query source against a service in simulated time, with commits and kills where a test wants them."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiops_core.context import Context
from aiops_core.polling import STREAM, PolledSource
from aiops_core.records import Json, LogBatch, Position


class SimulatedTime(threading.Event):
    """A clock, and the ``stopping`` of a context whose pauses only move the clock; set at the ``end``."""

    def __init__(self, now: datetime, end: datetime) -> None:
        super().__init__()
        self.now = now
        self.end = end

    def __call__(self) -> datetime:
        """Return the time it is."""
        return self.now

    def go_on(self, seconds: float) -> None:
        """Move the end away, so that another run can begin."""
        self.end = self.now + timedelta(seconds=seconds)
        self.clear()

    def wait(self, timeout: float | None = None) -> bool:
        """Let time go by."""
        self.now += timedelta(seconds=timeout or 0)
        if self.now >= self.end:
            self.set()
        return self.is_set()


class PolledReader:
    """One run of a source after the other, with what a database and a text would hold of them.

    ``text`` is what was read, up to ``end`` on every run; where a run reads again what the one before
    it had committed, the bytes must be the same.
    """

    def __init__(
        self,
        make: Callable[[Context], PolledSource[Any]],  # Any: a config of any kind of service
        time: SimulatedTime,
        *,
        once: bool = False,
        directory: Path = Path(),
    ) -> None:
        self.time = time
        self.messages: list[str] = []
        self.text = b""
        self.positions: Mapping[str, Position] = {}
        self._make = make
        self._once = once
        self._directory = directory
        self._state: Json = {}
        self._kept = 0
        self._begin()

    def _begin(self) -> None:
        self.context = Context(
            name="query",
            directory=self._directory,
            clock=self.time,
            stopping=self.time,
            once=self._once,
            state=json.loads(json.dumps(self._state)),
            logger=self._logger(),
        )
        self.source = self._make(self.context)
        self.source.start()
        self._signals: Iterator[Any] = iter(self.source.source(self.positions))  # Any: only batches come
        self._batches: list[LogBatch] = []
        self._low = int(self.positions.get(STREAM, {}).get("offset", 0))

    def read(self, batches: int = 1 << 30) -> bool:
        """Take up to so many batches; return whether there are more."""
        for _ in range(batches):
            batch = next(self._signals, None)
            if batch is None:
                return False
            self._take(batch)
        return True

    def _take(self, batch: LogBatch) -> None:
        end = batch.offset + len(batch.data)
        again = self.text[batch.offset : end]
        assert batch.data[: len(again)] == again, f"at {batch.offset} stood {again!r}, now {batch.data!r}"
        self.text = self.text[: batch.offset].ljust(batch.offset, b"\0") + batch.data + self.text[end:]
        self._batches.append(batch)

    def commit(self, share: float = 1.0) -> None:
        """Commit a part of what was read since the last commit, and what the component keeps."""
        if not self._batches:
            return
        last = self._batches[-1]
        self._low = low = self._low + int((last.offset + len(last.data) - self._low) * share)
        while len(self._batches) > 1 and self._batches[1].offset <= low:
            del self._batches[0]
        position = self._batches[0].position_at(low - self._batches[0].offset)
        self.positions = {STREAM: json.loads(json.dumps(position))}
        self._state = json.loads(json.dumps(self.context.state))
        self._kept = len(self.text)
        self.source.committed(STREAM, self.positions[STREAM])

    def kill(self, pause: float = 0.0) -> None:
        """End this run as a crash does, and begin the next one after a pause."""
        self.end_run()
        self.text = self.text[: self._kept]
        self.time.now += timedelta(seconds=pause)
        self._begin()

    def end_run(self) -> None:
        """Let go of the present run."""
        close = getattr(self._signals, "close", None)
        if close is not None:
            close()
        self.source.stop()

    def _logger(self) -> logging.Logger:
        logger = logging.Logger("query")
        handler = logging.Handler()
        handler.emit = lambda record: self.messages.append(record.getMessage())  # type: ignore[method-assign]
        logger.addHandler(handler)
        return logger
