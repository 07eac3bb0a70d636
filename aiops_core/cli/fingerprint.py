"""aiops fingerprint explain: what makes the errors of a file one incident or two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiops_core.cli.state import printable
from aiops_core.errors import UserError
from aiops_core.text.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_core.records import Event
    from aiops_core.settings import GroupingRule
    from aiops_core.text.fingerprint import Part
    from aiops_core.text.grouping import Grouping


@click.group()
def fingerprint() -> None:
    """Show why events are one incident or two."""


@fingerprint.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--detector", "-d", "detectors", multiple=True, metavar="NAME", help="Use only these detectors."
)
@click.option("--file", "-f", type=click.Path(path_type=Path), help="Use the grouping rules of this file.")
@click.option(
    "--pipeline", metavar="NAME", help="The pipeline whose rules are meant, where there are several."
)
def explain(
    paths: tuple[str, ...], detectors: tuple[str, ...], file: Path | None, pipeline: str | None
) -> None:
    """Show what went into the fingerprint of each event, and what was masked.

    PATH is as for `aiops scan`; - is standard input. Of an event that stood in the log before,
    only its place is shown.
    """
    from aiops_core.cli.scan import build_detection, read_events

    detection = build_detection(detectors, grouping=_rules(file, pipeline) if file else ())
    sink = _Explained(detection.grouping)
    read_events(paths, detection, sink.add)
    sink.close()


def _rules(file: Path, name: str | None) -> Sequence[GroupingRule]:
    from aiops_core.pipeline import load

    configs = load(file).document.pipelines
    if name is None and len(configs) > 1:
        raise UserError(f"{file.name}: several pipelines. Name one: --pipeline {' | '.join(configs)}")
    if name is not None and name not in configs:
        raise UserError(f"{file.name}: no pipeline '{name}'. It has {', '.join(configs)}")
    return configs[name or next(iter(configs))].grouping


class _Explained:
    def __init__(self, grouping: Grouping) -> None:
        self._grouping = grouping
        self._counts: dict[str, int] = {}

    def add(self, event: Event) -> None:
        from aiops_core.text.fingerprint import digest, title

        count = self._counts[event.fingerprint] = self._counts.get(event.fingerprint, 0) + 1
        click.echo(f"{printable(event.path)} bytes {event.start}-{event.end}  {title(event)}")
        if count > 1:
            click.echo(f"  {event.fingerprint} again\n")
            return
        parts = self._grouping.parts(event)
        if digest(parts) != event.fingerprint:
            click.echo(f"  {event.fingerprint}, set by detector {event.detector}\n")
            return
        click.echo(f"  {event.fingerprint}")
        for part in parts:
            click.echo(_row(part))
        click.echo()

    def close(self) -> None:
        events = sum(self._counts.values())
        click.echo(f"{counted(events, 'event')}, {counted(len(self._counts), 'fingerprint')}")


def _row(part: Part) -> str:
    before, after = _one_line(part.before), _one_line(part.after)
    return f"  {part.kind:<10} {after if before == after else f'{before}  →  {after}'}".rstrip()


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in text[:1000])
