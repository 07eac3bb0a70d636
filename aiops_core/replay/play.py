"""Play recorded logs: record what they hold at its time, and do every job when it is due."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiops_core.analysis import redact_record
from aiops_core.pipeline import Loaded, Pipeline
from aiops_core.records import Event
from aiops_core.replay.logs import find_events, read_logs
from aiops_core.replay.picture import picture
from aiops_core.replay.stand_ins import Sent, harmless
from aiops_core.respond import Responder
from aiops_core.store import Store

_BURST = timedelta(seconds=0.5)
"""Events so close on each other are recorded at once, as a run does."""
_LEASE = 3600.0
_OUTSIDE = frozenset({"follow", "talk", "watch"})
"""Jobs that look at what became of a request: in a replay nothing becomes of it."""
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - nothing but a database that is thrown away


class _Clock:
    """The present time of a replay."""

    def __init__(self) -> None:
        self.now = datetime(2000, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def replay(
    loaded: Loaded,
    logs: Sequence[Path],
    *,
    cassette: Path | None = None,
    only: str = "",
    after: timedelta = timedelta(hours=1),
) -> dict[str, Any]:  # Any: plain data, for YAML
    """Return what the pipelines would do about recorded logs; they have no effect on anything.

    Models are not asked: a fitting answer of the ``cassette`` stands for theirs, else what asking
    would take is estimated. A proposed fix counts as one that passed its tests. ``after`` is how
    long the clock goes on when the logs have ended.
    """
    chosen = [one for one in loaded.pipelines if only in ("", one.name)]
    return {one.name: _played(loaded, one, logs, cassette, after) for one in chosen}


def _played(
    loaded: Loaded, pipeline: Pipeline, logs: Sequence[Path], cassette: Path | None, after: timedelta
) -> dict[str, Any]:
    clock, sent = _Clock(), list[Sent]()
    with (
        tempfile.TemporaryDirectory(prefix="aiops-replay-", dir=_fast_directory()) as directory,
        Store.open(Path(directory), clock=clock) as store,
    ):
        built = harmless(pipeline, clock, cassette, sent)
        player = _Player(loaded, built, store, clock, Path(directory))
        events = find_events(built, read_logs(logs), player.fault)
        player.play(events, after)
        begin = min((event.read_at for event in events if event.read_at), default=clock.now)
        return picture(built, store, sent, begin, loaded.path.parent)


class _Player:
    def __init__(self, loaded: Loaded, pipeline: Pipeline, store: Store, clock: _Clock, state: Path) -> None:
        self._pipeline = pipeline
        self._store = store
        self._clock = clock
        self._redactor = loaded.redactor
        quiet = logging.Logger("replay", logging.CRITICAL + 1)  # what goes wrong is in the picture
        self._responder = Responder(
            [pipeline],
            store,
            state=state,
            disk=loaded.document.disk,
            redactor=self._redactor,
            per_day=loaded.document.budget.per_day,
            logger=quiet,
            clock=clock,
            is_rehearsal=True,
        )
        self._kinds = [kind for kind in self._responder.kinds if kind not in _OUTSIDE]

    def fault(self, cause: str, text: str) -> None:
        self._responder.telling.fault(self._pipeline.name, cause, text)

    def play(self, events: Sequence[Event], after: timedelta) -> None:
        """Let the clock go from the first event to some time after the last."""
        self._clock.now = _time(events[0]) if events else self._clock.now
        self._responder.look_after()
        for burst in _bursts(events):
            first, last = _time(burst[0]), _time(burst[-1])
            self._work_until(first)
            self._clock.now = max(self._clock.now, last)
            self._store.record(
                self._pipeline.name,
                [(event, True) for event in burst],
                [],
                {},
                redact=lambda event: redact_record(event, self._redactor),
            )
        self._work_until(self._clock.now + after)

    def _work_until(self, end: datetime) -> None:
        queue = self._store.queue
        while (due := queue.next_due(self._kinds)) is not None and due <= end:
            self._clock.now = max(self._clock.now, due)
            job = queue.lease(self._kinds, "replay", _LEASE)
            if job is None:
                return
            self._responder.handle(job)


def _bursts(events: Sequence[Event]) -> Iterator[list[Event]]:
    burst: list[Event] = []
    for event in events:
        if burst and _time(event) - _time(burst[0]) > _BURST:
            yield burst
            burst = []
        burst.append(event)
    if burst:
        yield burst


def _time(event: Event) -> datetime:
    if event.read_at is None:
        raise AssertionError("every event of a replay has the time at which it is read")
    return event.read_at


def _fast_directory() -> str | None:
    return str(_SHARED_MEMORY) if os.access(_SHARED_MEMORY, os.W_OK) else None
