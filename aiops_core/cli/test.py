"""aiops test: whether pipelines do what their test files expect."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aiops_core.errors import UserError
from aiops_core.text.phrases import counted


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
def test(paths: tuple[Path, ...]) -> None:
    """Run the tests of pipelines: every *_test.yaml below PATH (default: here).

    Each test is a replay of some lines, so it needs no network and no secret. Exit 1 with the
    difference when something came otherwise than expected, 2 when a file is wrong: the others are run all the same.
    """
    from aiops_core.replay.cases import find_case_files

    passed = failed = wrong = 0
    for path in find_case_files(list(paths) or [Path()]):
        try:
            results = _run(path)
        except UserError as error:
            wrong += 1
            _say("✗", f"{path}: cannot be run", str(error))
            continue
        passed, failed = passed + results.count(True), failed + results.count(False)
    unread = f", {counted(wrong, 'file')} wrong" if wrong else ""
    click.echo(f"{counted(passed, 'test')} passed, {failed} failed{unread}")
    if failed or wrong:
        sys.exit(2 if wrong else 1)


def _run(path: Path) -> list[bool]:
    """Run the tests of one file; return which of them passed."""
    from aiops_core.replay.cases import run_cases

    results = []
    for name, failure in run_cases(path):
        _say("✗" if failure else "✓", f"{path}: {name}", failure)
        results.append(not failure)
    return results


def _say(sign: str, what: str, details: str) -> None:
    click.echo(f"{sign} {what}")
    for line in details.splitlines():
        click.echo(f"    {line}")
