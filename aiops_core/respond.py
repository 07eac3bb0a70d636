"""The way out: one run over an incident — evidence, analysis, repair, actions, messages.

Everything is read from and written to the store, step by step: a run that is taken over after a
crash goes on at the first step that is not recorded as finished. A step that fails is recorded
and the run goes on, so that people are told in any case.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from aiops_core.analysis import gather, redact_record, unanswered
from aiops_core.component import Notifier, utc_now
from aiops_core.errors import AiopsError, LeaseLost, Refused, Retry, UserError
from aiops_core.pipeline import Pipeline, Step
from aiops_core.policy import may_repair
from aiops_core.records import (
    Analysis,
    Change,
    Decision,
    Evidence,
    Incident,
    Outcome,
    Plan,
    Receipt,
    Report,
)
from aiops_core.repair import NOT_THE_EDITS_FAULT, propose, remove_tree
from aiops_core.repository import Mirror, open_mirror
from aiops_core.store import Job, StepState, Store, dump, load
from aiops_core.text.redaction import Redactor, contains_secret

R = TypeVar("R")
ROUNDS = 3
"""Times one analyzer may mend what the repair refused, the first proposal included."""
FOLLOW_EVERY = timedelta(minutes=5)
_ACT_AGAIN = (2.0, 8.0)
"""Seconds between tries of an action whose failure may pass; people are told after that."""


@dataclass(slots=True)
class _Run:
    """One pass of the response, as it is being made."""

    id: int
    job: Job
    pipeline: Pipeline
    incident: Incident
    reason: str
    decisions: list[Decision] = dataclasses.field(default_factory=list)


class Responder:
    """Do the jobs of the queue: runs, deliveries, follow-ups."""

    kinds = ("run", "deliver", "follow")

    def __init__(
        self,
        pipelines: Sequence[Pipeline],
        store: Store,
        *,
        state: Path,
        secrets: frozenset[str] = frozenset(),
        logger: logging.Logger,
        fault: Callable[[str, str, str], None],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._pipelines = {pipeline.name: pipeline for pipeline in pipelines}
        self._store = store
        self._state = state
        self._redactor = Redactor(secrets)
        self._logger = logger
        self._fault = fault
        self._clock = clock

    def handle(self, job: Job) -> None:
        """Do one leased job to its end: finished, retried later, or dead."""
        work = {"run": self._run, "deliver": self._deliver, "follow": self._follow}[job.kind]
        try:
            work(job)
        except LeaseLost:
            self._logger.warning("%s %s: another worker took it over", job.kind, job.key)
        except Retry as error:
            self._store.queue.retry(job, str(error), self._clock() + timedelta(seconds=max(error.after, 5.0)))
        except AiopsError as error:
            self._store.queue.bury(job, str(error))
            self._logger.error("%s %s: given up: %s", job.kind, job.key, error)
        except Exception as error:
            self._logger.exception("%s %s failed", job.kind, job.key)
            wait = timedelta(seconds=min(2.0**job.attempts, 300.0))
            self._store.queue.retry(job, f"{type(error).__name__}: {error}", self._clock() + wait)

    # -- one run --------------------------------------------------------------------------------

    def _run(self, job: Job) -> None:
        row = self._store.runs.get(job.payload["run"])
        pipeline = self._pipelines.get(row.pipeline)
        if pipeline is None:
            raise UserError(
                f"pipeline '{row.pipeline}' is not in the pipeline file any more. Put it back, or drop the job"
            )
        incident = self._redacted(self._store.incidents.get(row.incident_id))
        run = _Run(row.id, job, pipeline, incident, row.reason)
        if self._store.runs.steps(row.id):  # taken over: what was decided before is told too
            run.decisions.extend(self._store.incidents.decisions(incident.id))
        runs = self._store.guarded(job).runs
        runs.start(run.id)
        if incident.state in {"ignored", "resolved"} and row.reason != "retry":
            self._decide(run, Decision("state", f"not answered: the incident is {incident.state}"))
            runs.finish(run.id, "done")
            self._store.queue.finish(job)
            return
        evidence = self._step(run, "evidence", "", lambda: self._gather(run), list[Evidence]) or []
        answered = self._step(run, "analyze", "", lambda: self._analyze(run, evidence), Analysis)
        analysis = answered or unanswered(
            incident, ["the analysis step failed"], language=pipeline.config.language
        )
        repaired = self._step(run, "repair", "", lambda: self._repair(run, evidence, analysis), Repaired)
        change = None
        if repaired is not None:
            analysis, change = repaired.analysis, repaired.change
        plans, outcomes = self._act(run, analysis, change)
        self._step(run, "notify", "", lambda: self._notify(run, analysis, change, plans, outcomes), list[str])
        remove_tree(self._work(run))
        states = {step.state for step in self._store.runs.steps(run.id)}
        runs.finish(run.id, "failed" if "failed" in states else "done")
        self._store.queue.finish(job)

    def _step(
        self, run: _Run, name: str, component: str, work: Callable[[], R | None], kind: type[R]
    ) -> R | None:
        """Do one recorded step, or return what it gave when it was done before."""
        runs = self._store.guarded(run.job).runs
        row = runs.step(run.id, name)
        if row is not None and row.is_finished:
            return load(kind, row.result) if row.result else None
        runs.begin_step(run.id, name, component)
        state: StepState = "done"
        error = result = ""
        value: R | None = None
        try:
            value = work()
            result = dump(kind, value) if value is not None else ""
            state = "done" if value is not None else "skipped"
        except LeaseLost:
            raise
        except Refused as refusal:
            state, error = "refused", self._redactor.redact(str(refusal))
            self._decide(run, Decision(refusal.rule, error, setting=refusal.setting))
        except Exception as failure:
            state, error = "failed", self._redactor.redact(f"{type(failure).__name__}: {failure}")
            expected = isinstance(failure, AiopsError)
            self._logger.error(
                "run %s: %s failed: %s", run.id, name, error, exc_info=None if expected else failure
            )
            self._fault(
                run.pipeline.name,
                f"{name} {component}: {type(failure).__name__}",
                f"{name} {component}: {error}",
            )
        runs.end_step(run.id, name, state, error, result)
        self._observe(run, name, state)
        return value

    def _observe(self, run: _Run, name: str, state: str) -> None:
        try:
            run.pipeline.host.hook.step_finished(incident=run.incident, step=name, state=state)
        except Exception as error:
            self._fault(run.pipeline.name, "extension: step_finished", f"an extension raised {error}")

    def _decide(self, run: _Run, decision: Decision) -> None:
        decision = replace(decision, at=self._clock())
        run.decisions.append(decision)
        self._store.incidents.decide(run.incident.id, run.id, decision)

    def _redacted(self, record: R) -> R:
        return redact_record(record, self._redactor)

    # -- evidence and analysis ------------------------------------------------------------------

    def _work(self, run: _Run) -> Path:
        return self._state / "work" / f"run-{run.id}"

    def _mirror(self, run: _Run) -> Mirror | None:
        repository = run.pipeline.config.repository
        if repository is None:
            return None
        mirror = open_mirror(repository, self._state / "mirrors")
        mirror.refresh()
        return mirror

    def _gather(self, run: _Run) -> list[Evidence]:
        similar = self._store.incidents.similar(run.incident, limit=3)
        try:
            mirror = self._mirror(run)
        except AiopsError as error:
            mirror = None
            self._fault(run.pipeline.name, "repository", f"the repository cannot be read: {error}")
        found = gather(
            run.incident, mirror=mirror, repository=run.pipeline.config.repository, similar=similar
        )
        try:
            extra = [
                item for items in run.pipeline.host.hook.gather(incident=run.incident) for item in items or ()
            ]
        except Exception as error:
            extra = []
            self._fault(
                run.pipeline.name, "extension: gather", f"an extension raised {type(error).__name__}: {error}"
            )
        found += [replace(item, id=f"E{len(found) + index}") for index, item in enumerate(extra, 1)]
        found = self._redacted(found)
        self._store.guarded(run.job).runs.save_evidence(run.id, found)
        return found

    def _analyze(self, run: _Run, evidence: Sequence[Evidence]) -> Analysis:
        """Ask the ladder; the first that can answer does."""
        reasons: list[str] = []
        for step in run.pipeline.of_kind("analyzers"):
            analysis = self._ask(run, step, evidence, reasons)
            if analysis is not None:
                return analysis
        if not run.pipeline.of_kind("analyzers"):
            reasons.append("the pipeline has no analyzers")
        self._decide(
            run,
            Decision("unanswered", "no analyzer could answer: " + "; ".join(reasons), setting="analyzers"),
        )
        return unanswered(run.incident, reasons, language=run.pipeline.config.language)

    def _ask(
        self, run: _Run, step: Step, evidence: Sequence[Evidence], reasons: list[str]
    ) -> Analysis | None:
        try:
            analysis = step.call("analyze", incident=run.incident, evidence=list(evidence))
        except Exception as error:
            text = self._redactor.redact(f"{step.name}: {error}")
            reasons.append(text)
            self._fault(
                run.pipeline.name, f"analyzer {step.name}: {type(error).__name__}", f"analyzer {text}"
            )
            return None
        if not isinstance(analysis, Analysis):
            reasons.append(f"{step.name}: no answer")
            return None
        confidence = min(max(analysis.confidence, 0.0), 1.0) if math.isfinite(analysis.confidence) else 0.0
        analysis = replace(analysis, analyzer=analysis.analyzer or step.name, confidence=confidence)
        analysis = self._redacted(analysis)
        self._store.guarded(run.job).runs.save_analysis(run.id, analysis)
        return analysis

    # -- repair ---------------------------------------------------------------------------------

    def _repair(self, run: _Run, evidence: Sequence[Evidence], analysis: Analysis) -> Repaired | None:
        """Try the proposed fix; hand refusals back to the analyzer that proposed it."""
        config = run.pipeline.config
        refusal: Refused | None = None
        for round_ in range(ROUNDS):
            decision = may_repair(analysis, config)
            if decision is not None:
                if refusal is not None:
                    raise refusal
                self._decide(run, decision)
                return None
            try:
                return Repaired(analysis, self._propose(run, analysis))
            except Refused as error:
                refusal = error
                self._decide(
                    run, Decision(error.rule, self._redactor.redact(str(error)), setting=error.setting)
                )
            if refusal.rule in NOT_THE_EDITS_FAULT or round_ + 1 == ROUNDS:
                break
            again = self._ask_again(run, evidence, analysis, refusal)
            if again is None or again.edits == analysis.edits:
                break
            analysis = again
        raise refusal or Refused("nothing was proposed", rule="no-edits")

    def _propose(self, run: _Run, analysis: Analysis) -> Change:
        mirror = self._mirror(run)
        repository = run.pipeline.config.repository
        if mirror is None or repository is None:
            raise Refused("the pipeline names no repository", rule="no-repository", setting="repository")
        change = propose(
            analysis.edits,
            mirror=mirror,
            repository=repository,
            policy=run.pipeline.config.policy,
            scratch=self._work(run),
            find_secret=contains_secret,
        )
        change = self._without_secrets(change)
        self._store.guarded(run.job).runs.save_change(run.id, change)
        return change

    def _without_secrets(self, change: Change) -> Change:
        """Redact what people are shown of a change: old source lines and what the tests printed."""
        before, after = (
            run and replace(run, output=self._redactor.redact(run.output))
            for run in (change.before, change.after)
        )
        return replace(change, diff=self._redactor.redact(change.diff, code=True), before=before, after=after)

    def _ask_again(
        self, run: _Run, evidence: Sequence[Evidence], analysis: Analysis, refusal: Refused
    ) -> Analysis | None:
        step = run.pipeline.step("analyzers", analysis.analyzer)
        if step is None:
            return None
        text = self._redactor.redact(str(refusal))
        note = Evidence(
            kind="refusal", title="the proposed edits were refused", text=text, id=f"E{len(evidence) + 1}"
        )
        return self._ask(run, step, [*evidence, note], [])

    # -- actions --------------------------------------------------------------------------------

    def _act(self, run: _Run, analysis: Analysis, change: Change | None) -> tuple[list[Plan], list[Outcome]]:
        plans: list[Plan] = []
        outcomes: list[Outcome] = []
        for step in run.pipeline.of_kind("actions"):
            plan_it = partial(self._plan, run, step, analysis, change)
            plan = self._step(run, f"plan {step.name}", step.name, plan_it, Plan)
            if plan is None:
                continue
            if step.mode != "auto":
                plans.append(plan)
                text = f"{step.name}: planned only, its mode is {step.mode}"
                self._decide(run, Decision(step.mode, text, setting=f"actions.{step.name}.mode"))
                continue
            outcome = self._step(
                run, f"act {step.name}", step.name, partial(self._do, run, step, plan), Outcome
            )
            if outcome is not None:
                outcomes.append(outcome)
        return plans, outcomes

    def _plan(self, run: _Run, step: Step, analysis: Analysis, change: Change | None) -> Plan | None:
        plan: Plan | None = step.call("plan", incident=run.incident, analysis=analysis, change=change)
        if plan is None:
            return None
        plan = replace(plan, action=step.name)
        self._store.guarded(run.job).runs.save_plan(run.id, step.name, plan)
        return plan

    def _do(self, run: _Run, step: Step, plan: Plan) -> Outcome:
        runs = self._store.guarded(run.job).runs
        with step.component.context.recording(runs.effects(run.id, step.name)):
            outcome = self._try_act(step, plan)
        outcome = self._redacted(replace(outcome, action=step.name))
        runs.save_outcome(run.id, step.name, outcome)
        if not outcome.final:
            due = self._clock() + FOLLOW_EVERY
            payload = {"run": run.id, "step": step.name}
            self._store.queue.enqueue("follow", f"follow:{run.id}:{step.name}", payload, due_at=due)
        return outcome

    def _try_act(self, step: Step, plan: Plan) -> Outcome:
        """Act, again after a short wait where the action says that the failure may pass."""
        for wait in _ACT_AGAIN:
            try:
                outcome: Outcome = step.call("act", plan=plan)
            except Retry as error:
                if step.component.context.stopping.wait(wait):
                    raise
                self._logger.warning("%s: %s; tried again", step.name, self._redactor.redact(str(error)))
                continue
            return outcome
        last: Outcome = step.call("act", plan=plan)
        return last

    def _follow(self, job: Job) -> None:
        """Look at a non-final outcome again, until it is final."""
        row = self._store.runs.get(job.payload["run"])
        pipeline = self._pipelines.get(row.pipeline)
        step = pipeline.step("actions", job.payload["step"]) if pipeline else None
        outcome = self._store.runs.outcomes(row.id).get(job.payload["step"])
        if step is None or outcome is None or outcome.final:
            self._store.queue.finish(job)
            return
        runs = self._store.guarded(job).runs
        with step.component.context.recording(runs.effects(row.id, step.name)):
            news: Outcome | None = step.call("follow", outcome=outcome)
        if news is not None:
            outcome = self._redacted(replace(news, action=step.name))
            runs.save_outcome(row.id, step.name, outcome)
        if outcome.final:
            self._store.queue.finish(job)
        else:
            self._store.queue.release(job, due_at=self._clock() + FOLLOW_EVERY)

    # -- messages -------------------------------------------------------------------------------

    def _notify(
        self,
        run: _Run,
        analysis: Analysis,
        change: Change | None,
        plans: Sequence[Plan],
        outcomes: Sequence[Outcome],
    ) -> list[str]:
        """Queue one delivery to every notifier; each is tried on its own."""
        incident = self._redacted(self._store.incidents.get(run.incident.id))
        report = Report(
            key=f"{run.pipeline.name}/{incident.fingerprint}/run-{run.id}",
            kind="incident",
            pipeline=run.pipeline.name,
            title=analysis.title or incident.title,
            severity=incident.severity,
            incident=incident,
            analysis=analysis,
            evidence=tuple(item for item in self._store.runs.evidence(run.id) if item.id in analysis.cited),
            change=change and _without_content(change),
            plans=tuple(plans),
            outcomes=tuple(outcomes),
            decisions=tuple(run.decisions),
            created_at=self._clock(),
            language=run.pipeline.config.language,
        )
        return self.tell(run.pipeline, self._redacted(report), run_id=run.id, incident_id=incident.id)

    def tell(
        self, pipeline: Pipeline, report: Report, *, run_id: int | None, incident_id: int | None
    ) -> list[str]:
        """Queue a report to every notifier of a pipeline; return their names."""
        names = []
        for step in pipeline.of_kind("notifiers"):
            component = step.component
            attempts = component.attempts if isinstance(component, Notifier) else 3
            self._store.deliveries.plan(
                run_id, incident_id, step.name, report, report.key, max_attempts=attempts
            )
            names.append(step.name)
        return names

    def _deliver(self, job: Job) -> None:
        """Try one delivery; a failure is tried again as often and as far apart as the notifier says."""
        delivery = self._store.deliveries.get(job.payload["delivery"])
        if delivery.state == "sent":
            self._store.queue.finish(job)
            return
        pipeline = self._pipelines.get(delivery.pipeline)
        step = pipeline.step("notifiers", delivery.target) if pipeline else None
        deliveries = self._store.guarded(job).deliveries
        if step is None:
            text = f"notifier '{delivery.target}' is not in the pipeline file any more"
            deliveries.failed(delivery.id, text, final=True)
            self._store.queue.bury(job, text)
            return
        try:
            receipt = step.call("notify", report=delivery.report)
        except Exception as error:
            self._failed_delivery(job, delivery.id, step, error)
            return
        deliveries.sent(delivery.id, receipt if isinstance(receipt, Receipt) else Receipt())
        self._store.queue.finish(job)

    def _failed_delivery(self, job: Job, delivery_id: int, step: Step, error: Exception) -> None:
        text = self._redactor.redact(
            f"{type(error).__name__}: {error}" if not isinstance(error, AiopsError) else str(error)
        )
        is_lasting = isinstance(error, UserError | Refused)
        final = is_lasting or job.attempts >= job.max_attempts
        self._store.guarded(job).deliveries.failed(delivery_id, text, final=final)
        self._logger.error("delivery %s to %s failed: %s", delivery_id, step.name, text)
        if final:
            self._store.queue.bury(job, text)
            if self._store.deliveries.get(delivery_id).report.kind != "fault":
                self._fault(
                    step.component.context.pipeline, f"notifier {step.name}", f"notifier {step.name}: {text}"
                )
            return
        component = step.component
        wait = component.retry_after if isinstance(component, Notifier) else 300.0
        if isinstance(error, Retry) and error.after:
            wait = error.after
        self._store.queue.retry(job, text, self._clock() + timedelta(seconds=wait))


@dataclass(frozen=True, slots=True)
class Repaired:
    """What the repair step gives: the analysis it ended with and the Change that passed."""

    analysis: Analysis
    change: Change


def _without_content(change: Change) -> Change:
    """Return the change as a report carries it: files by name, their bytes left out."""
    files = (replace(file, content=file.content and b"") for file in change.files)
    return replace(change, files=tuple(files))
