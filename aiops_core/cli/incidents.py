"""aiops incidents list|show|retry|ack|unack|resolve|ignore|merge|unmerge."""

from __future__ import annotations

from datetime import timedelta
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from aiops_core.cli.columns import aligned
from aiops_core.cli.merging import merge, show_relatives, unmerge
from aiops_core.cli.state import (
    DURATION,
    first_line,
    open_store,
    printable,
    short_hash,
    state_options,
    when,
)
from aiops_core.errors import UserError
from aiops_core.records import Decision, Incident, IncidentState
from aiops_core.text.carriers import as_written
from aiops_core.text.phrases import counted

if TYPE_CHECKING:
    from aiops_core.store import RunRow, Store, WaitingPlan

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@click.group()
def incidents() -> None:
    """Look at incidents and decide about them.

    ID is the number or the beginning of the fingerprint.
    """


incidents.add_command(merge)
incidents.add_command(unmerge)


@incidents.command("list")
@state_options
@click.option(
    "--in-state", type=click.Choice(list(get_args(IncidentState))), help="Only incidents in this state."
)
@click.option("--limit", default=50, show_default=True, help="Most rows shown.")
def list_(file: Path, state: Path | None, in_state: IncidentState | None, limit: int) -> None:
    """List incidents, the latest first."""
    with open_store(file, state) as store:
        rows = store.incidents.list(state=in_state, limit=limit)
        ids = [row.id for row in rows]
        state_of = {id_: f"part of {head}" for id_, head in store.triage.parts(ids).items()}
        state_of |= {id_: f"merged into {into}" for id_, into in store.merging.merged(ids).items()}
    if not rows:
        click.echo("no incidents")
        return
    cells = [("id", "state", "severity", "count", "last seen", "pipeline", "title")]
    cells += [
        (
            str(row.id),
            state_of.get(row.id, row.state),
            row.severity,
            str(row.count),
            when(row.last_seen),
            row.pipeline,
            first_line(row.title),
        )
        for row in rows
    ]
    for index, line in enumerate(aligned(cells, long=6, right={0, 3})):
        click.echo(click.style(line, bold=True) if index == 0 else line)


@incidents.command()
@click.argument("incident_id", metavar="ID")
@state_options
def show(incident_id: str, file: Path, state: Path | None) -> None:
    """Show one incident with its runs, every step, its state and times."""
    with open_store(file, state) as store:
        incident = store.incidents.find(incident_id)
        _show_facts(incident)
        _show_course(store, incident)
        show_relatives(store, incident)
        _show_notice(store, incident)
        if fix := store.fixes.get(incident.id):
            where = fix.outcome.url or fix.step
            click.echo(
                f"  fix {fix.commit[:12]} {fix.state}, merged {when(fix.merged_at)} ({printable(where)})"
            )
        for run in store.runs.of_incident(incident.id):
            _show_run(store, run)
        decisions = store.incidents.decisions(incident.id)
        if decisions:
            click.echo("decisions")
        for decision in decisions:
            setting = f" [{decision.setting}]" if decision.setting else ""
            click.echo(f"  {when(decision.at)}  {decision.rule}: {first_line(decision.text)}{setting}")


def _show_facts(incident: Incident) -> None:
    click.echo(f"incident {incident.id}  {first_line(incident.title)}")
    click.echo(
        f"  {incident.state} · {incident.severity} · {counted(incident.count, 'event')} · {incident.fingerprint}"
    )
    click.echo(
        f"  first {when(incident.first_seen)} · last {when(incident.last_seen)} · pipeline {incident.pipeline}"
    )
    if incident.events:
        event = incident.event
        click.echo(f"  {printable(event.path)} bytes {event.start}-{event.end}")
        for line in as_written(event.block).rstrip().splitlines()[:40]:
            click.echo(f"  | {printable(line)}")


def _show_course(store: Store, incident: Incident) -> None:
    """Print with which release it came up, and how often it came lately."""
    from aiops_core.cli.drawing import spark

    if (deploy := store.deploys.of(incident)) is not None:
        release, before = printable(deploy.release), printable(deploy.before)
        click.echo(f"  new with {release} since {when(deploy.since)}; errors before were of {before}")
    now = store.clock()
    known = store.trends.since(now - _DAY, [incident.id]).get(incident.id, {})
    hours = [0] * 24
    for minute, count in known.items():
        hours[min(int((now - minute) / _HOUR), 23)] += count
    if any(hours):
        click.echo(f"  last 24 hours, by the hour: |{spark(hours[::-1])}| {max(hours)} at most")


def _show_notice(store: Store, incident: Incident) -> None:
    notice = store.notices.get(incident.id)
    if notice is None:
        return
    if notice.is_acknowledged:
        click.echo(f"  acknowledged by {printable(notice.acked_by)}, {when(notice.acked_at)}")
    elif notice.chain and notice.climb_at is not None:
        click.echo(
            f"  nobody acknowledged it: {notice.chain[0]} is told {when(notice.climb_at)}; "
            f"aiops incidents ack {incident.id}"
        )
    if notice.remind_at is not None:
        sent = (row.updated_at for row in store.deliveries.of_incident(incident.id) if row.state == "sent")
        told_at = min(notice.told_at, max(sent, default=notice.told_at))  # what was to wait may be hastened
        click.echo(f"  told {when(told_at)}, next reminder not before {when(notice.remind_at)}")


def _show_run(store: Store, run: RunRow) -> None:
    click.echo(f"run {run.id} ({run.reason}): {run.state}, {when(run.created_at)} to {when(run.finished_at)}")
    for step in store.runs.steps(run.id):
        took = f"{(step.finished_at - step.started_at).total_seconds():.2f} s" if step.finished_at else "…"
        error = f"  {first_line(step.error)}" if step.error else ""
        click.echo(f"  {step.started_at:%H:%M:%S}  {took:>9}  {step.state:<8} {step.name}{error}")
    analysis = store.runs.analysis(run.id)
    if analysis is not None:
        usage = analysis.usage
        cost = "cost unknown" if usage is None or usage.cost is None else f"${usage.cost:.4f}"
        tokens = f", {usage.input_tokens}+{usage.output_tokens} tokens, {cost}" if usage is not None else ""
        click.echo(
            f"  analysis by {analysis.analyzer}{tokens}: {first_line(analysis.title)} ({analysis.confidence:.0%} sure)"
        )
    for waiting in store.runs.waiting(run.id):
        _show_plan(waiting)
    for action, outcome in store.runs.outcomes(run.id).items():
        click.echo(
            f"  {action}: {outcome.status}: {first_line(outcome.summary)} {printable(outcome.url)}".rstrip()
        )


def _show_plan(waiting: WaitingPlan) -> None:
    stored, short = waiting.stored, short_hash(waiting.stored.plan)
    click.echo(f"  plan {short} of {waiting.action}: {first_line(stored.plan.title)}")
    for line in stored.plan.text.strip().splitlines():
        click.echo(f"  | {printable(line)}")
    if stored.is_approved:
        click.echo(f"  approved by {stored.approved_by}, {when(stored.approved_at)}")
    else:
        click.echo(f"  waits: aiops approvals show {short}")


@incidents.command()
@click.argument("incident_id", metavar="ID")
@state_options
def retry(incident_id: str, file: Path, state: Path | None) -> None:
    """Answer an incident again: a new run, at once when 'aiops run' is up."""
    with open_store(file, state) as store:
        incident = store.incidents.find(incident_id)
        run_id = store.runs.create(incident.id, "retry")
    click.echo(f"run {run_id} of incident {incident.id} is queued")


@incidents.command()
@click.argument("incident_id", metavar="ID")
@click.option("--by", default="", help="Who takes it on; you when left out.")
@state_options
def ack(incident_id: str, by: str, file: Path, state: Path | None) -> None:
    """Take an incident on: nobody is reminded of it, and nobody else is told."""
    with open_store(file, state) as store:
        incident = store.incidents.find(incident_id)
        name = printable(by) or getuser()
        store.notices.acknowledge(incident.id, name)
    click.echo(f"incident {incident.id}: acknowledged by {name}")


@incidents.command()
@click.argument("incident_id", metavar="ID")
@state_options
def unack(incident_id: str, file: Path, state: Path | None) -> None:
    """Give an incident back: people are reminded of it again, and who comes next is told."""
    with open_store(file, state) as store:
        incident = store.incidents.find(incident_id)
        store.notices.unacknowledge(incident.id)
    click.echo(f"incident {incident.id}: not acknowledged any more")


def _set_state(incident_id: str, file: Path, state: Path | None, new: IncidentState) -> None:
    with open_store(file, state) as store:
        incident = store.incidents.find(incident_id)
        before = store.incidents.set_state(incident.id, new)
    click.echo(f"incident {incident.id}: {before} → {new}")


@incidents.command()
@click.argument("incident_id", metavar="ID")
@state_options
def resolve(incident_id: str, file: Path, state: Path | None) -> None:
    """Call an incident resolved; when it comes back it is 'regressed' and answered anew."""
    _set_state(incident_id, file, state, "resolved")


@incidents.command()
@click.argument("incident_id", metavar="ID")
@click.option("--for", "time", type=DURATION, help="Until this time is over, as in 7d.")
@click.option("--events", type=click.IntRange(min=1), help="Until so many more events came.")
@click.option("--until-release", is_flag=True, help="Until it comes from a release it never came from.")
@state_options
def ignore(
    incident_id: str,
    time: timedelta | None,
    events: int | None,
    until_release: bool,
    file: Path,
    state: Path | None,
) -> None:
    """Count an incident from now on, but never answer it.

    With one of the options the first event beyond makes it 'regressed', and it is answered anew.
    """
    if sum((time is not None, events is not None, until_release)) > 1:
        raise UserError("--for, --events, --until-release: which one? Write one of them")
    with open_store(file, state) as store:
        incident = store.incidents.find(incident_id)
        until, words = _until(store, incident.id, time, events, is_by_release=until_release)
        decision = Decision("state", f"ignored{words}: set by hand, it was {incident.state}")
        store.incidents.set_state(incident.id, "ignored", decision, until=until)
    click.echo(f"incident {incident.id}: {incident.state} → ignored{words}")


def _until(
    store: Store, incident_id: int, time: timedelta | None, events: int | None, *, is_by_release: bool
) -> tuple[str, str]:
    """Return until when an incident is to be ignored, and that in words."""
    from aiops_core.store import until_count, until_release, until_time

    if time is not None:
        at = store.clock() + time
        return until_time(at), f" until {when(at)}"
    if events is not None:
        all_ = store.incidents.count(incident_id) + events
        return until_count(all_), f" until {counted(events, 'more event')} came"
    if is_by_release:
        return until_release(store.incidents.releases(incident_id)), " until it comes from another release"
    return "", ""
