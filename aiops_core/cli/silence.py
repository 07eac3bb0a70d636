"""aiops silence add|list|remove."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import TypeAdapter, ValidationError

from aiops_core.cli.state import first_line, open_store, printable, state_options, when
from aiops_core.errors import UserError
from aiops_core.text.phrases import counted

if TYPE_CHECKING:
    from aiops_core.notices import Match
    from aiops_core.store import DeliveryRow, Store

_MATCHER = re.compile(r"(?P<name>[A-Za-z_][\w.]*)=(?P<values>.+)")
_DAY = timedelta(days=1)
_LONGEST = "30d"


@click.group()
def silence() -> None:
    """Hold messages back for a while; what they are about is counted and told afterwards if it is still there."""


@silence.command()
@click.argument("matchers", nargs=-1, required=True, metavar="NAME=VALUE…")
@click.option("--for", "time", default="", metavar="DURATION", help="How long, as in 90m or 2h.")
@click.option(
    "--from",
    "start",
    default="",
    metavar="TIME",
    help="When it begins, as in 2026-11-22T22:00; now when left out.",
)
@click.option(
    "--until-resolved",
    is_flag=True,
    help="Until no open incident matches any more; after 30 days at the latest, or as --for says.",
)
@click.option("--why", required=True, help="The reason, for those who wonder.")
@click.option("--by", default="", help="Who silences; you when left out.")
@click.option(
    "--preview", is_flag=True, help="List what it would have held back in the last 24 hours; silence nothing."
)
@state_options
def add(
    matchers: tuple[str, ...],
    time: str,
    start: str,
    until_resolved: bool,
    why: str,
    by: str,
    preview: bool,
    file: Path,
    state: Path | None,
) -> None:
    """Hold back messages that match, from now on or in a window that is to come.

    NAME is severity, kind, service, owner, path, type, title, fingerprint, or attributes.NAME; VALUE may have *
    and ?, and several with commas between: one of them has to fit. A time without a zone is this machine's.
    """
    if not (time or until_resolved):
        raise UserError("--for: how long? A silence always ends: write --for 2h, or --until-resolved")
    if start and until_resolved:
        raise UserError(
            "--from, --until-resolved: nothing is known yet to be resolved then. Write --for with a time"
        )
    match, length = _match(matchers), _length(time or _LONGEST)
    with open_store(file, state) as store:
        begin = _begin(start, store.clock()) if start else None
        ends_at = (begin or store.clock()) + length
        hidden = _hidden(store, match)
        if until_resolved and not _opens(store, match):
            raise UserError(
                f"{' '.join(matchers)}: no open incident matches. Write --for with a time instead"
            )
        if preview:
            _show(hidden)
            return
        number = store.silences.add(
            match, ends_at, why, printable(by) or getuser(), starts_at=begin, until_resolved=until_resolved
        )
    since = f"from {when(begin)} " if begin else ""
    until = "until it is resolved, or until" if until_resolved else "until"
    click.echo(f"silence {number}: {since}{until} {when(ends_at)}")
    click.echo(f"in the last 24 hours it would have held back {counted(len(hidden), 'message')}")


@silence.command("list")
@click.option("--all", "is_all", is_flag=True, help="Those that ended too.")
@state_options
def list_(is_all: bool, file: Path, state: Path | None) -> None:
    """List silences that hold or are to come, with how many messages each held back."""
    from aiops_core.policy import said

    with open_store(file, state) as store:
        now, coming = store.clock(), store.silences.planned()
        rows = store.silences.list() if is_all else [*store.silences.active(), *coming]
    if not rows:
        click.echo("no silences")
    for row in rows:
        holds = "until resolved, at the latest" if row.until_resolved else "until"
        ended = "ended" if row.ends_at <= now else holds
        if row in coming:
            ended = f"from {when(row.starts_at)} until"
        click.echo(
            f"{row.id:>4}  {ended} {when(row.ends_at)}  {counted(row.count, 'message')} held back  "
            f"{printable(said(row.match))}"
        )
        click.echo(f"      {printable(row.why)} ({printable(row.by)}, {when(row.created_at)})")


@silence.command()
@click.argument("silence_id", type=int, metavar="ID")
@state_options
def remove(silence_id: int, file: Path, state: Path | None) -> None:
    """End a silence now; what it held back is told if it is still there."""
    with open_store(file, state) as store:
        waiting = store.silences.end(silence_id)
    click.echo(f"silence {silence_id}: ended, {counted(waiting, 'message')} waited for it")


def _match(matchers: Sequence[str]) -> Match:
    from aiops_core.notices import Match

    fields: dict[str, Any] = {}  # Any: the model says what fits
    for text in matchers:
        found = _MATCHER.fullmatch(text)
        if found is None:
            raise UserError(f"{text}: no matcher. Write NAME=VALUE, as in service=pay*")
        name, _, attribute = found["name"].partition(".")
        values = [value.strip() for value in found["values"].split(",")]
        if name == "attributes" and attribute:
            fields.setdefault("attributes", {})[attribute] = values
        else:
            fields[found["name"]] = values
    try:
        return Match.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"][:1]))
        what = "nothing has that name" if first["type"] == "extra_forbidden" else first["msg"]
        known = ", ".join(
            [*(field for field in Match.model_fields if field != "attributes"), "attributes.NAME"]
        )
        raise UserError(f"{name}: {what}. Write one of {known}") from None


def _length(text: str) -> timedelta:
    from aiops_core.settings import Duration

    try:
        length: timedelta = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        raise UserError(f"--for {text}: no duration. Write a number and m, h or d, as in 90m") from None
    if length <= timedelta(0):
        raise UserError(f"--for {text}: is no time. Write more")
    return length


def _opens(store: Store, match: Match) -> bool:
    from aiops_core.policy import holds, incident_matter

    return any(holds(match, incident_matter(one)) for one in store.incidents.opened(limit=1_000))


def _begin(text: str, now: datetime) -> datetime:
    try:
        begin = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError(f"--from {text}: no time. Write day and time, as in 2026-11-22T22:00") from None
    if begin <= now:
        raise UserError(f"--from {text}: is over. Leave it out for a silence from now on")
    return begin


def _show(hidden: Sequence[DeliveryRow]) -> None:
    click.echo(f"in the last 24 hours it would have held back {counted(len(hidden), 'message')}")
    for row in hidden:
        about = f"incident {row.incident_id}" if row.incident_id is not None else row.report.kind
        click.echo(f"  {when(row.created_at)}  {row.target}  {about}: {first_line(row.report.title)}")


def _hidden(store: Store, match: Match) -> Sequence[DeliveryRow]:
    """Return the messages of the last day that the silence would have held back, the first one first."""
    from aiops_core.policy import holds, matter_of

    since: datetime = store.clock() - _DAY
    recent = [row for row in reversed(store.deliveries.list(limit=1_000)) if row.created_at >= since]
    return [row for row in recent if row.report.kind != "fault" and holds(match, matter_of(row.report))]
