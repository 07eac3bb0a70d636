"""aiops db: figures, forgetting, backup and restore, as they are typed."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.records import Event
from aiops_core.store import Store, hold

PIPELINE = (
    "pipelines: {{shop: {{sources: [{{uses: file, with: {{paths: [./shop.log]}}}}]}}}}\nretention: {{{}}}\n"
)


@pytest.fixture
def typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        result = CliRunner().invoke(cli, [str(word) for word in words])
        return result.exit_code, result.stdout, str(result.exception) if result.exit_code else result.stderr

    return run


@pytest.fixture
def old(tmp_path):
    """A state directory with fifteen events of nine days ago."""
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.format("events: 7d"))
    then = datetime.now(UTC) - timedelta(days=9)
    events = [
        Event(type="E", message="m" * 2000, fingerprint="f1", key=f"key {n}", read_at=then) for n in range(15)
    ]
    with Store.open(tmp_path / "state") as store:
        store.record("shop", [(event, False) for event in events], [], {})
    return tmp_path


def counted(state):
    with Store.open(state) as store:
        return [
            (one.title[:5], one.count, len(store.incidents.get(one.id).events))
            for one in store.incidents.list()
        ]


def test_what_is_older_than_the_settings_is_forgotten_and_its_space_given_back(typed, old):
    code, stats, _ = typed("db", "stats")
    assert code == 0
    assert "          15  events\n" in stats

    assert typed("db", "prune") == (0, "13 rows forgotten\n", "")
    assert typed("db", "vacuum")[0] == 0

    assert "           2  events\n" in typed("db", "stats")[1]
    assert counted(old / "state") == [("E: mm", 15, 2)]


def test_a_backup_is_made_beside_a_running_program_and_put_back(typed, old):
    with hold(old / "state", purpose="aiops run"):
        assert typed("db", "backup", "copy.db")[0] == 0
        code, _, error = typed("db", "restore", "copy.db")
        assert code != 0
        assert "aiops run" in error
    assert (old / "copy.db").stat().st_mode & 0o777 == 0o600
    typed("incidents", "ignore", "1")
    assert "is there already" in typed("db", "backup", "copy.db")[2]

    code, told, _ = typed("db", "restore", "copy.db")

    assert (code, told.startswith("restored; what was there is ")) == (0, True)
    assert "new" in typed("incidents", "list")[1]
    kept = Path(told.split()[-1])
    with closing(sqlite3.connect(kept)) as before:
        assert before.execute("SELECT state FROM incidents").fetchall() == [("ignored",)]


def test_a_damaged_database_is_replaced_by_a_backup(typed, old):
    typed("db", "backup", "copy.db")
    (old / "state" / "aiops.db").write_bytes(b"junk" * 5000)

    assert typed("db", "restore", "copy.db")[0] == 0

    assert counted(old / "state") == [("E: mm", 15, 15)]


@pytest.mark.parametrize(("content", "told"), [(b"junk" * 5000, "is no database"), (b"", "is empty")])
def test_what_is_no_backup_is_refused_and_nothing_changes(typed, old, content, told):
    (old / "bad.db").write_bytes(content)

    code, _, error = typed("db", "restore", "bad.db")

    assert code != 0
    assert told in error
    assert counted(old / "state") == [("E: mm", 15, 15)]


RUN = """
import sys
from aiops_core.cli import main
sys.exit(main())
"""


def test_a_running_program_forgets_by_itself_and_more_where_the_database_is_too_big(old):
    (old / "pipeline.yaml").write_text(PIPELINE.format("size: 1KB"))
    (old / "shop.log").write_text("")
    command = [sys.executable, "-c", RUN, "run", "pipeline.yaml"]
    process = subprocess.Popen(command, cwd=old, stderr=subprocess.PIPE, text=True)
    try:
        told = next(line for line in process.stderr if "retention.size" in line)
    finally:
        process.terminate()
        process.communicate()

    assert "the state database held more than retention.size" in told
    assert counted(old / "state") == [("E: mm", 15, 2)]


def damage(old, statement):
    with closing(sqlite3.connect(old / "state" / "aiops.db")) as database, database:
        assert database.execute(statement).rowcount == 1


def test_a_row_that_the_disk_changed_is_found_and_never_taken_for_what_was_written(typed, old):
    assert typed("db", "check") == (0, "✓ nothing is wrong\n", "")
    damage(old, "UPDATE events SET event = replace(event, 'mmmm', 'mmmn') WHERE id = 7")

    result = CliRunner().invoke(cli, ["db", "check"])

    assert (result.exit_code, result.stderr) == (2, "✗ events, row 7: event is not as it was written\n")
    code, said, _ = typed("incidents", "show", "1")
    assert (code, "mmmn" in said) == (0, False)


def test_rows_of_a_version_that_kept_no_checksums_are_taken_as_they_are(typed, old):
    damage(old, "UPDATE events SET event = substr(event, 1, length(event) - 9) WHERE id = 7")

    assert typed("db", "check")[0] == 0
    assert typed("incidents", "show", "1")[0] == 0
