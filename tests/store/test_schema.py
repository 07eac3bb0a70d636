import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from aiops_core.errors import StoreError
from aiops_core.store import Store, schema
from aiops_core.store.lock import exclusive
from aiops_core.store.tables import metadata

NEXT = """
import os, signal
import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{head}"


def upgrade():
    with op.batch_alter_table("incidents", recreate="always") as table:
        table.add_column(sa.Column("owner", sa.Text, nullable=False, server_default="nobody"))
    {then}
"""
UPGRADE = """
import sys
from pathlib import Path
from aiops_core.store.schema import bring_up_to_date
bring_up_to_date(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def database(directory, event):
    """A database as an earlier version left it."""
    with Store.open(directory) as store:
        store.record("shop", [(event(), True)], [], {})
    return directory / "aiops.db"


@pytest.fixture
def newer(tmp_path):
    """Migrations of a later version: one more revision, which ends with the given statement."""

    def make(then="pass"):
        migrations = tmp_path / "migrations"
        shutil.copytree(schema.MIGRATIONS, migrations, dirs_exist_ok=True)
        text = NEXT.format(head=schema.revisions()[-1], then=then)
        (migrations / "versions" / "9001_owner.py").write_text(text)
        return migrations

    return make


def ask(database, query):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def shape(database):
    """What a database is made of, except the order of columns and what one that an insert leaves out gets: none does."""
    made = ask(database, "SELECT type, name, sql FROM sqlite_master")
    return {name: sql for kind, name, sql in made if kind != "table"} | {
        name: (
            "AUTOINCREMENT" in sql,
            sorted((*column[1:4], *column[5:]) for column in ask(database, f"PRAGMA table_xinfo({name})")),
            sorted(key[2:] for key in ask(database, f"PRAGMA foreign_key_list({name})")),
            sorted(
                (*index[2:], *(column[2:] for column in ask(database, f"PRAGMA index_xinfo({index[1]})")))
                for index in ask(database, f"PRAGMA index_list({name})")
            ),
        )
        for kind, name, sql in made
        if kind == "table"
    }


def test_the_migrations_make_exactly_the_tables_of_the_code(database, tmp_path):
    migrated = tmp_path / "migrated.db"
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()

    assert shape(migrated) == shape(database)
    assert ask(migrated, "SELECT * FROM alembic_version") == ask(database, "SELECT * FROM alembic_version")


def test_the_files_of_the_migrations_are_numbered_as_they_follow():
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    walked = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]

    assert walked[::-1] == schema.revisions()


def test_an_empty_file_becomes_a_database(directory):
    directory.mkdir()
    (directory / "aiops.db").touch()

    with Store.open(directory) as store:
        assert store.check() == []


def test_an_older_database_is_copied_aside_and_upgraded_with_its_rows(database, newer):
    schema.bring_up_to_date(database, newer())

    assert ask(database, "SELECT count, owner FROM incidents") == [(1, "nobody")]
    assert ask(database, "SELECT count(*) FROM events") == [(1,)]
    backup = database.with_name(f"aiops.schema-{schema.revisions()[-1]}.backup")
    assert backup.stat().st_mode & 0o777 == 0o600
    assert ask(backup, "SELECT count FROM incidents") == [(1,)]
    assert ask(backup, "SELECT version_num FROM alembic_version") == [(schema.revisions()[-1],)]
    assert list(database.parent.glob("*.partial")) == []


def test_an_upgrade_killed_in_the_middle_changes_nothing_and_can_be_repeated(database, newer, process):
    killed = process(UPGRADE, database, newer("os.kill(os.getpid(), signal.SIGKILL)"))
    assert killed.wait() == -signal.SIGKILL
    with Store.open(database.parent) as store:
        assert store.incidents.get(1).count == 1

    schema.bring_up_to_date(database, newer())

    assert ask(database, "SELECT count, owner FROM incidents") == [(1, "nobody")]


def test_an_upgrade_that_would_orphan_rows_changes_nothing(database, newer):
    with pytest.raises(
        StoreError, match=r"rows would lose what they belong to\. Report this; nothing changed\.$"
    ):
        schema.bring_up_to_date(database, newer('op.execute("DELETE FROM incidents")'))

    with Store.open(database.parent) as store:
        assert store.incidents.get(1).count == 1


def test_a_newer_database_is_refused_untouched(database, newer):
    schema.bring_up_to_date(database, newer())
    before = database.read_bytes()

    with pytest.raises(StoreError) as raised:
        Store.open(database.parent)

    assert str(raised.value) == (
        f"{database}: was written by a newer version of aiops-core (schema 9001, this one knows "
        f"{schema.revisions()[-1]}). Install that version, or use another state directory."
    )
    assert database.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_untouched(directory):
    directory.mkdir()
    database = directory / "aiops.db"
    database.write_bytes(b"garbage " * 1000)

    with pytest.raises(StoreError) as raised:
        Store.open(directory)

    assert str(raised.value) == (
        f"{database}: the file is no database. Move it away to start afresh, or put a backup in its place."
    )
    assert database.read_bytes() == b"garbage " * 1000


def test_a_truncated_database_is_refused_untouched(database):
    torn = database.read_bytes()[:6000]
    database.write_bytes(torn)

    with pytest.raises(
        StoreError, match=r"aiops\.db: the file is damaged\. Move it away to start afresh, or "
    ):
        Store.open(database.parent)

    assert database.read_bytes() == torn


def test_a_database_of_another_program_is_refused_untouched(directory):
    directory.mkdir()
    database = directory / "aiops.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")
    before = database.read_bytes()

    with pytest.raises(StoreError) as raised:
        Store.open(directory)

    expected = f"{database}: is a database of another program. Use another state directory."
    assert str(raised.value) == expected
    assert database.read_bytes() == before


def test_processes_that_open_a_new_directory_together_agree(directory, process):
    opening = "import sys; from pathlib import Path; from aiops_core.store import Store\n"
    opening += "with Store.open(Path(sys.argv[1])) as store: store.fault('shop', 'c', 't')"

    started = [process(opening, directory) for _ in range(4)]

    assert [one.wait() for one in started] == [0, 0, 0, 0]
    with Store.open(directory) as store:
        assert [fault.count for fault in store.faults()] == [4]


def test_opening_waits_while_another_process_upgrades(database, newer, process):
    with exclusive(database.with_suffix(".opening")):
        upgrading = process(UPGRADE, database, newer())
        with pytest.raises(subprocess.TimeoutExpired):
            upgrading.wait(0.7)

    assert upgrading.wait() == 0
    assert ask(database, "SELECT owner FROM incidents") == [("nobody",)]
