"""aiops incidents merge|unmerge, and which incidents an incident resembles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiops_core.cli.state import open_store, state_options

if TYPE_CHECKING:
    from aiops_core.records import Incident
    from aiops_core.store import Store


@click.command()
@click.argument("incident_id", metavar="INTO")
@click.argument("other_id", metavar="ID")
@state_options
def merge(incident_id: str, other_id: str, file: Path, state: Path | None) -> None:
    """Call two incidents one problem: what happens of ID counts on INTO from now on.

    What ID counted and what was done about it stays with it. Remembered until `unmerge`, whatever
    the fingerprints say.
    """
    with open_store(file, state) as store:
        into, other = store.incidents.find(incident_id), store.incidents.find(other_id)
        store.merging.merge(other.id, into=into.id)
    click.echo(f"incident {other.id} is merged into {into.id}")


@click.command()
@click.argument("incident_id", metavar="ID")
@state_options
def unmerge(incident_id: str, file: Path, state: Path | None) -> None:
    """Take a merged incident apart: what happens of it counts on itself again.

    One that is part of another since a storm is one of its own again: people are reminded of it.
    """
    with open_store(file, state) as store:
        incident = store.incidents.find(incident_id)
        is_part = store.triage.part_of(incident.id) is not None
        into = (store.triage.take_out if is_part else store.merging.unmerge)(incident.id)
    click.echo(f"incident {incident.id} is no longer part of {into}")


def show_relatives(store: Store, incident: Incident) -> None:
    """Print what an incident is merged with, and what it is similar to."""
    into = store.merging.merged([incident.id]).get(incident.id)
    if into is not None:
        click.echo(f"  merged into incident {into}")
    members = store.merging.members(incident.id)
    if members:
        click.echo(f"  with incident {', '.join(map(str, members))} merged into it")
    head, parts = store.triage.part_of(incident.id), store.triage.members(incident.id)
    if head is not None:
        click.echo(f"  part of incident {head} since a storm; aiops incidents unmerge {incident.id}")
    if parts:
        click.echo(f"  with incident {', '.join(map(str, parts))} as part of it since a storm")
    for likeness, other, title in store.merging.near(incident):
        shown = "".join(letter if letter.isprintable() else "�" for letter in title)
        click.echo(f"  similar to incident {other} ({likeness:.0%}): {shown}")
