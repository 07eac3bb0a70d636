"""aiops deliveries list|retry."""

from __future__ import annotations

from pathlib import Path

import click

from aiops_core.cli.state import first_line, open_store, printable, state_options, when


@click.group()
def deliveries() -> None:
    """Look at messages and send failed ones again."""


@deliveries.command("list")
@state_options
@click.option("--limit", default=50, show_default=True, help="Most rows shown.")
def list_(file: Path, state: Path | None, limit: int) -> None:
    """List deliveries, the latest first, with what the receivers said."""
    with open_store(file, state) as store:
        rows = store.deliveries.list(limit=limit)
    if not rows:
        click.echo("no deliveries")
    for row in rows:
        click.echo(
            f"{row.id:>5}  {row.state:<8} {row.attempts} of {row.max_attempts}  {when(row.updated_at)}  "
            f"{row.target:<12} {printable(row.report.title[:80])}"
        )
        if row.held and row.state == "waiting":
            click.echo(f"         waits until {when(row.due_at)}: {row.held}")
        if row.error:
            click.echo(f"         {first_line(row.error)[:200]}")
        for receipt in row.receipts:
            for recipient in receipt.recipients:
                told = "accepted" if recipient.accepted else "refused"
                click.echo(
                    f"         {printable(f'{recipient.recipient}: {told} {recipient.detail}'.rstrip())}"
                )


@deliveries.command()
@click.argument("delivery_id", type=int, metavar="ID")
@state_options
def retry(delivery_id: int, file: Path, state: Path | None) -> None:
    """Send one delivery again, with all its attempts."""
    with open_store(file, state) as store:
        store.deliveries.retry(delivery_id)
    click.echo(f"delivery {delivery_id} is due now")
