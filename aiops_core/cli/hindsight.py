"""aiops insights and aiops stats: what a period was like."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from aiops_core.cli.drawing import spark
from aiops_core.cli.state import DURATION, first_line, open_store, state_options, write
from aiops_core.text.phrases import counted, size_text

if TYPE_CHECKING:
    from aiops_core.hindsight import Figures, Insights, Occurrences
    from aiops_core.records import Incident
    from aiops_core.store import Deploy, Volume


@click.command()
@click.option(
    "--since", type=DURATION, default="24h", show_default=True, help="Length of the period up to now."
)
@click.option("--pipeline", help="Only incidents of this pipeline.")
@click.option("--limit", default=10, show_default=True, help="Most rows of each section.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@state_options
def insights(
    since: timedelta, pipeline: str | None, limit: int, as_json: bool, file: Path, state: Path | None
) -> None:
    """Show what stands out: frequent, new, escalating, cascading and correlated errors, classes, and sources.

    Frequent: more than 10 events. Escalating: three times as fast in the last sixth of the period as
    before. Cascading: follows another error within 10 s, four times of five and much more often than
    by chance. Correlated: shares half of its minutes with another one. Sources: how much each read, and how many of
    the errors found there had no time of their own, no stack trace, or could not be read by their detector.
    """
    from aiops_core import hindsight

    with open_store(file, state) as store:
        now = store.clock()
        period = hindsight.look_back(store, now - since, now, pipeline)
        volumes = store.volumes.since(now - since, pipeline)
        found = hindsight.insights(period)
        new = [one.incident.id for one in found.new[:limit]]
        deploys = {id_: store.deploys.of(store.incidents.get(id_)) for id_ in new}
    sections = {**dict(_sections(found, deploys)), "sources": [_source(*one) for one in volumes.items()]}
    if as_json:
        click.echo(json.dumps({name: [row for row, _ in rows] for name, rows in sections.items()}, indent=2))
        return
    if not found.classes:
        click.echo("no errors in this period")
    for name, rows in sections.items():
        if rows:
            click.echo(click.style(name, bold=True))
        for _, line in rows[:limit]:
            click.echo(f"  {line}")
        if len(rows) > limit:
            click.echo(f"  … and {len(rows) - limit} more")


def _source(place: tuple[str, str], volume: Volume) -> tuple[dict[str, Any], str]:
    """Return what a source brought and how well it could be read, as JSON and as text."""
    pipeline, step = place
    row = {"pipeline": pipeline, "source": step, **asdict(volume)}
    if not (volume.bytes or volume.events):
        return row, f"{pipeline}.{step}  nothing in this period"
    text = f"{pipeline}.{step}  {size_text(volume.bytes)}, {counted(volume.events, 'event')}"
    if volume.seen:
        shares = {
            "no time of their own": volume.undated,
            "no stack trace": volume.bare,
            "unread": volume.unread,
        }
        text += "; " + ", ".join(f"{count / volume.seen:.0%} {what}" for what, count in shares.items())
    return row, text


def _sections(
    found: Insights, deploys: Mapping[int, Deploy | None]
) -> Iterator[tuple[str, list[tuple[dict[str, Any], str]]]]:
    """Yield name and rows of every section; a row is JSON and a line of text."""
    yield "frequent", [(_row(one), _counted(one)) for one in found.frequent]
    yield "new", [_new(one, deploys.get(one.incident.id)) for one in found.new]
    yield (
        "escalating",
        [
            (
                {**_named(one.incident), "before_per_hour": one.before, "since_per_hour": one.since},
                f"{one.before:.1f} → {one.since:.1f} an hour  {_titled(one.incident)}",
            )
            for one in found.escalating
        ],
    )
    yield (
        "cascading",
        [
            (
                {
                    "cause": _named(one.cause),
                    "effect": _named(one.effect),
                    "hits": one.hits,
                    "of": one.of,
                    "seconds": one.seconds,
                },
                f"{_titled(one.cause)}  →  {_titled(one.effect)}  ({one.hits} of {one.of}, after {one.seconds:.1f} s)",
            )
            for one in found.cascading
        ],
    )
    yield (
        "correlated",
        [
            (
                {
                    "one": _named(one.one),
                    "other": _named(one.other),
                    "minutes": one.minutes,
                    "share": one.share,
                },
                f"{_titled(one.one)}  with  {_titled(one.other)}  ({one.share:.0%} of their minutes)",
            )
            for one in found.correlated
        ],
    )
    yield (
        "classes",
        [
            (
                {"class": name, "incidents": len(of), "events": sum(one.count for one in of)},
                f"{name}: {counted(len(of), 'incident')}, {counted(sum(one.count for one in of), 'event')}",
            )
            for name, of in found.classes.items()
        ],
    )


def _new(one: Occurrences, deploy: Deploy | None) -> tuple[dict[str, Any], str]:
    release = deploy.release if deploy is not None else ""
    said = f"  (with {first_line(release)})" if release else ""
    return {**_row(one), "new_with": release}, f"{_counted(one)}{said}"


def _named(incident: Incident) -> dict[str, Any]:
    return {"id": incident.id, "pipeline": incident.pipeline, "title": incident.title}


def _row(one: Occurrences) -> dict[str, Any]:
    return {**_named(one.incident), "count": one.count}


def _titled(incident: Incident) -> str:
    return f"#{incident.id} {first_line(incident.title)[:80]}"


def _counted(one: Occurrences) -> str:
    return f"{one.count:>8,}  {_titled(one.incident)}"


@click.command()
@click.option(
    "--since", type=DURATION, default="7d", show_default=True, help="Length of the period up to now."
)
@click.option("--pipeline", help="Only incidents of this pipeline.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a report with plots here."
)
@state_options
def stats(
    since: timedelta, pipeline: str | None, as_json: bool, html: Path | None, file: Path, state: Path | None
) -> None:
    """Show how fast errors were noticed, told and ended, what the answers took, and the top incidents.

    Times are medians: to detect is from an event's own time to its record, to tell to the first
    message that arrived, to resolve to the end of the incident.
    """
    from aiops_core import hindsight

    with open_store(file, state) as store:
        now = store.clock()
        period = hindsight.look_back(store, now - since, now, pipeline)
        found = hindsight.figures(store, period, pipeline)
    if html is not None:
        from aiops_core.hindsight.page import render_figures

        write(html, render_figures(found))
        click.echo(html)
    elif as_json:
        click.echo(json.dumps(_as_json(found), indent=2))
    else:
        for line in _lines(found):
            click.echo(line)


def _lines(found: Figures) -> Iterator[str]:
    yield f"{found.start:%Y-%m-%d %H:%MZ} to {found.end:%Y-%m-%d %H:%MZ}"
    yield f"{counted(found.events, 'event')}, {counted(found.incidents, 'incident')}, {found.new} of them new"
    yield spark(list(found.by_hour.values()))
    for name, seconds in (
        ("to detect", found.to_detect),
        ("to tell", found.to_tell),
        ("to resolve", found.to_resolve),
    ):
        yield f"{name:<12}{_time(seconds)}"
    for name, counts in (
        ("states", found.states),
        ("severities", found.severities),
        ("runs", found.runs),
        ("actions", found.outcomes),
        ("messages", found.deliveries),
    ):
        if counts:
            yield f"{name:<12}{', '.join(f'{count} {key}' for key, count in counts.items())}"
    for name, spent in found.spent.items():
        cost = "cost unknown" if spent.cost is None else f"${spent.cost:.2f}"
        tokens = f"{spent.input_tokens:,} + {spent.output_tokens:,} tokens"
        yield f"{name:<12}{counted(spent.answers, 'answer')}, {tokens}, {cost}"
    yield from (_counted(one) for one in found.top)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "not measured"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _as_json(found: Figures) -> Mapping[str, Any]:
    return {
        **asdict(found),
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "spent": {name: asdict(spent) for name, spent in found.spent.items()},
        "by_hour": {hour.isoformat(): count for hour, count in found.by_hour.items()},
        "top": [_row(one) for one in found.top],
    }
