"""A database that is damaged: a run puts it aside, whole, and goes on with a fresh one."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from aiops_core.errors import StoreError
from aiops_core.store.database import Unusable, damage_mark
from aiops_core.store.schema import revision_of, revisions

_FILES = ("", "-wal", "-shm")


def put_aside_damaged(path: Path, at: datetime) -> Path | None:
    """Move a damaged database to where it can be looked at; return where it is, None where it is sound.

    Only what cannot be opened is found, and what a run that met damage left a mark about: then all of
    the file is read. For the holder of the state directory, before it opens the database.
    """
    if not path.exists() or not _is_damaged(path):
        damage_mark(path).unlink(missing_ok=True)
        return None
    kept = path.with_name(f"{path.name}.corrupt-{at.astimezone(UTC):%Y%m%dT%H%M%S}")
    for ending in _FILES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(kept.with_name(kept.name + ending))
    damage_mark(path).unlink(missing_ok=True)
    return kept


def _is_damaged(path: Path) -> bool:
    try:
        revision_of(path, revisions())
        return damage_mark(path).exists() and not _is_whole(path)
    except Unusable as problem:
        return problem.is_damage
    except StoreError:
        return False  # of a newer version, or another program's: not ours to move


def _is_whole(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            return [text for (text,) in connection.execute("PRAGMA integrity_check(1)")] == ["ok"]
    except sqlite3.DatabaseError:
        return False
