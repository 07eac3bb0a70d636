"""Do leased jobs: runs from their first step to their last, deliveries, follow-ups."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from aiops_core.analysis import redact_record, unanswered
from aiops_core.budget import Amount
from aiops_core.context import utc_now
from aiops_core.errors import AiopsError, LeaseLost, Retry, StoreError, UserError, is_interrupt
from aiops_core.failpoints import failpoint
from aiops_core.pipeline import Pipeline
from aiops_core.plain import from_text
from aiops_core.records import Analysis, Change, Decision, Report, Review
from aiops_core.repair import Premises, remove_tree
from aiops_core.repository import GitError, mirror_path
from aiops_core.respond.acting import Acted, act, acted_since, approved, follow, look_again_at
from aiops_core.respond.asking import analyze, without_model
from aiops_core.respond.run import Desk, Postponed, Run
from aiops_core.respond.silencing import Silencing
from aiops_core.respond.solving import Gathered, Repaired, gather_evidence, repair
from aiops_core.respond.telling import Telling
from aiops_core.respond.tending import Tending
from aiops_core.respond.triage import gate_of, triage
from aiops_core.respond.turns import Turns
from aiops_core.store import Job, Place, Store
from aiops_core.text.redaction import Redactor

TOLD_EARLY = "notify early"
"""Step that tells people of an error whose analysis follows."""


class Responder:
    """Do the jobs of the queue: runs, deliveries, follow-ups, talks, watches over merged fixes."""

    kinds = ("run", "deliver", "tend", "silence", "follow", "talk", "watch", "canary")
    delivery = "deliver"

    def __init__(
        self,
        pipelines: Sequence[Pipeline],
        store: Store,
        *,
        state: Path,
        disk: int,
        redactor: Redactor | None = None,
        per_day: Amount | None = None,
        analyses: int = 3,
        once: bool = False,
        logger: logging.Logger,
        clock: Callable[[], datetime] = utc_now,
        is_rehearsal: bool = False,
        canary_arrived: Callable[[str, int], None] = lambda pipeline, number: None,
    ) -> None:
        self._pipelines: Mapping[str, Pipeline] = {pipeline.name: pipeline for pipeline in pipelines}
        self._store = store
        self._logger = logger
        self._clock = clock
        self._once = once
        self._canary_arrived = canary_arrived
        redactor = redactor or Redactor()
        self.telling = Telling(self._pipelines, store, redactor=redactor, logger=logger, clock=clock)
        self._tending = Tending(
            self._pipelines, store, self.telling, partial(redact_record, redactor=redactor), clock
        )
        self.telling.noted = self._tending.begin
        self._silencing = Silencing(store, partial(self.telling.fault, level=logging.INFO), clock)
        self._desk = Desk(
            store, Premises(state, disk), redactor, self.telling, logger, clock, Turns(analyses, self._call),
            _mirrors(pipelines, state), per_day, is_rehearsal,
        )  # fmt: skip

    def recover(self) -> None:
        """Settle what a runner that died left open; before the workers start."""
        self._desk.premises.tidy(())
        self._count_lost_calls()
        self.look_after()

    def look_after(self) -> None:
        """Have every pipeline looked after from now on; those that are already, stay so.

        What waits for a model or for money is tried at once: another file may have other budgets.
        """
        self._tending.recover(once=self._once)
        self._store.runs.wake_postponed()

    def handle(self, job: Job) -> None:
        """Do one leased job to its end: finished, retried later, or dead."""
        work: Mapping[str, Callable[[Job], None]] = {
            "run": self._run,
            "deliver": self._deliver,
            "tend": self._tending.tend,
            "silence": self._silencing.tend,
            "follow": self._follow,
            "talk": self._talk,
            "watch": self._watch,
            "canary": self._pass_canary_on,
        }
        failpoint("job_taken")
        try:
            work[job.kind](job)
        except LeaseLost:
            self._logger.warning("%s %s: another worker took it over", job.kind, job.key)
        except (Retry, StoreError) as error:
            after = error.after if isinstance(error, Retry) else 0.0
            self._retry(job, str(error), max(after, 5.0))
        except AiopsError as error:
            self._store.queue.bury(job, self._desk.redactor.redact(str(error)))
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._logger.exception("%s %s failed", job.kind, job.key)
            self._retry(job, f"{type(error).__name__}: {error}", min(2.0**job.attempts, 300.0))
        failpoint("job_left")

    def _pass_canary_on(self, job: Job) -> None:
        """Hand a canary to those who tell people, under the key it has: it ends there, and nobody is told."""
        with self._store.transaction():
            self._store.queue.finish(job)
            self._store.queue.enqueue(self.delivery, job.key, job.payload, priority=job.priority)

    def _deliver(self, job: Job) -> None:
        if "number" not in job.payload:
            self.telling.outbox.deliver(job)
            return
        self._store.queue.finish(job)
        self._canary_arrived(job.payload["pipeline"], job.payload["number"])

    def _count_lost_calls(self) -> None:
        """Put on record which calls a runner that died had begun, and that they count at their most."""
        for lost in self._store.spending.give_up():
            text = f"{lost.analyzer}: a call of run {lost.run_id} did not end, it counts at its most: {lost.amount}"
            self._logger.warning("%s", text)
            self._store.incidents.decide(lost.incident_id, lost.run_id, Decision("budget", text))

    def _retry(self, job: Job, error: str, seconds: float) -> None:
        due = self._clock() + timedelta(seconds=seconds)
        self._store.queue.retry(job, self._desk.redactor.redact(error), due)

    def _follow(self, job: Job) -> None:
        row = self._store.runs.get(job.payload["run"])
        follow(self._desk, self._pipelines.get(row.pipeline), job)

    def _watch(self, job: Job) -> None:
        from aiops_core.respond.watching import watch

        incident = self._store.incidents.get(job.payload["incident"])
        watch(self._desk, self._pipelines.get(incident.pipeline), job, incident)

    def _talk(self, job: Job) -> None:
        from aiops_core.respond.talking import talk

        row = self._store.runs.get(job.payload["run"])
        talk(self._desk, self._pipelines.get(row.pipeline), job)

    def _run(self, job: Job) -> None:
        run = self._taken_up(job)
        run.runs.start(run.id)
        if self._is_over(run):
            run.decide(Decision("state", f"not answered: the incident is {run.incident.state}"))
            self._finish(run)
            return
        run.triaged = triage(run)
        gather = partial(gather_evidence, run)
        is_brief = run.pipeline.config.repository is None
        gathered = run.step("evidence", "", gather, Gathered, is_brief=is_brief) or Gathered(())
        run.commit = gathered.commit
        evidence = gathered.evidence
        try:
            analyzers = run.pipeline.of_kind("analyzers")
            answer = partial(analyze, run, evidence)
            answered = run.step("analyze", "", answer, Analysis, is_brief=not analyzers)
        except Postponed as wait:
            self._postpone(run, wait)
            return
        analysis = answered or unanswered(
            run.incident, ["the analysis step failed"], language=run.pipeline.config.language
        )
        mend = partial(repair, run, evidence, analysis)
        repaired = run.step("repair", "", mend, Repaired, is_brief=not analysis.edits)
        change = None
        if repaired is not None:
            analysis, change = repaired.analysis, repaired.change
        if run.review is not None:
            self._revise(run, run.review, analysis, change)
            return
        acted = act(run, analysis, change)
        self._tell(run, analysis, change, acted)
        remove_tree(run.work)
        self._finish(run)

    def _tell(self, run: Run, analysis: Analysis, change: Change | None, acted: Acted) -> None:
        """Tell people of a run once, and once more of each action that acted after they were told."""
        if not (TOLD_EARLY in run.before and not analysis.is_answered and not acted.plans):
            run.told("notify", partial(self._notify, run, analysis, change, acted))
        for action in acted_since(run, "notify"):
            again = partial(self._notify, run, analysis, change, acted, action)
            run.told(f"notify {action}", again)

    def _call(self, run_id: int) -> bool:
        """Let a run go on that waits for its turn; return whether it does."""
        return self._store.queue.wake(f"run:{run_id}", self._clock())

    def _postpone(self, run: Run, wait: Postponed) -> None:
        """Put a run aside; people who have waited long enough get the error without its analysis."""
        run.decide(wait.decision)
        deadline = run.created_at + run.pipeline.config.policy.tell_within
        is_long = wait.wait_for == "budget" or (self._once and wait.wait_for == "model")
        is_due = is_long or self._clock() >= deadline
        if run.review is None and is_due and TOLD_EARLY not in run.before:
            run.told(TOLD_EARLY, partial(self._tell_early, run, wait))
        run.look_at = wait.until if is_due else min(wait.until, deadline)
        self._finish(run)
        if wait.wait_for == "turn":
            self._desk.turns.wait(run.id)

    def _tell_early(self, run: Run, wait: Postponed) -> Callable[[], list[str]]:
        analysis = without_model(run, [wait.decision.text])
        return self._notify(run, analysis, None, Acted((), {}), "early")

    def _revise(self, run: Run, review: Review, analysis: Analysis, change: Change | None) -> None:
        """End a round of review: push what was asked for, and have the people answered who asked."""
        from aiops_core.respond.talking import is_stopped, talk_key

        place = Place(run.pipeline.name, review.action, review.request)
        if is_stopped(self._store.talks.remarks(place)):
            run.decide(Decision("stopped", "nothing pushed: a reviewer ended the conversation"))
        else:
            acted = act(run, analysis, change)
            has_changed = any(outcome.status == "done" for outcome in acted.outcomes.values())
            if acted.plans or has_changed:  # the reviewers are answered, who may approve or look is told
                self._tell(run, analysis, change, acted)
        remove_tree(run.work)
        self._finish(run)
        self._store.queue.wake(talk_key(run.pipeline.name, review.action, review.request), self._clock())

    def _taken_up(self, job: Job) -> Run:
        store = self._store.guarded(job)
        with store.moment():
            row = store.runs.get(job.payload["run"])
            incident = store.incidents.get(row.incident_id)
            before = {step.name: step for step in store.runs.steps(row.id)}
            decisions = store.incidents.decisions(incident.id, row.id)
        pipeline = self._pipelines.get(row.pipeline)
        if pipeline is None:
            raise UserError(
                f"pipeline '{row.pipeline}' is not in the pipeline file any more. Put it back, or drop the job"
            )
        incident = self._desk.redacted(incident)
        step = before.get("review") if row.reason == "review" else None
        review = from_text(Review, step.result) if step is not None else None
        run = Run(
            self._desk, row.id, job, pipeline, incident, row.reason, row.created_at, store, before, review
        )
        run.decisions.extend(decisions)
        return run

    def _is_over(self, run: Run) -> bool:
        """Return whether people closed the incident meanwhile and did not ask for this run."""
        is_closed = run.incident.state in {"ignored", "resolved"}
        return is_closed and run.reason not in ("retry", "review") and not approved(run)

    def _finish(self, run: Run) -> None:
        """End the run, or park it for an approval; one that came meanwhile lets it go on at once."""
        with run.saving():
            states = {step.state for step in self._store.runs.steps(run.id)}
            if "waiting" in states and approved(run) and not self._is_over(run):
                self._store.queue.release(run.job)
                return
            waits = bool({"waiting", "queued"} & states) and not self._is_over(run)
            run.runs.finish(run.id, "waiting" if waits else "failed" if "failed" in states else "done")
            expires = look_again_at(run) if waits else None
            if expires is None:
                self._store.queue.finish(run.job)
            else:
                self._store.queue.release(run.job, expires)

    def _notify(
        self, run: Run, analysis: Analysis, change: Change | None, acted: Acted, action: str = ""
    ) -> Callable[[], list[str]]:
        """Write the report about the run, or what one action did since; return what queues it to its targets."""
        if not run.pipeline.of_kind("notifiers"):
            return list  # nobody to be told
        incident = run.redacted(self._store.incidents.get(run.incident.id))
        key = f"{run.pipeline.name}/{incident.fingerprint}/run-{run.id}"
        deploy = self._store.deploys.of(incident)
        found = self._store.runs.evidence(run.id) if analysis.cited else ()
        cited = tuple(item for item in found if item.id in analysis.cited)
        report = Report(
            key=f"{key}/{action}" if action else key,
            kind="incident",
            pipeline=run.pipeline.name,
            title=analysis.title or incident.title,
            severity="info" if run.review is not None and not acted.plans else incident.severity,
            incident=incident,
            analysis=analysis,
            evidence=cited,
            change=change and _without_content(change),
            plans=acted.plans,
            outcomes=tuple(acted.outcomes.values()),
            decisions=tuple(run.decisions),
            created_at=self._clock(),
            language=run.pipeline.config.language,
            owners=_owners(run),
            part_of=run.triaged.part_of if run.triaged is not None else None,
            new_with=deploy.release if deploy is not None else "",
            new_after=deploy.before if deploy is not None else "",
        )
        is_asked = run.reason in ("retry", "review") or action not in ("", "early")
        is_asked = is_asked or (not action and TOLD_EARLY in run.before)
        return partial(
            self.telling.tell,
            run.pipeline,
            run.redacted(report),
            run_id=run.id,
            incident_id=incident.id,
            news="" if is_asked else run.reason,
            storm=gate_of(run),
        )


def _mirrors(pipelines: Sequence[Pipeline], state: Path) -> frozenset[Path]:
    """Return where the mirrors of the pipelines' repositories are, as far as their addresses can be used."""
    found = set()
    for pipeline in pipelines:
        if pipeline.config.repository is not None:
            with suppress(GitError):
                found.add(mirror_path(pipeline.config.repository, state / "mirrors"))
    return frozenset(found)


def _owners(run: Run) -> tuple[str, ...]:
    """Return who owns the code the incident came from, where a route asks for it."""
    if not any(route.when.owner for route in run.pipeline.config.routes):
        return ()
    from aiops_core.repair import code_owners

    evidence = run.desk.store.runs.evidence(run.id)
    paths = [item.path for item in evidence if item.kind == "source" and item.path]
    with suppress(GitError):
        mirror = run.mirror()
        if mirror is not None and paths:
            return tuple(code_owners(partial(mirror.read, run.commit), paths))
    return ()


def _without_content(change: Change) -> Change:
    """Return the change as a report carries it: files by name, their bytes left out."""
    files = (replace(file, content=file.content and b"") for file in change.files)
    return replace(change, files=tuple(files))
