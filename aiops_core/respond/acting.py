"""Plan, wait for an approval where one is asked for, act, and look again at what is not final."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, cast

from aiops_core.component import Action
from aiops_core.errors import Retry
from aiops_core.handover import WrongType, handed_over
from aiops_core.pipeline import Pipeline, Step
from aiops_core.policy import may_publish
from aiops_core.records import Analysis, Change, Decision, Outcome, Plan
from aiops_core.respond.run import Desk, Run
from aiops_core.store import Job

FOLLOW_EVERY = timedelta(minutes=5)
_ACT_AGAIN = (2.0, 8.0)
"""Seconds between tries of an action whose failure may pass; people are told after that."""


@dataclass(frozen=True, slots=True)
class Acted:
    """What the actions of a run planned without doing it, and what they did, by step."""

    plans: tuple[Plan, ...]
    outcomes: dict[str, Outcome]


def act(run: Run, analysis: Analysis, change: Change | None) -> Acted:
    """Let every action plan, and act as far as its mode and people allow."""
    plans: list[Plan] = []
    outcomes: dict[str, Outcome] = {}
    for step in run.pipeline.of_kind("actions"):
        plan = run.step(f"plan {step.name}", step.name, partial(_plan, run, step, analysis, change), Plan)
        if plan is None:
            continue
        if not _may_act(run, step, plan, change):
            plans.append(plan)
            continue
        outcome = run.step(f"act {step.name}", step.name, partial(_do, run, step, plan), Outcome)
        if outcome is not None:
            outcomes[step.name] = outcome
    return Acted(tuple(plans), outcomes)


def approved(run: Run) -> list[str]:
    """Return the actions that may go on: people approved their plans after this run passed by."""
    asking = {step.name for step in run.pipeline.of_kind("actions") if step.mode != "dry_run"}
    waiting = run.runs.waiting(run.id)
    return [one.action for one in waiting if one.stored.is_approved and one.action in asking]


def acted_since(run: Run, told: str) -> list[str]:
    """Return the actions that acted on an approval after the step ``told`` had ended."""
    steps = {step.name: step for step in run.runs.steps(run.id)}
    end = steps[told].finished_at if told in steps else None
    found = []
    for step in run.pipeline.of_kind("actions"):
        row, stored = steps.get(f"act {step.name}"), run.runs.plan(run.id, step.name)
        if row is not None and end is not None and row.is_finished and row.started_at >= end:
            found += [step.name] if stored is not None and stored.is_approved else []
    return found


def follow(desk: Desk, pipeline: Pipeline | None, job: Job) -> None:
    """Look at a non-final outcome again, until it is final."""
    run_id = job.payload["run"]
    step = pipeline.step("actions", job.payload["step"]) if pipeline else None
    outcome = desk.store.runs.outcomes(run_id).get(job.payload["step"])
    if step is None or outcome is None or outcome.final:
        desk.store.queue.finish(job)
        return
    runs = desk.store.guarded(job).runs
    with step.component.context.recording(runs.effects(run_id, step.name)):
        news = handed_over("follow", step.call("follow", outcome=outcome), Outcome)
    if news is not None:
        outcome = desk.redacted(replace(news, action=step.name))
        runs.save_outcome(run_id, step.name, outcome)
    if outcome.final:
        desk.store.queue.finish(job)
    else:
        desk.store.queue.release(job, due_at=desk.clock() + FOLLOW_EVERY)


def _plan(run: Run, step: Step, analysis: Analysis, change: Change | None) -> Plan | None:
    action = cast("Action[Any]", step.component)
    if change is not None and (decision := may_publish(change, step.name, action.reaches)):
        run.decide(decision)
        return None
    result = step.call("plan", incident=run.incident, analysis=analysis, change=change)
    plan = handed_over("plan", result, Plan)
    if plan is None:
        return None
    plan = replace(plan, action=step.name)
    run.runs.save_plan(run.id, step.name, plan)
    return plan


def _may_act(run: Run, step: Step, plan: Plan, change: Change | None) -> bool:
    """Return whether the step acts now: ``auto`` does, ``ask`` once exactly this plan is approved.

    A fix that no test ran on is never published by itself.
    """
    name, setting = f"act {step.name}", f"actions.{step.name}.mode"
    row = run.runs.step(run.id, name)
    if row is not None and row.is_finished:
        return True
    if step.mode == "auto":
        if change is None or change.is_verified:
            return True
        text = f"{step.name}: planned only, no test ran on the fix. Name the repository's test command"
        run.decide(Decision("untested", text, setting="repository.test"))
        return False
    if step.mode == "ask":
        stored = run.runs.plan(run.id, step.name)
        if stored is not None and stored.is_approved:
            return True
        if row is None:
            run.runs.begin_step(run.id, name, step.name, "waiting")
        run.decide(Decision("ask", _how_to_approve(run, step, plan), setting=setting))
        return False
    text = f"{step.name}: planned only, its mode is {step.mode}"
    if row is not None:  # it waited under another mode
        run.runs.end_step(run.id, name, "skipped", text)
    run.decide(Decision(step.mode, text, setting=setting))
    return False


def _how_to_approve(run: Run, step: Step, plan: Plan) -> str:
    return (
        f"{step.name}: waits for an approval of plan {plan.hash[:12]}. Look at it with "
        f"'aiops incidents show {run.incident.id}', then run "
        f"'aiops incidents approve {run.incident.id} --action {step.name} --plan {plan.hash[:12]}'"
    )


def _do(run: Run, step: Step, plan: Plan) -> Outcome:
    with step.component.context.recording(run.runs.effects(run.id, step.name)):
        outcome = _try(step, plan, warn=partial(_warn, run, step))
    outcome = run.redacted(replace(outcome, action=step.name))
    run.runs.save_outcome(run.id, step.name, outcome)
    if not outcome.final:
        due = run.desk.clock() + FOLLOW_EVERY
        payload = {"run": run.id, "step": step.name}
        run.desk.store.queue.enqueue("follow", f"follow:{run.id}:{step.name}", payload, due_at=due)
    return outcome


def _try(step: Step, plan: Plan, warn: Callable[[Retry], None]) -> Outcome:
    """Act, again after a short wait where the action says that the failure may pass."""
    for wait in _ACT_AGAIN:
        try:
            return _outcome(step, plan)
        except Retry as error:
            if step.component.context.stopping.wait(wait):
                raise
            warn(error)
    return _outcome(step, plan)


def _outcome(step: Step, plan: Plan) -> Outcome:
    outcome = handed_over("act", step.call("act", plan=plan), Outcome)
    if outcome is None:
        raise WrongType("act() returned None. Let it return an Outcome")
    return outcome


def _warn(run: Run, step: Step, error: Retry) -> None:
    run.desk.logger.warning("%s: %s; tried again", step.name, run.redacted_text(error))
