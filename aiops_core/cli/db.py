"""aiops db stats|check|prune|vacuum|backup|restore."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiops_core.cli.state import open_store, state_directory, state_options
from aiops_core.errors import UserError
from aiops_core.text.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops_core.settings import Retention


@click.group()
def db() -> None:
    """Look after the state database."""


@db.command()
@state_options
def stats(file: Path, state: Path | None) -> None:
    """Show the size of the database and the rows of its tables."""
    directory = state_directory(file, state)
    with open_store(file, state) as store:
        used, rows = store.retention.size(), store.retention.rows()
    on_disk = sum(path.stat().st_size for path in directory.glob("aiops.db*") if path.is_file())
    click.echo(f"{used / 2**20:.1f} MB in use, {on_disk / 2**20:.1f} MB on disk")
    for name, count in rows.items():
        click.echo(f"{count:>12,}  {name}")


@db.command()
@state_options
def check(file: Path, state: Path | None) -> None:
    """Read the whole database and say what is wrong with it; exit 2 when anything is.

    The file's structure, what belongs together, who may read it, and the checksum (CRC-32) of every
    record: events, positions, states of components, plans, outcomes, effects, analyses, evidence,
    messages, receipts, jobs and trends. Counts, times and states of incidents have none.
    """
    with open_store(file, state) as store:
        problems = [*store.check(), *store.retention.damaged()]
    for problem in problems:
        click.echo(f"✗ {problem}", err=True)
    if problems:
        sys.exit(2)
    click.echo("✓ nothing is wrong")


@db.command()
@state_options
def prune(file: Path, state: Path | None) -> None:
    """Forget now what the retention settings of the pipeline file say.

    'aiops run' does it by itself every hour. Deleted space is used again; 'aiops db vacuum' gives it
    back to the disk.
    """
    from aiops_core.store import Cut

    keep = _retention(file, state)
    with open_store(file, state) as store:
        now = store.clock()
        cut = Cut(now - keep.events, now - keep.runs, now - keep.trends)
        gone = sum(iter(lambda: store.retention.prune(cut), 0))
    click.echo(f"{counted(gone, 'row')} forgotten")


def _retention(file: Path, state: Path | None) -> Retention:
    """Return the settings of the pipeline file, the defaults where a directory was named instead."""
    from aiops_core.pipeline import load
    from aiops_core.settings import Retention

    return load(file).document.retention if state is None else Retention()


@db.command()
@state_options
def vacuum(file: Path, state: Path | None) -> None:
    """Write the database anew, as small as it can be; 'aiops run' must not be running."""
    directory = state_directory(file, state)
    before = (directory / "aiops.db").stat().st_size
    with _alone(directory), open_store(file, state) as store:
        store.vacuum()
    after = (directory / "aiops.db").stat().st_size
    click.echo(f"{before / 2**20:.1f} MB → {after / 2**20:.1f} MB")


@db.command()
@click.argument("target", type=click.Path(path_type=Path), metavar="FILE")
@state_options
def backup(target: Path, file: Path, state: Path | None) -> None:
    """Copy the database to FILE, whole and consistent, also while 'aiops run' is running."""
    if target.exists():
        raise UserError(f"{target}: is there already. Name another file, or move it away")
    with open_store(file, state) as store:
        store.backup(target)
    click.echo(f"{target}: {target.stat().st_size / 2**20:.1f} MB")


@db.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@state_options
def restore(source: Path, file: Path, state: Path | None) -> None:
    """Put a backup in the place of the database, which is kept beside it; 'aiops run' must not be running.

    What happened since the backup is not known any more: log lines are read again from where the
    backup was, and effects since then are found again by their keys.
    """
    from aiops_core.store.schema import revision_of, revisions

    directory = state_directory(file, state)
    if not revision_of(source, revisions()):
        raise UserError(f"{source}: is empty. Name a file that 'aiops db backup' wrote")
    with _alone(directory):
        kept = _set_aside(directory)
        fresh = directory / "aiops.db.restoring"
        shutil.copyfile(source, fresh)
        fresh.chmod(0o600)
        fresh.replace(directory / "aiops.db")
        with open_store(file, directory) as store:
            problems = store.check()
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(f"restored{f'; what was there is {kept}' if kept else ''}")


def _set_aside(directory: Path) -> Path | None:
    """Move the database out of the way, its write-ahead log worked in; return where it is now."""
    import sqlite3
    from contextlib import closing

    path = directory / "aiops.db"
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError:
        pass  # damaged, which may be why a backup is put in its place
    kept = directory / f"aiops.db.before-{os.getpid()}-{int(path.stat().st_mtime)}"
    path.replace(kept)
    for rest in ("aiops.db-wal", "aiops.db-shm"):
        (directory / rest).unlink(missing_ok=True)
    return kept


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    from aiops_core.store import hold

    with hold(directory, purpose="aiops db"):
        yield
