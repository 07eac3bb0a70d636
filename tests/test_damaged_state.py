"""A state database that is damaged: the run puts it aside, says so, and goes on."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

AIOPS = Path(sys.executable).parent / "aiops"
PIPELINE = """\
state: ./state
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log], start: beginning}}]
    detectors: [python]
    notifiers: [{uses: file, with: {path: ./told.jsonl}}]
    policy: {max_age: 3650d}
"""
CRASH = (
    'Traceback (most recent call last):\n  File "/app/a.py", line 7, in total\nValueError: no price\nwell\n'
)
PAGE = 4096


class Service:
    """A pipeline file, its log, and runs over it."""

    def __init__(self, directory):
        self.directory, self.database = directory, directory / "state" / "aiops.db"
        (directory / "pipeline.yaml").write_text(PIPELINE)
        (directory / "shop.log").write_text(CRASH)

    def once(self):
        return subprocess.run(
            [AIOPS, "run", "--once"],
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def until(self, is_so):
        """Run until something is so, or the run has ended; return its exit code and what it said."""
        run = subprocess.Popen([AIOPS, "run"], cwd=self.directory, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while run.poll() is None and not is_so() and time.monotonic() < deadline:
            time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=60)
        return run.returncode, said

    def told(self):
        path = self.directory / "told.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def faults(self):
        return [one["text"] for one in self.told() if one["kind"] == "fault"]

    def kept(self):
        return sorted(
            path
            for path in self.database.parent.glob("aiops.db.corrupt-*")
            if not path.name.endswith(("-wal", "-shm"))
        )

    def counts(self):
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
                return connection.execute("SELECT type, count FROM incidents").fetchall()
        except sqlite3.DatabaseError:
            return []


@pytest.fixture
def service(tmp_path):
    return Service(tmp_path)


def garbage(database):
    database.write_bytes(b"no database at all " * 500)


def truncated(database):
    database.write_bytes(database.read_bytes()[:6000])


def headless(database):
    database.write_bytes(b"\0" * 100 + database.read_bytes()[100:])


def overwrite(database, table):
    """Overwrite the first page of a table."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
    with database.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * PAGE)


@pytest.mark.parametrize("damage", [garbage, truncated, headless])
def test_what_cannot_be_opened_is_put_aside_and_people_are_told(service, damage):
    assert service.once().returncode == 0
    damage(service.database)
    before = service.database.read_bytes()

    code, said = service.until(lambda: service.faults() and service.counts())

    (kept,) = service.kept()
    (fault,) = service.faults()
    assert (code, kept.read_bytes() == before) == (0, True)
    assert f"the state database was damaged. It is kept as {kept}" in fault
    assert "aiops db restore" in said
    assert service.counts() == [("ValueError", 1)]


@pytest.mark.parametrize(
    ("table", "why"),
    [("trends", "the state database is damaged, nothing is recorded"), ("incidents", "the file is damaged.")],
)
def test_damage_that_is_met_later_ends_the_run_and_the_next_one_puts_it_aside(service, table, why):
    assert service.once().returncode == 0
    overwrite(service.database, table)
    with (service.directory / "shop.log").open("a") as log:
        log.write(CRASH)

    code, said = service.until(lambda: False)
    again, _ = service.until(lambda: service.faults() and service.counts() == [("ValueError", 2)])

    assert (code, again) == (1, 0)
    assert why in said
    assert len(service.kept()) == 1
    assert service.counts() == [("ValueError", 2)]


def test_a_run_over_what_is_there_leaves_it_to_whoever_began_it(service):
    assert service.once().returncode == 0
    garbage(service.database)
    before = service.database.read_bytes()

    done = service.once()

    assert done.returncode == 1
    assert (
        "the file is no database. Move it away to start afresh, or put a backup in its place" in done.stderr
    )
    assert (service.database.read_bytes(), service.kept()) == (before, [])


def test_a_sound_database_is_read_whole_once_where_damage_was_met_and_left_alone(service):
    assert service.once().returncode == 0
    mark = service.database.with_name("aiops.db.damaged")
    mark.touch()

    code, _ = service.until(lambda: not mark.exists())

    assert (code, service.kept(), service.counts()) == (0, [], [("ValueError", 1)])
