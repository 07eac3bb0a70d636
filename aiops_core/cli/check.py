"""aiops check."""

from __future__ import annotations

from pathlib import Path

import click

from aiops_core.cli.run import FILE


@click.command()
@FILE
def check(file: Path) -> None:
    """Check a pipeline file and say everything that is wrong with it.

    Reads the file, its secrets and every component's settings; touches nothing else. Exit 2 when
    anything is wrong.
    """
    from aiops_core.pipeline import load

    loaded = load(file)
    for pipeline in loaded.pipelines:
        click.echo(f"{pipeline.name}:")
        for kind in ("sources", "detectors", "analyzers", "actions", "notifiers", "extensions"):
            steps = pipeline.of_kind(kind)
            if steps:
                shown = [f"{step.name} ({step.mode})" if step.mode else step.name for step in steps]
                click.echo(f"  {kind:<10} {', '.join(shown)}")
    click.echo(f"{file}: fine")
