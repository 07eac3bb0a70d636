"""The outbox of one target: what is due is gated, bound into a message, sent, tried again or given up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiops_core.component import Notifier
from aiops_core.context import utc_now
from aiops_core.errors import AiopsError, NotYet, Refused, Retry, UserError, is_interrupt
from aiops_core.failpoints import failpoint
from aiops_core.pipeline import Pipeline
from aiops_core.policy import Gate, crowded, inhibited, matter_of, outdated, silenced
from aiops_core.records import Decision, Incident, Receipt, RecipientResult
from aiops_core.step import Step
from aiops_core.store import DeliveryRow, Job, Store, cause_of
from aiops_core.text.redaction import Redactor
from aiops_core.tracing import span

LATE = timedelta(seconds=10)
"""What waited longer than this for its turn goes out with all that waits."""
_AS_OLD = timedelta(hours=1)
"""What became due this much later waits for a target that is away in a message of its own."""
_CAUSE = timedelta(hours=1)  # since when a cause must have been heard of
_MOST_CRASHES = 20  # a kill ends whatever is sent at that moment, so few of them prove nothing
_LONGEST_WAIT = timedelta(minutes=15)
_SPARE = 30.0
_USUAL_LIMIT = 60.0


class Outbox:
    """Tell one target after the other what waits for it, each by a job of its own."""

    def __init__(
        self,
        pipelines: Mapping[str, Pipeline],
        store: Store,
        *,
        redactor: Redactor,
        logger: logging.Logger,
        failing: Callable[[DeliveryRow], None],
        gave_up: Callable[[DeliveryRow], None],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Call ``failing`` when a notifier's own tries are over and nobody else is told, ``gave_up`` when a delivery is given up.

        Both in the transaction in which that is recorded.
        """
        self._pipelines = pipelines
        self._store = store
        self._redactor = redactor
        self._logger = logger
        self._failing, self._gave_up = failing, gave_up
        self._clock = clock
        self._asked: dict[tuple[str, str], threading.Thread] = {}
        """Who still waits for an answer that came too late, by target."""

    def deliver(self, job: Job) -> None:
        """Send the next message of a target, and come again when the one after it is due."""
        pipeline, target = job.payload["pipeline"], job.payload["target"]
        built = self._pipelines.get(pipeline)
        step = built.step("notifiers", target) if built is not None else None
        batch = self._unfinished(pipeline, target)
        if built is None or step is None:
            why = f"notifier '{target}' is not in the pipeline file any more"
            self._finish(job, [*batch, *self._store.deliveries.due(pipeline, target)], why)
        elif batch and job.attempts > _MOST_CRASHES:
            self._finish(job, batch, f"its worker ended without an answer, {job.attempts - 1} times")
        elif batch or (batch := self._next(built, step, is_away=bool(job.error))):
            self._send(job, step, batch)
        else:
            self._rest(job)

    def _unfinished(self, pipeline: str, target: str) -> list[DeliveryRow]:
        """Return the message that is to be tried again now, as it was."""
        now = self._clock()
        begun = [row for row in self._store.deliveries.begun(pipeline, target) if row.due_at <= now]
        return [row for row in begun if row.batch == begun[0].batch]

    def _next(self, pipeline: Pipeline, step: Step, *, is_away: bool) -> list[DeliveryRow]:
        """Return what goes out now as one message, after policy has looked at it.

        To a target that is away only what is equally old: each part of it is given up in its time.
        """
        deliveries, now = self._store.deliveries, self._clock()
        place, storm = (pipeline.name, step.name), pipeline.config.notices.storm
        if not takes_digests(step):
            return self._first(pipeline, step)
        waiting = deliveries.waiting(*place)
        if "storm" not in waiting:
            recent = deliveries.sent_since(*place, now - storm.within, storm.messages)
            if waiting and (full := crowded(recent, storm)) is not None:
                self._gather(pipeline, step, full)
                return []
        if any(held or now - due_at > LATE for held, due_at in waiting.items()):
            rows = deliveries.due(*place)
            if is_away and rows:
                oldest = min(row.due_at for row in rows)
                rows = [row for row in rows if row.due_at < oldest + _AS_OLD]
            return sorted((row for row in rows if self._may_go(pipeline, row)), key=lambda row: row.id)
        return self._first(pipeline, step)

    def _first(self, pipeline: Pipeline, step: Step) -> list[DeliveryRow]:
        while rows := self._store.deliveries.due(pipeline.name, step.name, limit=1):
            if self._may_go(pipeline, rows[0]):
                return [rows[0]]
        return []

    def _gather(self, pipeline: Pipeline, step: Step, gate: Gate) -> None:
        """Let all that is due wait, to go out as one."""
        with self._store.transaction():
            for incident_id, run_id, key in self._store.deliveries.hold_due(
                pipeline.name, step.name, gate.until, gate.held
            ):
                self._explain(pipeline.name, incident_id, run_id, key, gate.decision)
        failpoint("after_holding")

    def _may_go(self, pipeline: Pipeline, row: DeliveryRow) -> bool:
        """Return whether a message may be sent now; else it waits or is dropped, and its trail says why."""
        incident = self._store.incidents.get(row.incident_id) if row.incident_id is not None else None
        why = outdated(row.report, row.held, incident.state) if incident is not None else None
        gate = self._hidden(pipeline, row, incident) if why is None else None
        if why is None and gate is None:
            return True
        with self._store.transaction():
            if gate is not None:
                self._hold(row, gate)
            elif why is not None and incident is not None:
                self._store.deliveries.drop([row.id], why.text)
                self._store.notices.untold(incident.id, row.report.kind, row.due_at)
            decision = gate.decision if gate is not None else why
            if decision is not None:
                self._explain(pipeline.name, row.incident_id, row.run_id, row.key, decision)
        failpoint("after_holding")
        return False

    def _explain(
        self, pipeline: str, incident_id: int | None, run_id: int | None, key: str, decision: Decision
    ) -> None:
        """Put a decision on the trail of what a message is about."""
        if incident_id is not None:
            self._store.incidents.decide_once(incident_id, run_id, decision)
        elif (cause := cause_of(key, pipeline)) is not None:
            self._store.explain_fault(pipeline, cause, decision)

    def _hidden(self, pipeline: Pipeline, row: DeliveryRow, incident: Incident | None) -> Gate | None:
        """Return the silence that hides a message, or the cause that does."""
        config, now, matter = pipeline.config, self._clock(), matter_of(row.report)
        gate = silenced(matter, now, config.zone, config.silences, self._store.silences.active())
        if gate is not None or incident is None or not config.inhibit:
            return gate
        opened = self._store.incidents.opened(pipeline.name, now - _CAUSE)
        return inhibited(matter, incident, now, config.inhibit, opened)

    def _hold(self, row: DeliveryRow, gate: Gate) -> None:
        self._store.deliveries.hold([row.id], gate.until, gate.held)
        by_command = gate.held.removeprefix("silence ")
        if by_command.isdecimal() and gate.held != row.held:
            self._store.silences.counted(int(by_command))

    def _send(self, job: Job, step: Step, batch: Sequence[DeliveryRow]) -> None:
        ids = [row.id for row in batch]
        with self._store.transaction():
            self._store.guarded(job).deliveries.begin(ids)
        failpoint("before_notification")
        try:
            receipt = self._asked_within(step, batch)
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._failed(job, step, [self._store.deliveries.get(each) for each in ids], error)
            return
        failpoint("after_notification")
        with self._store.transaction():
            self._store.guarded(job).deliveries.sent(ids, receipt)
            self._rest(job)

    def _asked_within(self, step: Step, batch: Sequence[DeliveryRow]) -> Receipt:
        """Return what the notifier gives, or raise what it raises; one that hangs is left behind.

        It is not asked again before it has ended.
        """
        from aiops_core.text.report import merge_reports

        context = step.component.context
        place, limit = (context.pipeline, step.name), _limit(step)
        key = f"digest/{batch[0].pipeline}/{batch[0].target}/{batch[0].id}"
        report = merge_reports(key, [row.report for row in batch], batch[0].created_at)
        answer: list[Any] = []  # Any: what a component returns or raises

        def ask() -> None:
            try:
                about = {"aiops.pipeline": context.pipeline, "aiops.component": step.name}
                with span("aiops notify", about), context.serving(_served(batch[0])):
                    answer.append(step.call("notify", report=report))
            except BaseException as error:
                answer.append(error)

        before = self._asked.get(place)
        if before is not None and before.is_alive():
            raise Retry(f"{step.name}: an earlier message has no answer yet.")
        thread = threading.Thread(target=ask, name=f"notify {step.name}", daemon=True)
        thread.start()
        thread.join(limit)
        if not answer:
            self._asked[place] = thread
            raise Retry(f"{step.name}: no answer within {limit:g} s.")
        if isinstance(answer[0], BaseException):
            raise answer[0]
        return answer[0] if isinstance(answer[0], Receipt) else Receipt()

    def _failed(self, job: Job, step: Step, batch: Sequence[DeliveryRow], error: BaseException) -> None:
        """Try again, ever farther apart, until a day is over; what will never pass is given up at once."""
        failpoint("after_refusal")
        now, ids = self._clock(), [row.id for row in batch]
        served = error.served if isinstance(error, Retry) else ()
        if isinstance(error, NotYet):
            with self._store.transaction():
                deliveries = self._store.guarded(job).deliveries
                deliveries.put_off(ids, now + timedelta(seconds=error.after))
                deliveries.receive(ids, served)
                self._rest(job)
            return
        known = isinstance(error, AiopsError)
        text = self._redactor.redact(str(error) if known else f"{type(error).__name__}: {error}")
        self._logger.error("delivery %s to %s failed: %s", ids[0], step.name, text)
        give_up = self._pipelines[batch[0].pipeline].config.notices.give_up_after
        is_used_up = batch[0].attempts >= batch[0].max_attempts
        is_over = is_used_up and now - (batch[0].wanted_at or now) >= give_up
        if isinstance(error, UserError | Refused) or is_over:
            self._finish(job, batch, text, is_away=is_over)
            return
        due = now + _wait(step, batch[0], error)
        with self._store.transaction():
            deliveries = self._store.guarded(job).deliveries
            deliveries.failed(ids, text, due)
            deliveries.receive(ids, served)
            if is_used_up:
                self._fall_back([*batch, *self._store.deliveries.due(batch[0].pipeline, step.name)])
            if batch[0].attempts == batch[0].max_attempts and not batch[0].fallback:
                self._failing(self._store.deliveries.get(ids[0]))
            self._rest(job, None if served else due, "" if served else text)

    def _finish(self, job: Job, batch: Sequence[DeliveryRow], why: str, *, is_away: bool = False) -> None:
        """Give deliveries up: say so, and tell their fallback; the next ones are tried at once."""
        why = self._redactor.redact(why)
        with self._store.transaction():
            self._store.guarded(job).deliveries.give_up([row.id for row in batch], why)
            self._fall_back(batch)
            for row in batch[:1]:
                self._gave_up(self._store.deliveries.get(row.id))
            self._rest(job, error=why if is_away else "")

    def _fall_back(self, batch: Sequence[DeliveryRow]) -> None:
        for row in batch:
            if row.fallback:
                built = self._pipelines.get(row.pipeline)
                step = built.step("notifiers", row.fallback) if built is not None else None
                self._store.deliveries.fell_back([row.id])
                self._store.deliveries.plan(
                    row.run_id,
                    row.incident_id,
                    row.fallback,
                    row.report,
                    row.key,
                    max_attempts=attempts_of(step),
                )

    def _rest(self, job: Job, closed_until: datetime | None = None, error: str = "") -> None:
        """Come again when something is due; a target that is away is left alone until it is tried again."""
        pipeline, target = job.payload["pipeline"], job.payload["target"]
        with self._store.transaction():
            due = closed_until or self._store.deliveries.next_due(pipeline, target)
            self._store.queue.rest(job, due, error)


def attempts_of(step: Step | None) -> int:
    """Return after how many tries in vain somebody else is told."""
    component = step.component if step is not None else None
    return component.attempts if isinstance(component, Notifier) else Notifier.attempts


def takes_digests(step: Step) -> bool:
    """Return whether a notifier is for people: programs get every report by itself."""
    return not isinstance(step.component, Notifier) or step.component.takes_digests


def _served(row: DeliveryRow) -> Mapping[str, RecipientResult]:
    return {result.recipient: result for receipt in row.receipts for result in receipt.recipients}


def _limit(step: Step) -> float:
    """Return how long a notifier may take: as its step says, or a little more than it allows itself."""
    if step.limits.time is not None:
        return step.limits.time.total_seconds() + (_SPARE if step.is_apart else 0.0)
    own = getattr(step.component.config, "timeout", None)
    return (own.total_seconds() if isinstance(own, timedelta) else _USUAL_LIMIT) + _SPARE


def _wait(step: Step, row: DeliveryRow, error: BaseException) -> timedelta:
    """Return the time to the next try: as the notifier says at first, then doubled, or as the target asks."""
    component = step.component
    usual = component.retry_after if isinstance(component, Notifier) else Notifier.retry_after
    later = max(0, min(row.attempts - row.max_attempts, 20))
    doubled = min(timedelta(seconds=usual) * 2**later, max(_LONGEST_WAIT, timedelta(seconds=usual)))
    asked = timedelta(seconds=error.after) if isinstance(error, Retry) else timedelta(0)
    return asked if asked else doubled * (1 + (row.id % 100) / 1_000)
