"""Plan, wait for an approval where one is asked for, act, and look again at what is not final."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.component import Action
from aiops_core.config import duration_text
from aiops_core.errors import AiopsError, LeaseLost, ProcessEnded, Retry, StoreError
from aiops_core.handover import WrongType, handed_over
from aiops_core.pipeline import Pipeline
from aiops_core.policy import may_publish, nearer, questions
from aiops_core.records import Analysis, Change, Decision, Outcome, Plan
from aiops_core.respond.run import Desk, Postponed, Run
from aiops_core.respond.storm import tell_of_storm
from aiops_core.step import Step
from aiops_core.store import Job, StepRow, Store

FOLLOW_EVERY = timedelta(minutes=5)
_REQUESTS = ("draft", "ready")
"""Where an action reaches that opens requests."""
_FULL = {
    "open": ("{} requests are open and more may not be", "policy.open_requests"),
    "hourly": ("{} requests were opened within the hour and more may not be", "policy.requests_per_hour"),
}
_ACT_AGAIN = (2.0, 8.0)
"""Seconds between tries of an action whose failure may pass; people are told after that."""
_PROCESSES = 3
"""Times that a run waits for another process of an action."""
_LONGEST_WAIT = 30.0
"""Seconds that one waits for a process which others ended."""


class Acted(Struct, frozen=True):
    """What the actions of a run planned without doing it, and what they did, by step."""

    plans: tuple[Plan, ...]
    outcomes: dict[str, Outcome]


def act(run: Run, analysis: Analysis, change: Change | None) -> Acted:
    """Let every action plan, and act as far as its mode and people allow."""
    plans: list[Plan] = []
    outcomes: dict[str, Outcome] = {}
    _drop_plans_without_action(run)
    for step in run.pipeline.of_kind("actions"):
        if run.review is not None and run.review.action != step.name:
            continue
        try:
            plan = run.step(f"plan {step.name}", step.name, partial(_plan, run, step, analysis, change), Plan)
            if plan is None:
                continue
            if not _may_act(run, step, plan, change) or not _has_place(run, step):
                plans.append(plan)
                continue
            outcome = run.step(f"act {step.name}", step.name, partial(_do, run, step, plan), Outcome)
        except Postponed as wait:
            run.decide(wait.decision)
            run.look_at = min(wait.until, run.look_at or wait.until)
            continue
        if outcome is not None:
            outcomes[step.name] = outcome
        else:
            run.store.requests.drop(run.id, step.name)
    return Acted(tuple(plans), outcomes)


def _drop_plans_without_action(run: Run) -> None:
    """End the waiting of actions that are in the pipeline file no more, whatever people said."""
    if all(step.state != "waiting" for step in run.before.values()):
        return
    names = {step.name for step in run.pipeline.of_kind("actions")}
    for one in run.runs.waiting(run.id):
        if one.action not in names:
            text = f"{one.action}: is no action of the pipeline any more, so its plan is dropped"
            run.runs.end_step(run.id, f"act {one.action}", "skipped", text)
            run.decide(Decision("no-action", text, setting="actions"))


def approved(run: Run) -> list[str]:
    """Return the actions that may go on: people approved their plans after this run passed by."""
    asking = {step.name for step in run.pipeline.of_kind("actions") if step.mode != "dry_run"}
    waiting = run.runs.waiting(run.id)
    return [one.action for one in waiting if one.stored.is_approved and one.action in asking]


def look_again_at(run: Run) -> datetime | None:
    """Return when a plan that waits for people expires, or one that waits for its turn may have it."""
    waiting = [run.look_at, *(one.stored.expires_at for one in run.runs.waiting(run.id))]
    return min((time for time in waiting if time is not None), default=None)


def acted_since(run: Run, told: str) -> list[str]:
    """Return the actions that waited, and acted, or left a plan people approved, after the step ``told`` had begun."""
    if told not in run.before:
        return []
    steps = {step.name: step for step in run.runs.steps(run.id)}
    found = []
    for row in steps.values():
        action = row.name.removeprefix("act ")
        if action == row.name or row.finished_at is None or row.finished_at <= steps[told].started_at:
            continue
        stored = run.runs.plan(run.id, action)
        is_left = row.state in {"refused", "skipped"} and stored is not None and stored.is_approved
        if is_left or row.state in {"done", "failed"}:
            found.append(action)
    return found


def follow(desk: Desk, pipeline: Pipeline | None, job: Job) -> None:
    """Look at a non-final outcome again, until it is final."""
    run_id = job.payload["run"]
    step = pipeline.step("actions", job.payload["step"]) if pipeline else None
    outcome = desk.store.runs.outcomes(run_id).get(job.payload["step"])
    if step is None or outcome is None or outcome.final:
        desk.store.requests.close(run_id, job.payload["step"])
        desk.store.queue.finish(job)
        return
    runs = desk.store.guarded(job).runs
    try:
        with step.component.context.recording(runs.effects(run_id, step.name)):
            news = handed_over("follow", step.call("follow", outcome=outcome), Outcome)
    except Retry as error:  # an outage may last longer than a job has attempts
        desk.logger.warning("%s: %s", step.name, desk.redactor.redact(str(error)))
        desk.store.queue.release(job, due_at=desk.clock() + FOLLOW_EVERY)
        return
    if news is not None:
        outcome = desk.redacted(replace(news, action=step.name))
        _keep(desk.store.guarded(job), run_id, outcome)
    elif pipeline is not None:
        _tell_of_silence(desk, pipeline, job, step, outcome)
    if outcome.final:
        desk.store.queue.finish(job)
    else:
        desk.store.queue.release(job, due_at=desk.clock() + FOLLOW_EVERY)


def _tell_of_silence(desk: Desk, pipeline: Pipeline, job: Job, step: Step, outcome: Outcome) -> None:
    """Say on an open request, once, that its error stays away though nobody merged it."""
    run_id, wanted = job.payload["run"], pipeline.config.policy.silent_after
    store = desk.store.guarded(job)
    incident = store.incidents.get(store.runs.get(run_id).incident_id)
    if desk.clock() - incident.last_seen < wanted:
        return
    length = duration_text(wanted)
    text = f"{step.name}: the error was not seen for {length}, and its request is still open"
    decision = Decision("no-longer-seen", text, setting="policy.silent_after")
    if any(one.text == text for one in store.incidents.decisions(incident.id)):
        return
    from aiops_core.repair import review_text, review_words

    said = review_words(pipeline.config.language)(review_text.STAYS_AWAY, length=length)
    try:
        with step.component.context.recording(store.runs.effects(run_id, step.name)):
            step.call("remark", outcome=outcome, about="no-longer-seen", text=said)
    except (LeaseLost, Retry, StoreError):
        raise
    except AiopsError as error:
        desk.logger.warning("%s: %s", step.name, desk.redactor.redact(str(error)))
    store.incidents.decide(incident.id, run_id, decision)


def _plan(run: Run, step: Step, analysis: Analysis, change: Change | None) -> Plan | None:
    action = cast("Action[Any]", step.component)
    if change is not None and (decision := may_publish(change, step.name, action.reaches)):
        run.decide(decision)
        return None
    with _unless_its_process_is_gone(run, step):
        result = step.call("plan", incident=run.incident, analysis=analysis, change=change)
    plan = handed_over("plan", result, Plan)
    if plan is None:
        return None
    plan = replace(plan, action=step.name)
    run.runs.save_plan(run.id, step.name, plan)
    return plan


def _may_act(run: Run, step: Step, plan: Plan, change: Change | None) -> bool:
    """Return whether the step acts now: ``auto`` does unless people are asked, ``ask`` once they said yes.

    A fix that no test ran on is never published by itself.
    """
    row = run.runs.step(run.id, f"act {step.name}")
    if row is not None and row.is_finished:
        return True
    if step.mode == "dry_run":
        _plan_only(run, step, row)
        return False
    if change is not None and (decision := _is_beyond(run, step, change)):
        if row is not None:
            run.runs.end_step(run.id, row.name, "skipped", decision.text)
        run.decide(decision)
        return False
    if step.mode == "auto" and change is not None and not change.is_verified:
        text = f"{step.name}: planned only, no test ran on the fix. Name the repository's test command"
        run.decide(Decision("untested", text, setting="repository.test"))
        return False
    asked = questions(run.incident, change, run.pipeline.config.policy)
    return (step.mode == "auto" and not asked) or _is_approved(run, step, plan, row, asked)


def _is_beyond(run: Run, step: Step, change: Change) -> Decision | None:
    """Return why a plan is not carried out that was made when fixes might go further, None when it may be."""
    action, level = cast("Action[Any]", step.component), run.pipeline.config.policy.stop_at
    reach = change.may_reach if action.reaches in _REQUESTS else action.reaches
    if nearer(reach, level) == reach:
        return None
    text = (
        f"{step.name}: not done, its plan takes the fix to {reach} and the pipeline stops at {level} by now"
    )
    return Decision("stop-level", text, setting="policy.stop_at")


def _has_place(run: Run, step: Step) -> bool:
    """Return whether the action may open its request now; else let it wait for its turn."""
    name = f"act {step.name}"
    row = run.runs.step(run.id, name)
    opens = cast("Action[Any]", step.component).reaches in _REQUESTS
    if not opens or (row is not None and row.is_finished):
        return True
    policy, store = run.pipeline.config.policy, run.desk.store
    with store.transaction():
        full = run.store.requests.reserve(
            run.id, step.name, most=policy.open_requests, hourly=policy.requests_per_hour
        )
        if full is None:
            return True
        if row is None or row.state != "queued":
            run.runs.begin_step(run.id, name, step.name, "queued")
    limit, again = full
    run.look_at = min(again, run.look_at or again)
    text, setting = _FULL[limit]
    number = policy.open_requests if limit == "open" else policy.requests_per_hour
    decision = Decision(f"{limit}-requests", f"{step.name}: waits its turn, {text.format(number)}", setting)
    run.decide(decision)
    tell_of_storm(run, decision)
    return False


def _plan_only(run: Run, step: Step, row: StepRow | None) -> None:
    text = f"{step.name}: planned only, its mode is {step.mode}"
    if row is not None:  # it waited under another mode
        text = f"{step.name}: not done, its mode is {step.mode} by now"
        run.runs.end_step(run.id, row.name, "skipped", text)
    run.decide(Decision("dry_run", text, setting=f"actions.{step.name}.mode"))


def _is_approved(run: Run, step: Step, plan: Plan, row: StepRow | None, asked: Sequence[str]) -> bool:
    """Return whether people said yes to exactly this plan; else wait for it as long as the policy says."""
    stored = run.runs.plan(run.id, step.name)
    if stored is not None and stored.is_approved:
        return True
    wait, name = run.pipeline.config.policy.approve_within, f"act {step.name}"
    if row is None:
        with run.desk.store.transaction():
            run.runs.ask(run.id, step.name, "\n".join(asked), run.desk.clock() + wait)
            run.runs.begin_step(run.id, name, step.name, "waiting")
    elif stored is not None and stored.expires_at is not None and stored.expires_at <= run.desk.clock():
        text = f"{step.name}: nobody approved plan {plan.hash[:12]} within {duration_text(wait)}"
        run.runs.end_step(run.id, name, "refused", text)
        run.decide(Decision("expired", text, setting="policy.approve_within"))
        return False
    setting = "policy.ask_for" if asked else f"actions.{step.name}.mode"
    run.decide(Decision("ask", _how_to_approve(step, plan, asked), setting=setting))
    return False


def _how_to_approve(step: Step, plan: Plan, asked: Sequence[str]) -> str:
    short = plan.hash[:12]
    why = f", since {'; '.join(asked)}" if asked else ""
    return (
        f"{step.name}: waits for an approval of plan {short}{why}. "
        f"Look at it with 'aiops approvals show {short}', then run 'aiops approvals approve {short}'"
    )


def _do(run: Run, step: Step, plan: Plan) -> Outcome:
    recording = step.component.context.recording(run.runs.effects(run.id, step.name))
    with _unless_its_process_is_gone(run, step), recording:
        outcome = _try(step, plan, warn=partial(_warn, run, step))
    outcome = run.redacted(replace(outcome, action=step.name))
    _keep(run.store, run.id, outcome)
    from aiops_core.respond.talking import begin_talk

    begin_talk(run.desk, run.pipeline, run.id, step, outcome)
    if not outcome.final:
        due = run.desk.clock() + FOLLOW_EVERY
        payload = {"run": run.id, "step": step.name}
        run.desk.store.queue.enqueue("follow", f"follow:{run.id}:{step.name}", payload, due_at=due)
    return outcome


def _keep(store: Store, run_id: int, outcome: Outcome) -> None:
    """Keep what an action did; a fix that was merged is watched from now on."""
    with store.transaction():
        store.runs.save_outcome(run_id, outcome.action, outcome)
        if outcome.data.get("state") == "merged":
            store.fixes.begin(run_id, outcome.action, outcome)
            incident = store.runs.get(run_id).incident_id
            merged = Decision("merged", f"{outcome.action}: {outcome.summary}")
            store.incidents.decide_once(incident, run_id, merged)
        if outcome.final:
            store.requests.close(run_id, outcome.action)


def _try(step: Step, plan: Plan, warn: Callable[[Retry], None]) -> Outcome:
    """Act, again after a short wait where the action says that the failure may pass."""
    for wait in _ACT_AGAIN:
        try:
            return _outcome(step, plan)
        except Retry as error:
            is_gone = isinstance(error, ProcessEnded) and not step.component.context.once
            if is_gone or step.component.context.stopping.wait(wait):
                raise
            warn(error)
    return _outcome(step, plan)


@contextmanager
def _unless_its_process_is_gone(run: Run, step: Step) -> Iterator[None]:
    """Put the step aside until there is another process: meanwhile people are told, and others served.

    One that ended several processes of this run is not tried again, nor is one that will be long away.
    """
    try:
        yield
    except ProcessEnded as error:
        ended = sum(one.rule == "process" and one.text.startswith(f"{step.name}: ") for one in run.decisions)
        is_long = not error.was_called and error.after > _LONGEST_WAIT
        if step.component.context.once or ended >= _PROCESSES or is_long:
            raise
        why = str(error).partition("; it is begun")[0]
        decision = Decision("process", f"{step.name}: waits, {why} ({ended + 1} of {_PROCESSES})")
        soon = timedelta(seconds=max(error.after, _ACT_AGAIN[0]))
        raise Postponed(decision, run.desk.clock() + soon) from None


def _outcome(step: Step, plan: Plan) -> Outcome:
    outcome = handed_over("act", step.call("act", plan=plan), Outcome)
    if outcome is None:
        raise WrongType("act() returned None. Let it return an Outcome")
    return outcome


def _warn(run: Run, step: Step, error: Retry) -> None:
    run.desk.logger.warning("%s: %s; tried again", step.name, run.redacted_text(error))
