"""A killed run loses nothing and counts nothing twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rotation_writer import WAYS

AIOPS = Path(sys.executable).parent / "aiops"
WRITER = Path(__file__).parent / "kill_writer.py"
ROTATION_WRITER = Path(__file__).parent / "rotation_writer.py"
PIPELINE = """
state: ./state
pipelines:
  p:
    sources:
      - {uses: file, with: {paths: [./logs/app.log], start: beginning}}
    detectors: [python, levels]
"""


def start(directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "run.log").open("ab") as log:
        return subprocess.Popen(
            [AIOPS, "run", "pipeline.yaml"], cwd=directory, stdout=log, stderr=log, env=dict(os.environ)
        )


def kill(run: subprocess.Popen[bytes]) -> None:
    run.send_signal(signal.SIGKILL)
    run.wait()


def query(directory: Path, sql: str) -> list[tuple[Any, ...]]:  # Any: values of a database
    path = directory / "state" / "aiops.db"
    if not path.exists():
        return []
    database = sqlite3.connect(path, timeout=10)
    try:
        return database.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        database.close()


def counts(directory: Path) -> dict[str, int]:
    return dict(query(directory, "select type, sum(count) from incidents group by type"))


def has_looked(directory: Path) -> bool:
    """Whether the first look is committed: what was rotated before it is none of its business."""
    return bool(query(directory, "select 1 from checkpoints where stream = 'paths'"))


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)


def wait_for(directory: Path, total: int) -> None:
    """Wait until so many events are counted, or for a minute in which none is."""
    before, counted = -1, 0
    while before < counted < total:
        wait_until(lambda counted=counted: sum(counts(directory).values()) > counted)
        before, counted = counted, sum(counts(directory).values())


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.full)])
def test_case_3_a_run_killed_again_and_again_loses_nothing_and_counts_nothing_twice(tmp_path, kills):
    (tmp_path / "logs").mkdir()
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    ledger = tmp_path / "ledger"
    randomly = random.Random(1)

    run = start(tmp_path)
    wait_until(lambda: has_looked(tmp_path))
    command = [sys.executable, WRITER, tmp_path / "logs/app.log", ledger, str(kills * 0.75)]
    writer = subprocess.Popen(command)
    wait_until(lambda: bool(counts(tmp_path)))
    kill(run)
    for _ in range(kills):
        run = start(tmp_path)
        time.sleep(randomly.uniform(0.35, 1.1))  # starting takes about 0.5 s: some die before, some after
        kill(run)
    writer.wait()
    written = ledger.read_text().split()
    run = start(tmp_path)
    wait_for(tmp_path, len(written))
    time.sleep(1.5)
    run.send_signal(signal.SIGTERM)
    began = time.monotonic()
    code = run.wait(timeout=60)

    found = counts(tmp_path)
    lost = [name for name in written if name not in found]
    twice = {name: count for name, count in found.items() if count != 1}
    assert (len(written) > 50, lost, twice) == (True, [], {})
    assert set(found) == set(written)
    assert (code, time.monotonic() - began < 30) == (0, True)


def test_case_4_a_stopped_run_goes_on_where_it_stopped(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    ledger = tmp_path / "ledger"
    command = [sys.executable, WRITER, tmp_path / "logs/app.log", ledger, "3"]
    writer = None

    for round_ in range(1, 4):
        run = start(tmp_path)
        wait_until(lambda round_=round_: (tmp_path / "run.log").read_text().count(": watching ") == round_)
        writer = writer or subprocess.Popen(command)
        time.sleep(1.2)
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=60) == 0
    assert writer is not None
    writer.wait()
    written = ledger.read_text().split()
    run = start(tmp_path)
    wait_for(tmp_path, len(written))
    run.send_signal(signal.SIGTERM)
    run.wait(timeout=60)

    assert counts(tmp_path) == dict.fromkeys(written, 1)


def rotate_under_kills(directory: Path, kills: int, ways: list[str]) -> tuple[list[str], dict[str, int], str]:
    """Kill and stop a run at random under writers that rotate; return what they wrote and what was counted."""
    (directory / "logs").mkdir()
    (directory / "pipeline.yaml").write_text(PIPELINE.replace("logs/app.log", "logs/*/app.log"))
    ledger, database = directory / "ledger", directory / "state" / "aiops.db"
    randomly = random.Random(2)
    run = start(directory)
    wait_until(lambda: has_looked(directory))
    command = [sys.executable, ROTATION_WRITER, directory / "logs", ledger, database, str(kills * 0.8), *ways]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: bool(counts(directory)))
    for _ in range(kills):
        time.sleep(randomly.uniform(0.05, 0.4))
        run.send_signal(signal.SIGSTOP)
        time.sleep(randomly.uniform(0.02, 0.2))
        run.send_signal(signal.SIGCONT)
        time.sleep(randomly.uniform(0.0, 0.3))
        kill(run)
        run = start(directory)
        time.sleep(randomly.uniform(0.3, 0.8))
    rotations, _ = writer.communicate()
    written = ledger.read_text().split()
    wait_for(directory, len(written))
    time.sleep(1.2)
    run.send_signal(signal.SIGTERM)
    run.wait(timeout=60)
    return written, counts(directory), rotations


@pytest.mark.parametrize(
    ("kills", "ways"),
    [
        pytest.param(6, [], id="all at once"),
        *(pytest.param(25, [way.__name__], marks=pytest.mark.full, id=way.__name__) for way in WAYS),
    ],
)
def test_eight_ways_of_rotating_under_kills_lose_nothing_and_count_nothing_twice(tmp_path, kills, ways):
    written, found, rotations = rotate_under_kills(tmp_path, kills, ways)

    lost = [name for name in written if name not in found]
    twice = {name: count for name, count in found.items() if count != 1}
    assert (lost, twice) == ([], {}), rotations
    assert set(found) == set(written)
    rotated = dict(pair.split("=") for pair in rotations.split())
    assert all(int(count) >= 2 for count in rotated.values()), rotations
