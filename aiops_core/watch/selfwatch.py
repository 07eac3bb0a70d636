"""Look after the run itself, and tell people once of each cause."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from aiops_core.component import Source
from aiops_core.config import duration_text
from aiops_core.errors import StoreError, is_interrupt
from aiops_core.ingest import Ingest, canary_key
from aiops_core.pipeline import Loaded, Pipeline
from aiops_core.probing import probe
from aiops_core.settings import Watch
from aiops_core.stopping import Pulse
from aiops_core.store import Store
from aiops_core.text.phrases import size_text
from aiops_core.watch.board import Board

_TURN = 1.0
_LOOK = 10.0
"""Seconds between looks at the database, the queue and the disks."""
_MISSED = 2
"""Canaries that may be missed, and probes that may fail, before anybody is told."""
_BUSY = 10
"""Canaries that may wait for a worker before anybody is told: an answer takes minutes."""
_LONGEST_SILENCE = 60.0
"""Seconds for which a source may look at nothing: it has to each second."""
OUTSIDE = ("analyzers", "actions")


class Watched(Protocol):
    """What runs now."""

    @property
    def loaded(self) -> Loaded: ...

    @property
    def ingests(self) -> Collection[tuple[Pipeline, Ingest]]: ...

    def fault(self, pipeline: str, cause: str, text: str) -> None: ...


class SelfWatch:
    """Send canaries, probe, measure; ``arrived`` is told of each canary that came through."""

    def __init__(
        self,
        present: Callable[[], Watched],
        store: Store,
        stopping: threading.Event,
        *,
        board: Board,
        logger: logging.Logger,
        clock: Callable[[], datetime],
    ) -> None:
        self._present = present
        self._store = store
        self._stopping = stopping
        self.board = board
        self._logger = logger
        self._clock = clock
        self._first = int(time.time())
        """Canaries are numbered from here: one that an earlier run left says nothing of this one."""
        self._sent: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._failures: Counter[str] = Counter()
        self._due = dict.fromkeys(("canary", "look", "probe"), 0.0)

    def start(self) -> None:
        """Watch from now on, in a thread of its own."""
        now = time.monotonic()
        settings = self._settings
        after = settings.canary.total_seconds()
        self._due = {"canary": now + after, "look": now, "probe": now + settings.probe.total_seconds()}
        threading.Thread(target=self._watch, name="self-watch", daemon=True).start()

    def arrived(self, pipeline: str, number: int) -> None:
        """Note a canary that a worker has finished."""
        self._seen[pipeline] = max(number, self._seen.get(pipeline, self._first))
        self.board.measure("canary_arrived", pipeline, time.time())

    @property
    def _settings(self) -> Watch:
        return self._present().loaded.document.watch

    def _watch(self) -> None:
        while not self._stopping.wait(_TURN):
            try:
                self._turn()
            except BaseException as error:
                if is_interrupt(error):
                    raise
                self._logger.exception("the watch over the run itself failed")

    def _turn(self) -> None:
        settings = self._settings
        if self._is_due("look", _LOOK):
            self._look(settings)
        if settings.canary and self._is_due("canary", settings.canary.total_seconds()):
            self._send_canaries()
        if settings.probe and self._is_due("probe", settings.probe.total_seconds()):
            threading.Thread(target=self._probe, name="self-probe", daemon=True).start()

    def _is_due(self, what: str, every: float) -> bool:
        now = time.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every
        return True

    def _send_canaries(self) -> None:
        for pipeline, ingest in self._present().ingests:
            name = pipeline.name
            sent = self._sent.get(name, self._first)
            self._judge(name, sent)
            self._look_at_sources(name, ingest)
            ingest.send_canary(sent + 1)
            self._sent[name] = sent + 1

    def _judge(self, name: str, sent: int) -> None:
        """Tell what canaries that did not arrive say: nothing is read, or read and left undone by the workers."""
        missed = sent - self._seen.get(name, self._first)
        is_read = missed >= _MISSED and self._store.queue.holds(canary_key(name, sent))
        lost = busy = ""
        if missed >= _MISSED and not is_read:
            lost = (
                f"the last {missed} canaries did not come through: errors may be noticed late or not at all. "
                "Look into the log, then start 'aiops run' again"
            )
        if missed >= _BUSY and is_read:
            busy = (
                f"no worker took the last {missed} canaries: errors are noticed, and answered late. Raise 'workers', "
                "or look into the log for what hangs"
            )
        self._note(f"canary {name}", lost, [name], blocks=True)
        self._note(f"workers {name}", busy, [name])

    def _look_at_sources(self, name: str, ingest: Ingest) -> None:
        """Tell of sources whose threads look at nothing any more."""
        longest = max(_MISSED * self._settings.canary.total_seconds(), _LONGEST_SILENCE)
        for step in ingest.reading:
            stopping = step.component.context.stopping
            silence = stopping.silence if isinstance(stopping, Pulse) and not step.is_apart else 0.0
            problem = ""
            if silence > longest:
                problem = (
                    f"{step.name}: the source has not been heard of for {duration_text(timedelta(seconds=round(silence)))}, "
                    "it hangs: what it should read is noticed late or not at all. Start 'aiops run' again"
                )
            self._note(f"source {name}.{step.name}", problem, [name], blocks=True)

    def _look(self, settings: Watch) -> None:
        self._look_at_store(settings)
        for place, pipelines in self._places():
            try:
                free = shutil.disk_usage(place).free
            except OSError:
                continue
            self.board.measure("free_bytes", str(place), free)
            problem = ""
            if free < settings.disk:
                problem = (
                    f"{place}: {size_text(free)} of disk are left, fewer than {size_text(settings.disk)}. "
                    "Free some, or lower watch.disk"
                )
            self._note(f"disk {place}", problem, pipelines)

    def _look_at_store(self, settings: Watch) -> None:
        everybody = [one.name for one in self._present().loaded.pipelines]
        try:
            self._store.beat()
            waiting = self._store.queue.count_due(settings.queue + 1)
        except StoreError as error:
            self._note("store", str(error), everybody, blocks=True)
            return
        self._note("store", "", everybody, blocks=True)
        self.board.measure("jobs_due", "all", waiting)
        problem = ""
        if waiting > settings.queue:
            problem = f"more than {settings.queue} jobs wait that are due. Raise 'workers', or watch.queue"
        self._note("queue", problem, everybody)

    def _places(self) -> Iterator[tuple[Path, list[str]]]:
        """Yield the directories whose disks count, one of each disk, and the pipelines they concern."""
        loaded = self._present().loaded
        yield loaded.state, [one.name for one in loaded.pipelines]
        devices = {loaded.state.stat().st_dev}
        for pipeline in loaded.pipelines:
            for step in pipeline.of_kind("sources"):
                component = step.component
                for place in component.places() if isinstance(component, Source) else ():
                    if place.exists() and (device := place.stat().st_dev) not in devices:
                        devices.add(device)
                        yield place, [pipeline.name]

    def _probe(self) -> None:
        present = self._present()
        for one in probe(present.loaded, OUTSIDE):
            name = f"reach {one.pipeline}.{one.name}"
            self._failures[name] = self._failures[name] + 1 if one.problem else 0
            lasts = self._failures[name] >= _MISSED
            text = f"{one.name} cannot be used: {one.problem}" if lasts else ""
            self._note(name, present.loaded.redactor.redact(text), [one.pipeline])

    def _note(self, name: str, problem: str, pipelines: Collection[str], *, blocks: bool = False) -> None:
        """Keep how a check went; tell people when it goes wrong, and the log when it is well again."""
        before = self.board.problems.get(name, "")
        self.board.note(name, problem, blocks=blocks)
        if problem:
            for pipeline in pipelines:
                self._present().fault(pipeline, name, problem)
        elif before:
            self._logger.info("%s is well again", name)
