"""aiops test: whether pipelines do what their test files expect."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aiops_core.text.phrases import counted


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
def test(paths: tuple[Path, ...]) -> None:
    """Run the tests of pipelines: every *_test.yaml below PATH (default: here).

    Each test is a replay of some lines, so it needs no network and no secret. Exit 1 with the
    difference when something came otherwise than expected.
    """
    from aiops_core.replay.cases import find_case_files, run_cases

    passed = failed = 0
    for path in find_case_files(list(paths) or [Path()]):
        for name, failure in run_cases(path):
            passed, failed = passed + (not failure), failed + bool(failure)
            click.echo(f"{'✗' if failure else '✓'} {path}: {name}")
            if failure:
                click.echo("\n".join(f"    {line}" for line in failure.splitlines()))
    click.echo(f"{counted(passed, 'test')} passed, {failed} failed")
    if failed:
        sys.exit(1)
