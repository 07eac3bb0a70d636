"""What runs of one checked pipeline file; a reload puts the next generation in its place."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from aiops_core.component import Source
from aiops_core.endpoints import EndpointNews, Endpoints
from aiops_core.engines import LocalEngine
from aiops_core.errors import AiopsError, PluginBroken, StoreError, UserError, is_interrupt
from aiops_core.handover import told
from aiops_core.host import raised_at
from aiops_core.ingest import Ingest
from aiops_core.pipeline import Loaded, Pipeline
from aiops_core.records import Event
from aiops_core.respond import Responder
from aiops_core.step import Step
from aiops_core.stopping import Branch, Pulse
from aiops_core.store import IncidentChange, Store

_MOST_TARGETS = 64  # told at the same time: a thread each, which mostly waits
_PATIENCE = 600.0
"""Seconds that work begun under an old file may still take; what is left then is done anew."""


class Switchboard(Protocol):
    """Who is in charge now: what goes on across a reload asks here each time."""

    def wake(self) -> None: ...

    def fault(self, pipeline: str, cause: str, text: str, *, again: int = logging.DEBUG) -> None: ...

    def canary_arrived(self, pipeline: str, number: int) -> None: ...


class Running:
    """One pipeline as it runs: its way in, and what tells its parts to stop."""

    ingest: Ingest

    def __init__(self, pipeline: Pipeline, whole: threading.Event) -> None:
        self.pipeline = pipeline
        self._whole = whole
        self.working = Branch(whole)
        for step in self.workers:
            step.component.context.stopping = self.working

    @property
    def sources(self) -> list[Step]:
        """The steps that yield signals."""
        return self.pipeline.of_kind("sources")

    @property
    def workers(self) -> list[Step]:
        """All other steps."""
        return [step for step in self.pipeline.steps if step.kind != "sources"]

    @property
    def must_go_on(self) -> bool:
        """Whether what its sources take could be lost between two readers."""
        components = (step.component for step in self.sources)
        return any(isinstance(one, Source) and not one.resumes for one in components)

    def open(self, make: Callable[[Pipeline, threading.Event], Ingest]) -> None:
        """Get ready to read, for the first time or again."""
        self.reading = Branch(self._whole)
        for step in self.sources:
            step.component.context.stopping = Pulse(self.reading)
        self.ingest = make(self.pipeline, self.reading)

    def close(self) -> None:
        """Stop reading when what was handed over is committed."""
        self.reading.end()
        while not self.ingest.join(0.5):
            pass
        stop_components(self.sources)


class Generation:
    """Components, readers and workers of one file.

    ``kept`` are pipelines of the generation before that go on as they are.
    """

    def __init__(
        self,
        loaded: Loaded,
        store: Store,
        switchboard: Switchboard,
        stopping: threading.Event,
        *,
        once: bool,
        logger: logging.Logger,
        clock: Callable[[], datetime],
        kept: Collection[Running] = (),
    ) -> None:
        self.loaded = loaded
        self._store = store
        self._switchboard = switchboard
        self._once = once
        self._logger = logger
        self._clock = clock
        self._redactor = loaded.redactor
        same = {one.pipeline.name: one for one in kept}
        self._new = [Running(one, stopping) for one in loaded.pipelines if one.name not in same]
        self.running = [*kept, *self._new]
        loaded.pipelines = tuple(
            same[one.name].pipeline if one.name in same else one for one in loaded.pipelines
        )

    def prepare(self) -> None:
        """Start everything but sources; raise UserError with all that cannot start."""
        (self.loaded.state / "scratch").mkdir(mode=0o700, exist_ok=True)  # of parents, mkdir ignores the mode
        self._store.endpoints.clear()
        endpoints = Endpoints(changed=self._note_endpoint)
        for one in self._new:
            for step in one.pipeline.steps:
                step.component.context.endpoints = endpoints
        self._start([(one, step) for one in self._new for step in one.workers])

    def respond(self) -> None:
        """Make the workers that are in charge from now on."""
        document = self.loaded.document
        self.responder = Responder(
            self.loaded.pipelines,
            self._store,
            state=self.loaded.state,
            disk=document.disk,
            redactor=self._redactor,
            per_day=document.budget.per_day,
            analyses=document.analyses,
            once=self._once,
            logger=self._logger,
            clock=self._clock,
            canary_arrived=self._switchboard.canary_arrived,
        )
        targets = sum(len(pipeline.of_kind("notifiers")) for pipeline in self.loaded.pipelines)
        self.engine = LocalEngine(
            self._store,
            self.responder.handle,
            [kind for kind in Responder.kinds if kind != Responder.delivery],
            workers=document.workers,
            apart={Responder.delivery: min(max(targets, 1), _MOST_TARGETS)},
            is_second=lambda: any(one.ingest.is_in_storm for one in self.running),
            logger=self._logger,
        )

    def open_sources(self) -> None:
        """Start the sources; raise UserError with all that cannot start."""
        for one in self._new:
            one.open(self._ingest)
        self._start([(one, step) for one in self._new for step in one.sources])

    def go(self) -> None:
        """Read and work."""
        for one in self._new:
            self._announce(one)
            one.ingest.start()
        self.engine.start()
        threading.Thread(target=self._check_actions, name="checks", daemon=True).start()

    def abandon(self) -> None:
        """Stop what was started of a generation that does not come into its own."""
        for one in self._new:
            one.working.end()
            stop_components(one.pipeline.steps)

    def close_sources(self, kept: Collection[Running]) -> None:
        """Stop reading, in pipelines that are kept excepted."""
        for one in self.running:
            if one not in kept:
                one.close()

    def open_again(self, kept: Collection[Running]) -> None:
        """Go on reading where a reload failed."""
        for one in self.running:
            if one not in kept:
                one.open(self._ingest)
                for step in one.sources:
                    step.start()
                one.ingest.start()

    def retire(self, kept: Collection[Running]) -> None:
        """Let jobs in hand come to their end beside the next generation, then let go of everything."""
        self.engine.stop(_PATIENCE)
        for one in self.running:
            if one not in kept:
                self.tell_extensions(one.pipeline, "stopping")
                one.working.end()
                stop_components(one.workers)

    def stop(self, deadline: float) -> None:
        """Stop everything by then, a moment of the monotonic clock."""
        for one in self.running:
            self.tell_extensions(one.pipeline, "stopping")
            one.working.end()
            one.reading.end()
        for one in self.running:
            if not one.ingest.join(max(deadline - time.monotonic(), 0.1)):
                self._logger.warning(
                    "a pipeline did not stop in time; what it had not committed is read again"
                )
        self.engine.stop(max(deadline - time.monotonic(), 0.1))
        stop_components(step for one in self.running for step in one.pipeline.steps)

    def failure(self) -> Exception | None:
        """Return why reading ended by itself, None where it did not."""
        failures = (one.ingest.failure for one in self.running)
        return next((failure for failure in failures if failure is not None), None)

    @property
    def has_ended(self) -> bool:
        """Whether no source will yield anything more."""
        return all(one.ingest.join(0) for one in self.running)

    def _start(self, steps: Iterable[tuple[Running, Step]]) -> None:
        problems, begun = [], []
        states = {one.pipeline.name: self._store.states(one.pipeline.name) for one in self._new}
        for one, step in steps:
            begun.append(step)
            name, context = one.pipeline.name, step.component.context
            context.tell = partial(self._switchboard.fault, name, again=logging.WARNING)
            context.state.update(states[name].get(step.name, {}))
            context.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                step.start()
            except AiopsError as error:
                problems.append(f"{name}: {step.kind} {step.name}: {error}")
            except BaseException as error:
                if is_interrupt(error):
                    raise
                where = raised_at(error, type(step.component))
                problems.append(f"{name}: {step.kind} {step.name}: {where}start(){told(error)}. Mend it")
        if problems:
            stop_components(begun)
            raise UserError("\n".join(problems))

    def _note_endpoint(self, news: EndpointNews) -> None:
        """Keep what became of an address of a model, for `aiops doctor`."""
        reason = self._redactor.redact(news.reason)
        if news.state != "up":
            self._logger.warning("%s is %s: %s", news.name, news.state, reason)
        try:
            self._store.endpoints.save(replace(news, reason=reason))
        except StoreError as error:
            self._logger.warning("%s", error)

    def _ingest(self, pipeline: Pipeline, stopping: threading.Event) -> Ingest:
        def recorded(events: Sequence[Event], changes: Sequence[IncidentChange]) -> None:
            self._switchboard.wake()
            self._observe(pipeline, events, changes)

        return Ingest(
            pipeline,
            self._store,
            stopping,
            once=self._once,
            fault=partial(self._switchboard.fault, pipeline.name),
            recorded=recorded,
            redactor=self._redactor,
            clock=self._clock,
        )

    def _observe(
        self, pipeline: Pipeline, events: Sequence[Event], changes: Sequence[IncidentChange]
    ) -> None:
        for change in changes:
            if change.before != change.after:
                self._logger.info("incident %s: %s", change.incident_id, change.after)
        if not pipeline.of_kind("extensions"):
            return
        fault = partial(self._switchboard.fault, pipeline.name)
        pipeline.observe("events_recorded", fault, events=events)
        for change in changes:
            if change.before != change.after:
                try:
                    incident = self._store.incidents.get(change.incident_id)
                except StoreError as error:
                    fault("store", str(error))
                    return
                pipeline.observe("incident_changed", fault, incident=incident, before=change.before)

    def _announce(self, one: Running) -> None:
        pipeline = one.pipeline
        sources = ", ".join(step.name for step in one.sources)
        detectors = ", ".join(step.name for step in pipeline.of_kind("detectors"))
        engine = one.ingest.engine
        self._logger.info("%s: watching %s for %s (matcher: %s)", pipeline.name, sources, detectors, engine)
        self.tell_extensions(pipeline, "started")

    def _check_actions(self) -> None:
        """Say which actions would not work: before the first incident, and without keeping anybody waiting."""
        for pipeline in (one.pipeline for one in self._new):
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

    def tell_extensions(self, pipeline: Pipeline, hook: str) -> None:
        """Let extensions learn that a pipeline started, or is about to stop."""
        pipeline.observe(hook, partial(self._switchboard.fault, pipeline.name), pipeline=pipeline.name)


def stop_components(steps: Iterable[Step]) -> None:
    """Let components go of everything; one that raises keeps no other from it."""
    for step in steps:
        try:
            step.stop()
        except PluginBroken as error:
            step.component.context.logger.warning("%s: %s", step.name, error)
        except BaseException as error:
            if is_interrupt(error):
                raise
            step.component.context.logger.exception("%s did not stop cleanly", step.name)


def unchanged(old: Loaded, new: Loaded) -> set[str]:
    """Return the names of the pipelines whose settings are in both files alike."""
    before, after = old.document.pipelines, new.document.pipelines
    is_same = old.secrets == new.secrets and old.document.redaction == new.document.redaction
    return {name for name in after if is_same and name in before and before[name] == after[name]}


def reload_file(state: Path) -> Path:
    """Return where a run says how its last reload went."""
    return state / "reloaded.json"
