"""aiops demo."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-output"),
    show_default=True,
    help="Where the demo is played; an earlier demo there is replaced.",
)
def demo(directory: Path) -> None:
    """Show the whole way from a crash to a tested fix branch.

    An example service with a real bug runs and crashes; a pipeline sees it, finds the cause,
    fixes the code, runs the tests before and after, pushes a branch and reports. Asks Claude when
    ANTHROPIC_API_KEY is set, else uses a recorded answer. Ends by itself.
    """
    from aiops_core.demo.show import play

    if not play(directory, click.echo):
        sys.exit(1)
