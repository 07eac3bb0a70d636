"""What people are told: reports on their way to the notifiers, and failures of the pipeline itself."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime

from aiops_core.errors import StoreError
from aiops_core.pipeline import Pipeline
from aiops_core.policy import Routed, matter_of, routed
from aiops_core.records import Report
from aiops_core.respond.outbox import Outbox, attempts_of
from aiops_core.store import DeliveryRow, Job, Store
from aiops_core.text.redaction import Redactor

_CLASS = re.compile(r": [A-Z]\w*$")
"""The class of an exception at the end of a cause: it tells causes apart, and people nothing."""


class Telling:
    """Decide who hears of what, and queue it."""

    def __init__(
        self,
        pipelines: Mapping[str, Pipeline],
        store: Store,
        *,
        redactor: Redactor,
        logger: logging.Logger,
        clock: Callable[[], datetime],
    ) -> None:
        self._pipelines = pipelines
        self._store = store
        self._redactor = redactor
        self._logger = logger
        self._clock = clock
        self._unstored: set[tuple[str, str]] = set()
        """What was logged only, since the store cannot be written to."""
        self.outbox = Outbox(
            pipelines, store, redactor=redactor, logger=logger, gave_up=self.gave_up, clock=clock
        )
        store.queue.watch_deaths(self._job_died)

    def tell(
        self,
        pipeline: Pipeline,
        report: Report,
        *,
        run_id: int | None,
        incident_id: int | None,
        without: str = "",
    ) -> list[str]:
        """Queue a report to the notifiers whose routes take it, but for one; return their names."""
        whom = self._routed(pipeline, report, without)
        if incident_id is not None and whom.decision is not None:
            self._store.incidents.decide_once(incident_id, run_id, whom.decision)
        for target in whom.targets:
            self._store.deliveries.plan(
                run_id,
                incident_id,
                target.name,
                report,
                report.key,
                max_attempts=attempts_of(pipeline.step("notifiers", target.name)),
                fallback=target.fallback,
            )
        return [target.name for target in whom.targets]

    def _routed(self, pipeline: Pipeline, report: Report, without: str) -> Routed:
        """Return who is told; a fault that no route takes is everybody's, or nobody would hear of it."""
        names = [step.name for step in pipeline.of_kind("notifiers") if step.name != without]
        config, matter, now = pipeline.config, matter_of(report), self._clock()
        whom = routed(config.routes, names, matter, now, config.zone)
        if not whom.targets and report.kind == "fault":
            return routed([], names, matter, now, config.zone)
        return whom

    def fault(self, pipeline: str, cause: str, text: str, *, again: int = logging.DEBUG) -> None:
        """Log a failure of the pipeline itself, and tell people of each cause once.

        ``again`` is the level at which what they were told of before is logged.
        """
        text = self._redactor.redact(text)
        try:
            is_new = self._queue_fault(pipeline, cause, text)
            self._unstored.clear()
        except StoreError:
            is_new = (pipeline, cause) not in self._unstored
            self._unstored.add((pipeline, cause))
        self._logger.log(logging.ERROR if is_new else again, "%s: %s", pipeline, text)

    def _job_died(self, job: Job) -> None:
        """Tell people of work that was given up, in the transaction in which it is."""
        told = {
            "run": self._dead_run,
            "follow": self._dead_follow,
            "talk": self._dead_talk,
            "watch": self._dead_watch,
        }
        if job.kind not in told:
            return
        pipeline, cause, text = told[job.kind](job)
        text = self._redactor.redact(text)
        self._logger.error("%s: %s", pipeline, text)
        if cause:
            self._queue_fault(pipeline, cause, text)

    def _dead_run(self, job: Job) -> tuple[str, str, str]:
        row = self._store.runs.get(job.payload["run"])
        incident = row.incident_id
        text = (
            f"run {row.id} of incident {incident} was given up: {job.error}. Look at it with "
            f"'aiops incidents show {incident}', answer it again with 'aiops incidents retry {incident}'"
        )
        return row.pipeline, f"incident {incident} is not answered", text

    def gave_up(self, delivery: DeliveryRow) -> None:
        """Tell the other targets of a delivery that was given up; of a report of a fault nobody."""
        text = (
            f"delivery {delivery.id} to {delivery.target} was given up: {delivery.error}. "
            f"Send it again with 'aiops deliveries retry {delivery.id}'"
        )
        self._logger.error("%s: %s", delivery.pipeline, text)
        if delivery.report.kind != "fault":  # telling that would go round in circles
            cause = f"notifier {delivery.target}"
            self._queue_fault(delivery.pipeline, cause, text, without=delivery.target)

    def _dead_follow(self, job: Job) -> tuple[str, str, str]:
        row, action = self._store.runs.get(job.payload["run"]), job.payload["step"]
        text = f"action {action}: what became of run {row.id} is not looked at any more: {job.error}"
        return row.pipeline, f"action {action}: follow", text

    def _dead_watch(self, job: Job) -> tuple[str, str, str]:
        incident = self._store.incidents.get(job.payload["incident"])
        text = f"how the merged fix of incident {incident.id} does is not looked at any more: {job.error}"
        return incident.pipeline, f"incident {incident.id}: watch", text

    def _dead_talk(self, job: Job) -> tuple[str, str, str]:
        row, action = self._store.runs.get(job.payload["run"]), job.payload["step"]
        number = job.payload["number"]
        text = f"action {action}: comments on request {number} are not looked at any more: {job.error}"
        return row.pipeline, f"action {action}: comments", text

    def _queue_fault(self, pipeline: str, cause: str, text: str, without: str = "") -> bool:
        """Count a failure and queue its report when it is news; return whether it is."""
        with self._store.transaction():
            if not self._store.fault(pipeline, cause, text):
                return False
            built = self._pipelines.get(pipeline)
            if built is not None:
                report = self._fault_report(built, cause, text)
                self.tell(built, report, run_id=None, incident_id=None, without=without)
        return True

    def _fault_report(self, pipeline: Pipeline, cause: str, text: str) -> Report:
        now = self._clock()
        return Report(
            key=f"fault/{pipeline.name}/{cause}/{now:%Y-%m-%d}",
            kind="fault",
            pipeline=pipeline.name,
            title=f"aiops itself: {_CLASS.sub(' failed', cause)}",
            text=text,
            created_at=now,
            language=pipeline.config.language,
        )
