"""Supervise the pipelines of one file: start, watch, drain, stop."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from aiops_core.component import utc_now
from aiops_core.endpoints import EndpointNews, Endpoints
from aiops_core.engines import LocalEngine
from aiops_core.errors import StoreError, UserError, is_interrupt
from aiops_core.handover import told
from aiops_core.housekeeping import Housekeeping
from aiops_core.ingest import Ingest
from aiops_core.pipeline import Loaded, Pipeline, Step
from aiops_core.records import Event
from aiops_core.respond import Responder
from aiops_core.respond.telling import Telling
from aiops_core.store import BALLAST, IncidentChange, Store, hold

GRACE = 10.0
"""Seconds a stop may take."""
_SOON = timedelta(seconds=3)
_MOST_TARGETS = 64  # told at the same time: a thread each, which mostly waits


class Runner:
    """Run a loaded pipeline file until it is stopped, or once over what is there."""

    def __init__(
        self,
        loaded: Loaded,
        stopping: threading.Event,
        *,
        once: bool = False,
        ballast: int = BALLAST,
        logger: logging.Logger,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._loaded = loaded
        self._stopping = stopping
        self._once = once
        self._ballast = ballast
        self._logger = logger
        self._clock = clock
        self._redactor = loaded.redactor

    def run(self) -> None:
        """Hold the state directory and run; raise StateHeld when another runner has it."""
        state = self._loaded.state
        with (
            hold(state, purpose="aiops run"),
            Store.open(state, clock=self._clock, ballast=self._ballast) as store,
        ):
            store.queue.recover()
            store.deliveries.recover()
            self._run(store)

    def _run(self, store: Store) -> None:
        responder = Responder(
            self._loaded.pipelines,
            store,
            state=self._loaded.state,
            disk=self._loaded.document.disk,
            redactor=self._redactor,
            per_day=self._loaded.document.budget.per_day,
            analyses=self._loaded.document.analyses,
            once=self._once,
            logger=self._logger,
            clock=self._clock,
        )
        responder.recover()
        targets = sum(len(pipeline.of_kind("notifiers")) for pipeline in self._loaded.pipelines)
        ingests: list[Ingest] = []
        engine = LocalEngine(
            store,
            responder.handle,
            [kind for kind in Responder.kinds if kind != Responder.delivery],
            workers=self._loaded.document.workers,
            apart={Responder.delivery: min(max(targets, 1), _MOST_TARGETS)},
            is_second=lambda: any(ingest.is_in_storm for ingest in ingests),
            logger=self._logger,
        )
        self._start_components(store, responder.telling)
        ingests += [self._ingest(pipeline, store, responder, engine) for pipeline in self._loaded.pipelines]
        self._announce(ingests)
        for ingest in ingests:
            ingest.start()
        engine.start()
        threading.Thread(target=self._check_actions, name="checks", daemon=True).start()
        try:
            self._wait(ingests, store, engine)
        finally:
            self._stop(ingests, engine)
        for ingest in ingests:
            if ingest.failure is not None:
                raise ingest.failure

    def _start_components(self, store: Store, telling: Telling) -> None:
        problems = []
        store.endpoints.clear()
        endpoints = Endpoints(changed=partial(self._note_endpoint, store))
        (self._loaded.state / "scratch").mkdir(
            mode=0o700, exist_ok=True
        )  # of parents, mkdir ignores the mode
        for pipeline in self._loaded.pipelines:
            for step in pipeline.steps:
                context = step.component.context
                context.endpoints = endpoints
                context.tell = partial(telling.fault, pipeline.name, again=logging.WARNING)
                context.state.update(store.states(pipeline.name, step.name))
                context.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
                try:
                    step.component.start()
                except UserError as error:
                    problems.append(f"{pipeline.name}: {step.kind} {step.name}: {error}")
                except (SystemExit, GeneratorExit) as error:
                    problems.append(f"{pipeline.name}: {step.kind} {step.name}{told(error)}. Mend it")
        if problems:
            raise UserError("\n".join(problems))

    def _note_endpoint(self, store: Store, news: EndpointNews) -> None:
        """Keep what became of an address of a model, for `aiops doctor`."""
        reason = self._redactor.redact(news.reason)
        if news.state != "up":
            self._logger.warning("%s is %s: %s", news.name, news.state, reason)
        try:
            store.endpoints.save(replace(news, reason=reason))
        except StoreError as error:
            self._logger.warning("%s", error)

    def _ingest(self, pipeline: Pipeline, store: Store, responder: Responder, engine: LocalEngine) -> Ingest:
        def recorded(events: Sequence[Event], changes: Sequence[IncidentChange]) -> None:
            engine.wake()
            self._observe(pipeline, store, events, changes)

        return Ingest(
            pipeline,
            store,
            self._stopping,
            once=self._once,
            fault=partial(responder.telling.fault, pipeline.name),
            recorded=recorded,
            redactor=self._redactor,
            clock=self._clock,
        )

    def _observe(
        self, pipeline: Pipeline, store: Store, events: Sequence[Event], changes: Sequence[IncidentChange]
    ) -> None:
        for change in changes:
            if change.before != change.after:
                self._logger.info("incident %s: %s", change.incident_id, change.after)
        if not pipeline.of_kind("extensions"):
            return
        try:
            pipeline.host.hook.events_recorded(events=events)
            for change in changes:
                if change.before != change.after:
                    incident = store.incidents.get(change.incident_id)
                    pipeline.host.hook.incident_changed(incident=incident, before=change.before)
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._logger.exception("an extension of %s raised", pipeline.name)

    def _announce(self, ingests: Sequence[Ingest]) -> None:
        for pipeline, ingest in zip(self._loaded.pipelines, ingests, strict=True):
            sources = ", ".join(step.name for step in pipeline.of_kind("sources"))
            detectors = ", ".join(step.name for step in pipeline.of_kind("detectors"))
            self._logger.info(
                "%s: watching %s for %s (matcher: %s)", pipeline.name, sources, detectors, ingest.engine
            )
            self._tell_extensions(pipeline, "started")

    def _check_actions(self) -> None:
        """Say which actions would not work: before the first incident, and without keeping anybody waiting."""
        for pipeline in self._loaded.pipelines:
            for step in pipeline.of_kind("actions"):
                try:
                    problem = step.component.problem()
                except BaseException as error:
                    if is_interrupt(error):
                        raise
                    problem = told(error).lstrip(": ")
                if problem is not None:
                    text = self._redactor.redact(problem)
                    self._logger.warning("%s: %s would not work: %s", pipeline.name, step.name, text)

    def _tell_extensions(self, pipeline: Pipeline, hook: str) -> None:
        try:
            getattr(pipeline.host.hook, hook)(pipeline=pipeline.name)
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._logger.exception("an extension of %s raised in %s", pipeline.name, hook)

    def _wait(self, ingests: Sequence[Ingest], store: Store, engine: LocalEngine) -> None:
        """Wait for a stop; in a run over what is there, for the work it caused."""
        if not self._once:
            keeping = Housekeeping(store, self._loaded.document.retention, self._clock, self._logger)
            while not self._stopping.wait(0.5):
                keeping.turn()
                if all(ingest.join(0) for ingest in ingests) and not self._stopping.is_set():
                    self._logger.info("every source has ended")
                    self._drain(store, engine)
                    return
            return
        for ingest in ingests:
            while not ingest.join(0.2) and not self._stopping.is_set():
                pass
        self._drain(store, engine)

    def _drain(self, store: Store, engine: LocalEngine) -> None:
        """Wait until nothing is due within seconds; what is retried later stays queued."""

        def is_nothing_due() -> bool:
            due = store.queue.next_due(Responder.kinds)
            if due is not None and due <= self._clock() + _SOON:
                return False
            return not store.deliveries.release("storm")  # nothing follows: no need to gather more

        store.queue.hasten(
            Responder.kinds, self._clock() + _SOON
        )  # every line was read: nothing has to settle
        engine.wake()
        while not self._stopping.wait(0.05) and not engine.is_idle(is_nothing_due):
            pass

    def _stop(self, ingests: Sequence[Ingest], engine: LocalEngine) -> None:
        deadline = time.monotonic() + GRACE
        for pipeline in self._loaded.pipelines:
            self._tell_extensions(pipeline, "stopping")
        self._stopping.set()
        for ingest in ingests:
            if not ingest.join(max(deadline - time.monotonic(), 0.1)):
                self._logger.warning(
                    "a pipeline did not stop in time; what it had not committed is read again"
                )
        engine.stop(max(deadline - time.monotonic(), 0.1))
        for pipeline in self._loaded.pipelines:
            for step in pipeline.steps:
                self._stop_component(step)

    def _stop_component(self, step: Step) -> None:
        try:
            step.component.stop()
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._logger.exception("%s did not stop cleanly", step.name)


def stop_on_signals(stopping: threading.Event) -> None:
    """Let SIGTERM and SIGINT stop the run; a second one ends the process at once."""

    def stop(number: int, frame: object) -> None:
        if stopping.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
