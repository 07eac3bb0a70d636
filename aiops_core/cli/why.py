"""aiops why: how an incident came to where it is, in the order in which it happened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from aiops_core.cli.state import first_line, open_store, state_options, when
from aiops_core.text.phrases import counted

if TYPE_CHECKING:
    from aiops_core.records import Incident
    from aiops_core.store import DeliveryRow, RunRow, Store


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

    ID is the number or the beginning of the fingerprint; `faults` tells of failures of aiops itself, and why
    people were told of them or not. Every line has its time and the rule that decided, and under it the setting
    that would have changed it.
    """
    if incident_id == "faults":
        _why_faults(file, state, as_json=as_json)
        return
    with open_store(file, state) as store:
        incident = store.incidents.find(incident_id)
        turns = sorted(_turns(store, incident), key=lambda turn: turn.at)
    if as_json:
        for turn in turns:
            click.echo(json.dumps({**turn._asdict(), "at": turn.at.isoformat()}, ensure_ascii=False))
        return
    click.echo(f"incident {incident.id}  {first_line(incident.title)}")
    click.echo(f"  {incident.state} · {incident.severity} · {counted(incident.count, 'event')}")
    _show(turns)


def _show(turns: Sequence[_Turn]) -> None:
    width = max((len(turn.rule) for turn in turns), default=0)
    for turn in turns:
        click.echo(f"{when(turn.at)}  {turn.rule:<{width}}  {first_line(turn.text)}")
        if turn.setting:
            click.echo(f"{'':<22}{'':<{width}}  setting: {turn.setting}")


def _why_faults(file: Path, state: Path | None, *, as_json: bool) -> None:
    """Tell of every failure of aiops itself: how often, when people were told, what held that back."""
    from aiops_core.store import cause_of

    with open_store(file, state) as store:
        told: dict[tuple[str, str], list[DeliveryRow]] = {}
        for row in store.deliveries.faults():
            told.setdefault((row.pipeline, cause_of(row.key, row.pipeline) or ""), []).append(row)
        faults = store.faults()
    if not faults and not as_json:
        click.echo("nothing failed")
    for fault in faults:
        decided = (_Turn(one.at or fault.first_at, one.rule, one.text, one.setting) for one in fault.decided)
        rows = told.get((fault.pipeline, fault.cause), ())
        turns = sorted([*decided, *map(_delivered, rows)], key=lambda turn: turn.at)
        if as_json:
            about = {"pipeline": fault.pipeline, "cause": fault.cause}
            for turn in turns:
                line = {**about, **turn._asdict(), "at": turn.at.isoformat()}
                click.echo(json.dumps(line, ensure_ascii=False))
            continue
        click.echo(f"{fault.pipeline}: {first_line(fault.text)}")
        click.echo(
            f"  {counted(fault.count, 'time')}, first {when(fault.first_at)}, last {when(fault.last_at)}; people are "
            f"told of it once a day, last {when(fault.told_at)}"
        )
        _show(turns)


def _delivered(delivery: DeliveryRow) -> _Turn:
    text = f"{delivery.target}: {delivery.state} after {counted(delivery.attempts, 'attempt')}"
    waits = f"{delivery.held} until {when(delivery.due_at)}. " if delivery.held else ""
    return _Turn(delivery.updated_at, "delivery", f"{text}. {waits}{first_line(delivery.error)}".rstrip(". "))


def _turns(store: Store, incident: Incident) -> Iterator[_Turn]:
    for decision in store.incidents.decisions(incident.id):
        yield _Turn(decision.at or incident.first_seen, decision.rule, decision.text, decision.setting)
    for run in store.runs.of_incident(incident.id):
        yield from _run(store, run)
    for delivery in store.deliveries.of_incident(incident.id):
        yield _delivered(delivery)


def _run(store: Store, run: RunRow) -> Iterator[_Turn]:
    yield _Turn(run.created_at, "run", f"run {run.id} was queued, reason: {run.reason}")
    for step in store.runs.steps(run.id):
        text = f"run {run.id}: {step.name} {step.state}"
        at = step.finished_at or step.started_at
        yield _Turn(at, "step", f"{text}: {first_line(step.error)}" if step.error else text)
    if run.finished_at is not None:
        yield _Turn(run.finished_at, "run", f"run {run.id} ended: {run.state}")
