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

import pytest

AIOPS = Path(sys.executable).parent / "aiops"
WRITER = Path(__file__).parent / "kill_writer.py"
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


def counts(directory: Path) -> dict[str, int]:
    path = directory / "state" / "aiops.db"
    if not path.exists():
        return {}
    database = sqlite3.connect(path, timeout=10)
    try:
        return dict(database.execute("select type, sum(count) from incidents group by type"))
    except sqlite3.OperationalError:
        return {}
    finally:
        database.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)


def wait_for(directory: Path, total: int) -> None:
    wait_until(lambda: sum(counts(directory).values()) >= total)


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.full)])
def test_a_run_killed_again_and_again_loses_nothing_and_counts_nothing_twice(tmp_path, kills):
    (tmp_path / "logs").mkdir()
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    ledger = tmp_path / "ledger"
    randomly = random.Random(1)

    run = start(tmp_path)  # what was rotated before the first look is none of its business
    wait_until(lambda: "watching" in (tmp_path / "run.log").read_text())
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
    code = run.wait(timeout=15)

    found = counts(tmp_path)
    lost = [name for name in written if name not in found]
    twice = {name: count for name, count in found.items() if count != 1}
    assert (len(written) > 50, lost, twice) == (True, [], {})
    assert set(found) == set(written)
    assert (code, time.monotonic() - began < 10) == (0, True)


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    ledger = tmp_path / "ledger"
    command = [sys.executable, WRITER, tmp_path / "logs/app.log", ledger, "3"]
    writer = None

    for _ in range(3):
        run = start(tmp_path)
        wait_until(lambda: "watching" in (tmp_path / "run.log").read_text())
        writer = writer or subprocess.Popen(command)
        time.sleep(1.2)
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=15) == 0
    assert writer is not None
    writer.wait()
    written = ledger.read_text().split()
    run = start(tmp_path)
    wait_for(tmp_path, len(written))
    run.send_signal(signal.SIGTERM)
    run.wait(timeout=15)

    assert counts(tmp_path) == dict.fromkeys(written, 1)
