"""aiops approvals list|show|approve|reject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiops_core.cli.state import first_line, open_store, printable, short_hash, state_options, when
from aiops_core.errors import UserError
from aiops_core.records import Decision, Json

if TYPE_CHECKING:
    from aiops_core.store import Store, WaitingPlan

_SHORTEST = 6
"""Characters of a hash that are enough: a number of an incident is never taken for one."""
_LIST = "'aiops approvals list' shows the plans that wait"


@click.group()
def approvals() -> None:
    """Look at plans that wait for you, and say yes or no.

    PLAN is the beginning of a plan's hash, as it is listed: six characters or more. An answer counts for exactly that plan.
    """


@approvals.command("list")
@state_options
def list_(file: Path, state: Path | None) -> None:
    """List the plans that wait for an approval, the oldest first."""
    with open_store(file, state) as store:
        waiting = store.runs.unanswered()
    if not waiting:
        click.echo("no plan waits for an approval")
    for one in waiting:
        plan, expires = one.stored.plan, one.stored.expires_at
        until = f"until {when(expires)}" if expires else ""
        click.echo(f"{short_hash(plan)}  incident {one.incident_id}  {one.action}  {until}".rstrip())
        click.echo(f"  {first_line(plan.title)}")
        for why in one.stored.why.splitlines():
            click.echo(f"  asked since {printable(why)}")


@approvals.command()
@click.argument("plan", metavar="PLAN")
@state_options
def show(plan: str, file: Path, state: Path | None) -> None:
    """Show one plan to the letter: where it goes, what it says, what it changes."""
    with open_store(file, state) as store:
        one = _planned(store, plan)
        incident = store.incidents.get(one.incident_id)
        standing = _standing(store, one)
    click.echo(f"plan {one.stored.plan.hash}")
    click.echo(f"  {standing}")
    click.echo(
        f"  incident {incident.id} of {incident.pipeline}, run {one.run_id}: {first_line(incident.title)}"
    )
    click.echo(f"  action {one.action}")
    for why in one.stored.why.splitlines():
        click.echo(f"  asked since {printable(why)}")
    for line in _letters(one):
        click.echo(printable(line))


@approvals.command()
@click.argument("plan", metavar="PLAN")
@state_options
def approve(plan: str, file: Path, state: Path | None) -> None:
    """Let an action do exactly this plan: at once when 'aiops run' is up, else with the next run."""
    with open_store(file, state) as store, store.transaction():
        one = _waiting(store, plan)
        store.runs.approve(one.run_id, one.action, one.stored.plan.hash, _who())
        store.runs.resume(one.run_id)
        _record(store, one, "approved")
    _say(one, "approved")


@approvals.command()
@click.argument("plan", metavar="PLAN")
@state_options
def reject(plan: str, file: Path, state: Path | None) -> None:
    """Say no to a plan; 'aiops incidents retry' answers its incident anew."""
    with open_store(file, state) as store, store.transaction():
        one = _waiting(store, plan)
        store.runs.reject(one.run_id, one.action, _who())
        _record(store, one, "rejected")
    _say(one, "rejected")


def _planned(store: Store, beginning: str) -> WaitingPlan:
    """Return the plan that is meant: of several runs that made the same one, the last."""
    if len(beginning) < _SHORTEST:
        raise UserError(f"plan {beginning}: write at least {_SHORTEST} characters of its hash. {_LIST}")
    found = store.runs.planned(beginning)
    hashes = sorted({one.stored.plan.hash for one in found})
    if not found:
        raise UserError(f"plan {beginning}: there is none, it may have changed since you saw it. {_LIST}")
    if len(hashes) > 1:
        names = ", ".join(name[:16] for name in hashes[:5])
        raise UserError(f"plan {beginning}: several begin so ({names}). Write more of it")
    return found[-1]


def _waiting(store: Store, beginning: str) -> WaitingPlan:
    one = _planned(store, beginning)
    if one not in store.runs.unanswered() or _is_expired(store, one):
        raise UserError(f"plan {beginning}: {_standing(store, one)}. {_LIST}")
    return one


def _standing(store: Store, one: WaitingPlan) -> str:
    """Return what became of a plan so far, in words."""
    stored, name = one.stored, f"act {one.action}"
    if stored.is_approved:
        return f"approved by {stored.approved_by}, {when(stored.approved_at)}"
    step = store.runs.step(one.run_id, name)
    if step is not None and step.state == "refused":
        return f"{step.error}, {when(step.finished_at)}"
    if _is_expired(store, one):
        return f"expired {when(stored.expires_at)}: 'aiops incidents retry {one.incident_id}' plans anew"
    if step is None or step.state != "waiting":
        return "waits for nobody"
    newer = next((other for other in store.runs.unanswered() if other.incident_id == one.incident_id), one)
    if newer != one:
        return f"stale: run {newer.run_id} made plan {short_hash(newer.stored.plan)} since"
    return f"waits since {when(step.started_at)}" + (
        f", until {when(stored.expires_at)}" if stored.expires_at else ""
    )


def _is_expired(store: Store, one: WaitingPlan) -> bool:
    return one.stored.expires_at is not None and one.stored.expires_at <= store.clock()


def _letters(one: WaitingPlan) -> Iterator[str]:
    """Yield a whole plan, line by line: what people read of it, and all that it is carried out by."""
    plan = one.stored.plan
    yield from (plan.title, *(f"  {line}" for line in plan.text.splitlines()))
    for name, value in plan.data.items():
        if isinstance(value, Mapping) and "diff" in value:
            yield from _change(value)
        elif isinstance(value, str) and "\n" in value:
            yield f"{name}:"
            yield from (f"  | {line}" for line in value.splitlines())
        elif value not in ("", [], None):
            yield f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"


def _change(change: Mapping[str, Json]) -> Iterator[str]:
    yield f"change of commit {change['base_commit']} on {change['base_branch']}:"
    yield from (f"  | {line}" for line in str(change["diff"]).splitlines())


def _record(store: Store, one: WaitingPlan, answer: str) -> None:
    text = f"{one.action}: plan {short_hash(one.stored.plan)} was {answer} by {_who()}"
    decision = Decision(answer, text, setting=f"actions.{one.action}.mode")
    store.incidents.decide(one.incident_id, one.run_id, decision)


def _say(one: WaitingPlan, answer: str) -> None:
    click.echo(f"incident {one.incident_id}: {answer} plan {short_hash(one.stored.plan)} of {one.action}")
    click.echo(f"  {first_line(one.stored.plan.title)}")


def _who() -> str:
    import getpass
    import os
    import platform

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = f"user {os.getuid()}"
    return f"{user}@{platform.node()}"
