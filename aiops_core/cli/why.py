"""aiops why: how an incident came to where it is, in the order in which it happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from aiops_core.cli.state import first_line, open_store, state_options, when
from aiops_core.text.phrases import counted

if TYPE_CHECKING:
    from aiops_core.records import Incident
    from aiops_core.store import RunRow, Store


class _Turn(NamedTuple):
    """Something that happened or was decided; ``setting`` is what would have changed it."""

    at: datetime
    rule: str
    text: str
    setting: str = ""


@click.command()
@click.argument("incident_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line of the trail.")
@state_options
def why(incident_id: str, as_json: bool, file: Path, state: Path | None) -> None:
    """Tell why something was or was not done about an incident.

    ID is the number or the beginning of the fingerprint. Every line has its time and the rule that
    decided, and under it the setting that would have changed it.
    """
    with open_store(file, state) as store:
        incident = store.incidents.find(incident_id)
        turns = sorted(_turns(store, incident), key=lambda turn: turn.at)
    if as_json:
        for turn in turns:
            click.echo(json.dumps({**turn._asdict(), "at": turn.at.isoformat()}, ensure_ascii=False))
        return
    click.echo(f"incident {incident.id}  {first_line(incident.title)}")
    click.echo(f"  {incident.state} · {incident.severity} · {counted(incident.count, 'event')}")
    width = max((len(turn.rule) for turn in turns), default=0)
    for turn in turns:
        click.echo(f"{when(turn.at)}  {turn.rule:<{width}}  {first_line(turn.text)}")
        if turn.setting:
            click.echo(f"{'':<22}{'':<{width}}  setting: {turn.setting}")


def _turns(store: Store, incident: Incident) -> Iterator[_Turn]:
    for decision in store.incidents.decisions(incident.id):
        yield _Turn(decision.at or incident.first_seen, decision.rule, decision.text, decision.setting)
    for run in store.runs.of_incident(incident.id):
        yield from _run(store, run)
    for delivery in store.deliveries.of_incident(incident.id):
        text = f"{delivery.target}: {delivery.state} after {counted(delivery.attempts, 'attempt')}"
        waits = f"{delivery.held} until {when(delivery.due_at)}. " if delivery.held else ""
        yield _Turn(
            delivery.updated_at, "delivery", f"{text}. {waits}{first_line(delivery.error)}".rstrip(". ")
        )


def _run(store: Store, run: RunRow) -> Iterator[_Turn]:
    yield _Turn(run.created_at, "run", f"run {run.id} was queued, reason: {run.reason}")
    for step in store.runs.steps(run.id):
        text = f"run {run.id}: {step.name} {step.state}"
        at = step.finished_at or step.started_at
        yield _Turn(at, "step", f"{text}: {first_line(step.error)}" if step.error else text)
    if run.finished_at is not None:
        yield _Turn(run.finished_at, "run", f"run {run.id} ended: {run.state}")
