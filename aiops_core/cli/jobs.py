"""aiops jobs list|requeue|drop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiops_core.cli.state import first_line, open_store, state_options, when

if TYPE_CHECKING:
    from aiops_core.store import Job, JobState

_STATES = ("ready", "leased", "dead")


@click.group()
def jobs() -> None:
    """Look at what is queued and at what was given up."""


@jobs.command("list")
@state_options
@click.option(
    "--in-state", type=click.Choice(_STATES), help="Only jobs in this state; dead ones were given up."
)
@click.option("--limit", default=50, show_default=True, help="Most rows shown.")
def list_(file: Path, state: Path | None, in_state: JobState | None, limit: int) -> None:
    """List jobs, the next due first, with the error of the last attempt."""
    with open_store(file, state) as store:
        rows = store.queue.jobs(in_state, limit)
    if not rows:
        click.echo("no jobs")
    for row in rows:
        click.echo(_row(row))
        if row.error:
            click.echo(f"         {first_line(row.error)}")


def _row(job: Job) -> str:
    held = f"held by {job.owner} until {when(job.lease_until)}" if job.state == "leased" else when(job.due_at)
    return f"{job.id:>5}  {job.state:<6} {job.attempts} of {job.max_attempts}  {held}  {job.key}"


@jobs.command()
@click.argument("job_id", type=int, metavar="ID")
@state_options
def requeue(job_id: int, file: Path, state: Path | None) -> None:
    """Make a dead or waiting job due now, with all its attempts."""
    with open_store(file, state) as store:
        store.queue.requeue(job_id)
    click.echo(f"job {job_id} is due now")


@jobs.command()
@click.argument("job_id", type=int, metavar="ID")
@state_options
def drop(job_id: int, file: Path, state: Path | None) -> None:
    """Remove a job for good; whoever works on it stops before its next step."""
    with open_store(file, state) as store:
        store.queue.drop(job_id)
    click.echo(f"job {job_id} is dropped")
