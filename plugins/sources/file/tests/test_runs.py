"""Whole runs of the program over files."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aiops_core.testing import run_pipeline

AIOPS = Path(sys.executable).parent / "aiops"
PIPELINE = """
state: ./state
pipelines:
  p:
    sources:
      - {uses: file, with: {paths: [./a.log], start: beginning}}
    detectors: [levels]
"""


def error(letter):
    return f"2026-11-21 03:00:00 ERROR shop: the shelf {letter * 3} is empty\n"


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    text = (
        b"2026-11-21 03:00:00 ERROR x: c\rd\r\n2026-11-21 03:00:00 INFO x: two\r\n\r\n\nthree\n"
        b"2026-11-21 03:00:00 ERROR x: bad \xff\xfe \xc3( end\n2026-11-21 03:00:00 ERROR y: caf\xe9\n"
    )
    return run_pipeline(PIPELINE, {"a.log": text}, tmp_path_factory.mktemp("run")).events


def test_case_28_line_ends_are_cut_as_they_are(events):
    event = next(event for event in events if "c\r" in event.message)

    assert event.message.endswith("c\rd")
    assert event.context_after[:4] == ("2026-11-21 03:00:00 INFO x: two", "", "", "three")


def test_case_29_a_line_end_that_comes_in_two_parts_is_one(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_bytes(b"")
    source = tail().start()

    for part in (b"a\r", b"\nb\r\n", b"\r", b"\n\nc\rd\n"):
        append(log, part)
        time.sleep(0.03)

    source.wait(lambda: source.data == b"a\r\nb\r\n\r\n\nc\rd\n")
    assert all(batch.data.endswith(b"\n") for batch in source.chunks)


def test_case_33_bytes_that_are_no_utf_8_become_one_sign_each(events):
    lines = [event.block.rstrip("\n").rpartition(": ")[2] for event in events]

    assert "bad \ufffd\ufffd \ufffd( end" in lines
    assert "caf\ufffd" in lines


def counts(directory):
    try:
        with sqlite3.connect(directory / "state" / "aiops.db", timeout=5) as database:
            return [count for (count,) in database.execute("select count from incidents")]
    except sqlite3.OperationalError:
        return []


def wait_until(is_so):
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def start(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    running = []

    def run(directory=tmp_path):
        with (tmp_path / "run.log").open("ab") as log:
            running.append(
                subprocess.Popen(
                    [AIOPS, "run", "pipeline.yaml"],
                    cwd=directory,
                    stdout=log,
                    stderr=log,
                    env=dict(os.environ),
                )
            )
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()


def test_case_43_a_second_collector_on_the_same_state_is_refused(tmp_path, start):
    (tmp_path / "a.log").write_text(error("a"))
    first = start()
    wait_until(lambda: counts(tmp_path) == [1])

    second = start()

    assert second.wait(timeout=60) == 2
    assert f"process {first.pid}" in (tmp_path / "run.log").read_text()
    assert first.poll() is None


def test_case_41_a_full_disk_loses_and_repeats_nothing(tmp_path, start, append):
    log = tmp_path / "a.log"
    log.write_text(error("a"))
    first = start()
    wait_until(lambda: counts(tmp_path) == [1])

    _, hard = resource.prlimit(first.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(first.pid, resource.RLIMIT_FSIZE, (0, hard))  # nothing can be written any more
    append(log, error("b") + "2026-11-21 03:00:00 INFO shop: next\n")
    time.sleep(1)  # its log cannot be written either: nothing to wait for
    assert (first.poll(), counts(tmp_path)) == (None, [1])
    resource.prlimit(first.pid, resource.RLIMIT_FSIZE, (hard, hard))
    append(log, error("c"))

    wait_until(lambda: counts(tmp_path) == [1, 1, 1])
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=60) == 0
    assert counts(tmp_path) == [1, 1, 1]
