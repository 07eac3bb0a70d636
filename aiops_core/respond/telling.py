"""What people are told: reports on their way to the notifiers, and failures of the pipeline itself."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from aiops_core.errors import StoreError, UserError
from aiops_core.failpoints import failpoint
from aiops_core.pipeline import Pipeline
from aiops_core.policy import Gate, Routed, Target, gate_for, matter_of, reminder_after, routed
from aiops_core.records import Report
from aiops_core.respond.outbox import Outbox, attempts_of
from aiops_core.store import DeliveryRow, Job, Notice, Store, fault_key
from aiops_core.text.phrases import counted
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
        self.noted: Callable[[str], None] = lambda pipeline: None
        """Called with the pipeline of an incident that is told."""
        self.outbox = Outbox(
            pipelines,
            store,
            redactor=redactor,
            logger=logger,
            failing=self.failing,
            gave_up=self.gave_up,
            clock=clock,
        )
        store.queue.watch_deaths(self._job_died)

    def close(self) -> None:
        """Leave it to another one to tell of work that is given up."""
        self._store.queue.forget_deaths(self._job_died)

    def tell(
        self,
        pipeline: Pipeline,
        report: Report,
        *,
        run_id: int | None,
        incident_id: int | None,
        news: str = "",
        storm: Gate | None = None,
        to: Sequence[str] | None = None,
        without: str = "",
    ) -> list[str]:
        """Queue a report to the notifiers whose routes take it, or to those named; return their names.

        ``news`` says what is told of an incident by itself: it may have to wait. Without it people
        asked for the message. ``storm`` is until when it waits to be told with others.
        """
        whom = self._routed(pipeline, report, without)
        failpoint("before_queuing")
        if to is not None:
            whom = replace(whom, targets=tuple(Target(name) for name in to), decision=None)
        with self._store.transaction():
            gates = (self._timed(pipeline, report, run_id, incident_id, news), storm)
            gate = max(filter(None, gates), key=lambda one: one.until, default=None)
            for target in whom.targets:
                self._store.deliveries.plan(
                    run_id,
                    incident_id,
                    target.name,
                    report,
                    report.key,
                    max_attempts=attempts_of(pipeline.step("notifiers", target.name)),
                    fallback=target.fallback,
                    due_at=gate.until if gate else None,
                    held=gate.held if gate else "",
                )
            for decision in (whom.decision, gate.decision if gate else None):
                if incident_id is not None and decision is not None:
                    self._store.incidents.decide_once(incident_id, run_id, decision)
            if incident_id is not None and whom.targets:
                at = gate.until if gate else self._clock()
                self._note(pipeline, report, incident_id, news, whom, at)
        failpoint("after_queuing")
        return [target.name for target in whom.targets]

    def _timed(
        self, pipeline: Pipeline, report: Report, run_id: int | None, incident_id: int | None, news: str
    ) -> Gate | None:
        if incident_id is None or not news:
            return None
        now, notice = self._clock(), self._store.notices.get(incident_id)
        since = self._store.runs.get(run_id).created_at if run_id is not None else now
        return gate_for(notice, news, report.severity, since, now, pipeline.config.notices)

    def _note(
        self, pipeline: Pipeline, report: Report, incident_id: int, news: str, whom: Routed, at: datetime
    ) -> None:
        """Remember what is told, and when people are to be reminded or the next is told."""
        before, incident = self._store.notices.get(incident_id), report.incident
        if incident is None:
            return
        names = [target.name for target in whom.targets]
        told = Notice(incident_id, incident.state, report.severity, at, incident.count)
        if before is not None:
            told = replace(before, state=incident.state, told_at=at, count=incident.count)
            if news == "regressed":  # a new episode: whoever took on the last one has not seen this
                told = replace(told, acked_by="", acked_at=None, reminded=0)
        told = replace(
            told,
            severity=report.severity,
            targets=tuple(dict.fromkeys((*told.targets, *names))),
            news={**told.news, news: at.isoformat()} if news else told.news,
            reminded=told.reminded + (report.kind == "reminder"),
        )
        if before is None or news == "regressed":
            climb_at = at + whom.chain_after if whom.chain else None
            seconds = int(whom.chain_after.total_seconds())
            told = replace(told, chain=whom.chain, chain_seconds=seconds, climb_at=climb_at)
        after = reminder_after(told.reminded, pipeline.config.notices)
        is_over = report.kind == "resolved" or told.is_acknowledged or after is None
        told = replace(told, remind_at=None if is_over or after is None else at + after)
        self._store.notices.save(replace(told, climb_at=None) if report.kind == "resolved" else told)
        self.noted(pipeline.name)

    def _routed(self, pipeline: Pipeline, report: Report, without: str) -> Routed:
        """Return who is told; a fault that no route takes is everybody's, or nobody would hear of it."""
        names = [step.name for step in pipeline.of_kind("notifiers") if step.name != without]
        config, matter, now = pipeline.config, matter_of(report), self._clock()
        whom = routed(config.routes, names, matter, now, config.zone)
        if not whom.targets and report.kind == "fault":
            return routed([], names, matter, now, config.zone)
        return whom

    def fault(
        self, pipeline: str, cause: str, text: str, *, again: int = logging.DEBUG, level: int = logging.ERROR
    ) -> None:
        """Log a failure of the pipeline itself, and tell people of each cause once.

        ``level`` is that of the log, ``again`` that of what they were told of before.
        """
        text = self._redactor.redact(text)
        try:
            is_new = self._queue_fault(pipeline, cause, text)
            self._unstored.clear()
        except StoreError:
            is_new = (pipeline, cause) not in self._unstored
            self._unstored.add((pipeline, cause))
        self._logger.log(level if is_new else again, "%s: %s", pipeline, text)

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
        try:
            pipeline, cause, text = told[job.kind](job)
        except (UserError, LookupError) as error:  # what it was about is gone, or cannot be read
            self._logger.error("%s was given up: %s; %s", job.key, job.error, error)
            return
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

    def failing(self, delivery: DeliveryRow) -> None:
        """Tell the other targets that one takes nothing, while it is still tried; of a report of a fault nobody."""
        if delivery.report.kind != "fault":
            text = (
                f"{delivery.target} took nothing in {counted(delivery.attempts, 'attempt')}: {delivery.error}. "
                "It is tried on; 'aiops deliveries list' shows what waits"
            )
            cause = f"notifier {delivery.target} fails"
            self._queue_fault(delivery.pipeline, cause, text, without=delivery.target)

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
            key=fault_key(pipeline.name, cause, now),
            kind="fault",
            pipeline=pipeline.name,
            title=f"aiops itself: {_CLASS.sub(' failed', cause)}",
            text=text,
            created_at=now,
            language=pipeline.config.language,
        )
