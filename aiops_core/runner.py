"""Supervise the pipelines of one file: start, watch, reload, drain, stop."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from aiops_core.context import utc_now
from aiops_core.errors import AiopsError, StoreError, UserError
from aiops_core.generation import Generation, Running, reload_file, unchanged
from aiops_core.housekeeping import Housekeeping
from aiops_core.ingest import Ingest
from aiops_core.pipeline import Loaded, Pipeline
from aiops_core.respond import Responder
from aiops_core.store import BALLAST, Store, hold, put_aside_damaged
from aiops_core.systemd import notify_systemd
from aiops_core.watch import Board, SelfWatch, make_metrics

GRACE = 10.0
"""Seconds a stop may take."""
_SOON = timedelta(seconds=3)
_LOOK = 0.5
"""Seconds between looks whether something is to be done."""


class Runner:
    """Run a loaded pipeline file until it is stopped, or once over what is there.

    ``load`` reads the file again when ``reloading`` is set; it raises AiopsError for one that is
    wrong, and then the old one stays in charge.
    """

    def __init__(
        self,
        loaded: Loaded,
        stopping: threading.Event,
        *,
        once: bool = False,
        ballast: int = BALLAST,
        logger: logging.Logger,
        clock: Callable[[], datetime] = utc_now,
        load: Callable[[], Loaded] | None = None,
        reloading: threading.Event | None = None,
    ) -> None:
        self._loaded = loaded
        self._stopping = stopping
        self._once = once
        self._ballast = ballast
        self._logger = logger
        self._clock = clock
        self._load = load
        self._reloading = reloading or threading.Event()
        self._reloads = 0
        self._past: list[Generation] = []
        self._present: Generation
        self._watching: SelfWatch | None = None
        self._serving: tuple[str, Callable[[], None]] | None = None
        self._damage = ""
        """What became of a state database that was damaged when the run began."""
        self.faults: set[tuple[str, str]] = set()
        """Pipeline and cause of each failure of a pipeline itself that was told."""

    def run(self) -> None:
        """Hold the state directory and run; raise StateHeld when another runner has it."""
        state = self._loaded.state
        with hold(state, purpose="aiops run"), self._open(state) as store:
            store.queue.recover()
            store.deliveries.recover()
            self._run(store)

    def _open(self, state: Path) -> Store:
        """Open the state; a damaged database is put aside where nobody may be there to do it."""
        kept = None if self._once else put_aside_damaged(state / "aiops.db", self._clock())
        store = Store.open(state, clock=self._clock, ballast=self._ballast)
        if kept is not None:
            self._damage = (
                f"the state database was damaged. It is kept as {kept}, and this run began with an empty one: "
                "counts, acknowledgements, silences, approvals and positions in logs are not known any more. "
                "To go back to a backup, stop the run and use 'aiops db restore'"
            )
        return store

    @property
    def loaded(self) -> Loaded:
        """The file that is in charge."""
        return self._loaded

    @property
    def ingests(self) -> list[tuple[Pipeline, Ingest]]:
        """What reads now."""
        return [(one.pipeline, one.ingest) for one in self._present.running if not one.ingest.join(0)]

    def canary_arrived(self, pipeline: str, number: int) -> None:
        """Note that a canary came through."""
        if self._watching is not None:
            self._watching.arrived(pipeline, number)

    def wake(self) -> None:
        """Say that there may be new work."""
        self._present.engine.wake()

    def fault(self, pipeline: str, cause: str, text: str, *, again: int = logging.DEBUG) -> None:
        """Tell people of a failure of the pipeline itself, once per cause."""
        self.faults.add((pipeline, cause))
        self._present.responder.telling.fault(pipeline, cause, text, again=again)

    def _run(self, store: Store) -> None:
        generation = self._present = self._generation(self._loaded, store)
        generation.respond()
        generation.responder.recover()
        generation.prepare()
        generation.open_sources()
        generation.go()
        for pipeline in self._loaded.pipelines if self._damage else ():
            self.fault(pipeline.name, "state database", self._damage)
        notify_systemd("READY=1")
        try:
            self._wait(store)
        finally:
            notify_systemd("STOPPING=1")
            self._stop()
        if (failure := self._present.failure()) is not None:
            raise failure

    def _generation(self, loaded: Loaded, store: Store, kept: Collection[Running] = ()) -> Generation:
        return Generation(
            loaded,
            store,
            self,
            self._stopping,
            once=self._once,
            logger=self._logger,
            clock=self._clock,
            kept=kept,
        )

    def _wait(self, store: Store) -> None:
        """Wait for a stop; in a run over what is there, for the work it caused."""
        if not self._once:
            self._watch(store)
            return
        while not self._present.has_ended and not self._stopping.wait(0.05):
            pass
        self._drain(store)

    def _watch(self, store: Store) -> None:
        self._watching = self._watch_over(store)
        keeping = Housekeeping(store, self._loaded.document.retention, self._clock, self._logger)
        while not self._stopping.wait(_LOOK):
            notify_systemd("WATCHDOG=1")
            if store.is_damaged:
                raise StoreError(
                    f"{self._loaded.state}: the state database is damaged, nothing is recorded any more. "
                    "Start 'aiops run' again: it puts the database aside and begins with an empty one"
                )
            keeping.turn()
            if self._reloading.is_set():
                self._reloading.clear()
                if self._reload(store):
                    self._serve(store, self._watching.board)
                    keeping = Housekeeping(store, self._loaded.document.retention, self._clock, self._logger)
            if self._present.has_ended and not self._stopping.is_set():
                self._logger.info("every source has ended")
                self._drain(store)
                return

    def _watch_over(self, store: Store) -> SelfWatch:
        watching = SelfWatch(
            lambda: self, store, self._stopping, board=Board(), logger=self._logger, clock=self._clock
        )
        self._serve(store, watching.board)
        watching.start()
        return watching

    def _serve(self, store: Store, board: Board) -> None:
        """Answer where the file says; an address that cannot be had is told, and nothing else stops for it."""
        address = self._loaded.document.serve
        if self._serving is not None and self._serving[0] == address:
            return
        if self._serving is not None:
            self._serving[1]()
            self._serving = None
        if address:
            from aiops_core.watch.serve import serve

            try:
                self._serving = address, serve(address, board, make_metrics(store, board), self._logger)
            except UserError as error:
                self._logger.error("%s", error)

    def _reload(self, store: Store) -> bool:
        """Put the file as it is now in charge, or say why the old one stays; return whether it is."""
        notify_systemd(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        problem, redactor = "", self._loaded.redactor
        try:
            fresh = self._checked()
            redactor = fresh.redactor
            self._swap(fresh, store)
        except AiopsError as error:
            problem = redactor.redact(str(error))
            self._logger.error("not reloaded, all goes on as before: %s", problem)
        else:
            self._logger.info("%s: reloaded", self._loaded.path)
        self._reloads += 1
        self._report(problem)
        notify_systemd("READY=1")
        return not problem

    def _checked(self) -> Loaded:
        if self._load is None:
            raise UserError("this run was not started by 'aiops run'. Start it again")
        fresh = self._load()
        if fresh.state != self._loaded.state:
            raise UserError(f"state: is {self._loaded.state} as long as this run lasts. Start it again")
        return fresh

    def _swap(self, fresh: Loaded, store: Store) -> None:
        """Start the next generation where this one stands; nothing is read twice or by nobody."""
        old = self._present
        same = unchanged(self._loaded, fresh)
        kept = [one for one in old.running if one.must_go_on and one.pipeline.name in same]
        new = self._generation(fresh, store, kept)
        try:
            new.prepare()
        except AiopsError:
            new.abandon()
            raise
        old.close_sources(kept)
        try:
            new.open_sources()
        except AiopsError:
            new.abandon()
            old.open_again(kept)
            raise
        old.responder.telling.close()
        new.respond()
        new.responder.look_after()
        self._present, self._loaded = new, fresh
        new.go()
        threading.Thread(target=old.retire, args=(kept,), name="retiring", daemon=True).start()
        self._past = [*(one for one in self._past if not one.engine.has_ended), old]

    def _report(self, problem: str) -> None:
        """Say to whoever asked for the reload how it went."""
        path = reload_file(self._loaded.state)
        said = {"process": os.getpid(), "number": self._reloads, "problem": problem}
        partial = path.with_suffix(".partial")
        with suppress(OSError):  # the log says it, too
            partial.write_text(json.dumps(said), "utf-8")
            partial.replace(path)

    def _drain(self, store: Store) -> None:
        """Wait until nothing is due within seconds; what is retried later stays queued."""
        engine = self._present.engine

        def is_nothing_due() -> bool:
            due = store.queue.next_due(Responder.kinds)
            if due is not None and due <= self._clock() + _SOON:
                return False
            held_back = [store.deliveries.release(held) for held in ("storm", "cool-down", "wait")]
            return not any(held_back)  # nothing follows: no need to wait for more

        # Every line was read: nothing has to settle.
        store.queue.hasten(Responder.kinds, self._clock() + _SOON)
        engine.wake()
        while not self._stopping.wait(0.05) and not engine.is_idle(is_nothing_due):
            pass

    def _stop(self) -> None:
        deadline = time.monotonic() + GRACE
        self._stopping.set()
        if self._serving is not None:
            self._serving[1]()
        self._present.stop(deadline)
        for past in self._past:
            past.engine.stop(max(deadline - time.monotonic(), 0.1))


def stop_on_signals(stopping: threading.Event, reloading: threading.Event) -> None:
    """Let SIGTERM and SIGINT stop the run, a second one at once; SIGHUP reloads, or stops with its terminal."""
    had_terminal = _has_terminal()

    def stop(number: int, frame: object) -> None:
        if stopping.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stopping.set()

    def reload(number: int, frame: object) -> None:
        if had_terminal and not _has_terminal():
            stopping.set()
        else:
            reloading.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, reload)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
