"""aiops replay: what a pipeline would do about recorded logs."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click

from aiops_core.cli.state import DURATION, write
from aiops_core.errors import UserError

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("logs", nargs=-1, required=True, metavar="LOG...", type=click.Path(path_type=Path))
@click.option(
    "--file", "-c", "-f", type=_FILE, default=Path("pipeline.yaml"), show_default=True, help="Pipeline file."
)
@click.option("--pipeline", default="", help="Only this pipeline of the file.")
@click.option(
    "--cassette", type=_FILE, help="Answers that stand for those of models, as 'recorded' reads them."
)
@click.option(
    "--after",
    type=DURATION,
    default="1h",
    show_default=True,
    help="How long the clock goes on after the logs.",
)
@click.option(
    "--expect", type=_FILE, help="What is expected; exit 1 with the difference when it came otherwise."
)
@click.option("--save", type=_FILE, help="Write what came here, to be expected next time.")
def replay(
    logs: tuple[Path, ...],
    file: Path,
    pipeline: str,
    cassette: Path | None,
    after: timedelta,
    expect: Path | None,
    save: Path | None,
) -> None:
    """Show what a pipeline would group, ask, send and open for recorded logs.

    LOG is a file, a directory or a .gz file. The clock follows the times in the logs. Nothing has
    an effect: actions plan only, nobody is told, secrets need not be there. Models are not asked:
    what that would cost is estimated, unless a cassette has a fitting answer; a proposed fix counts
    as one that passed its tests.
    """
    from aiops_core.pipeline import load
    from aiops_core.replay import difference, replay, written

    loaded = load(file, needs_secrets=False)
    if pipeline and pipeline not in loaded.document.pipelines:
        raise UserError(f"{file}: no pipeline '{pipeline}'. It has {', '.join(loaded.document.pipelines)}")
    found = replay(loaded, logs, cassette=cassette, only=pipeline, after=after)
    if save is not None:
        write(save, written(found))
        click.echo(f"{save}: written")
    if expect is None:
        if save is None:
            click.echo(written(found), nl=False)
        return
    if changed := difference(_expected(expect), found):
        click.echo(changed)
        sys.exit(1)
    click.echo(f"{expect}: as expected")


def _expected(path: Path) -> object:
    import yaml

    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or "no YAML"
        raise UserError(f"{path}: {reason}. Write it with --save") from None
