"""Bring a database file to the schema this version knows, or leave it alone and say why."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from aiops_core.errors import StoreError
from aiops_core.store.database import copy_file, explained, open_engine
from aiops_core.store.directory import create_private
from aiops_core.store.lock import exclusive
from aiops_core.store.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
# as Alembic makes it; one row: the revision
_VERSION = """
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
"""


def bring_up_to_date(path: Path, migrations: Path = MIGRATIONS) -> None:
    """Create the database or upgrade it in one transaction, an older one copied aside first.

    Raise StoreError for a file that is damaged, foreign or of a newer version, before anything
    is written to it.
    """
    known = revisions(migrations)
    if path.exists() and revision_of(path, known) == known[-1]:
        create_private(path)
        return
    with exclusive(path.with_suffix(".opening")):
        create_private(path)
        found = revision_of(path, known)
        if found == known[-1]:
            return
        if not found:
            _create(path, known[-1])
            return
        copy_file(path, path.with_suffix(f".schema-{found}.backup"))
        _upgrade(path, migrations)


def revisions(migrations: Path = MIGRATIONS) -> list[str]:
    """Return the revisions this version knows, oldest first: the numbers its files begin with."""
    return sorted(file.name.partition("_")[0] for file in (migrations / "versions").glob("[0-9]*_*.py"))


def revision_of(path: Path, known: list[str]) -> str:
    """Return the revision of a database file, "" for an empty one; raise StoreError for no good one."""
    with explained(path), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return ""
        rows = file.execute("SELECT version_num FROM alembic_version") if "alembic_version" in tables else []
        found = next((str(revision) for (revision,) in rows), "")
    if not found:
        raise StoreError(f"{path}: is a database of another program. Use another state directory.")
    if found not in known:
        raise StoreError(
            f"{path}: was written by a newer version of aiops-core (schema {found}, this one knows "
            f"{known[-1]}). Install that version, or use another state directory."
        )
    return found


def _create(path: Path, revision: str) -> None:
    # from the tables of the code, as they are: every migration since the first would take a tenth of a second
    engine = open_engine(path)
    try:
        with explained(path), engine.begin() as connection:
            metadata.create_all(connection, checkfirst=False)
            connection.exec_driver_sql(_VERSION)
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (revision,))
    finally:
        engine.dispose()


def _upgrade(path: Path, migrations: Path) -> None:
    engine = open_engine(path, foreign_keys=False)  # a rebuilt table must not take its children along
    try:
        with explained(path), engine.begin() as connection:
            _run(connection, migrations)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise StoreError(
                    f"{path}: rows would lose what they belong to. Report this; nothing changed."
                )
    finally:
        engine.dispose()


def _run(connection: Connection, migrations: Path) -> None:
    from alembic import command  # only an upgrade pays for the import
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
