"""aiops check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiops_core.cli.run import DISABLE, FILE
from aiops_core.cli.state import printable

if TYPE_CHECKING:
    from aiops_core.pipeline import Loaded


@click.command()
@FILE
@click.option(
    "--probe", is_flag=True, help="Reach everything outside that the file names, without any effect."
)
@DISABLE
def check(file: Path, probe: bool, disable: tuple[str, ...]) -> None:
    """Check a pipeline file and say everything that is wrong with it.

    Reads the file, its secrets, every component's settings and the files these name (answers, rules,
    templates, certificates); touches nothing else, and notes routes without effect. With --probe it also
    logs in at mail servers and chats, asks forges what their tokens may do, models whether they are
    there and repositories for their branch, all within half a minute; nothing is sent, written or paid
    for. Addresses to listen on are tried, and files that are not there yet are noted. Where a service cannot be asked without telling people (incoming webhooks), only whether
    somebody answers there is looked at. Exit 2 when anything is wrong.
    """
    from aiops_core.pipeline import Surroundings, load
    from aiops_core.policy import remarks_on

    loaded = load(file, surroundings=Surroundings(disabled=frozenset(disable)), is_thorough=True)
    for pipeline in loaded.pipelines:
        click.echo(f"{pipeline.name}:")
        for kind in ("sources", "detectors", "analyzers", "actions", "notifiers", "extensions"):
            steps = pipeline.of_kind(kind)
            if steps:
                shown = [f"{step.name} ({step.mode})" if step.mode else step.name for step in steps]
                click.echo(f"  {kind:<10} {', '.join(shown)}")
        notifiers = [step.name for step in pipeline.of_kind("notifiers")]
        for remark in remarks_on(pipeline.config.routes, notifiers):
            click.echo(f"  note: {remark}")
    if probe and not _reaches_all(loaded):
        sys.exit(2)
    click.echo(f"{file}: fine")


def _reaches_all(loaded: Loaded) -> bool:
    """Say what is found outside, without secrets; return whether nothing is wrong."""
    from aiops_core.probing import absences, probe

    redactor, found = loaded.redactor, probe(loaded)
    for one in found:
        sign, text = ("✗", one.problem) if one.problem else ("✓", one.found)
        click.echo(f"{sign} {one.pipeline}.{one.name}: {printable(redactor.redact(text))}")
    for name, text in (absence for pipeline in loaded.pipelines for absence in absences(pipeline)):
        click.echo(f"· {name}: {printable(redactor.redact(text))}")
    return not any(one.problem for one in found)
