"""The journal as a pipeline sees it: whole traces, and nothing lost or counted twice."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aiops_core.testing import run_pipeline

AIOPS = Path(sys.executable).parent / "aiops"
PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: journald, with: {directory: ./journal, start: beginning}}]
    detectors: [python]
"""


def trace(name, text="no price", frames=2):
    lines = ["Traceback (most recent call last):"]
    for number in range(frames):
        lines += [f'  File "/app/shop/{name.lower()}.py", line {number + 1}, in step_{number}', "    go()"]
    return [*lines, f"{name}: {text}"]


def counts(result):
    assert result.error == ""
    return {incident.type: incident.count for incident in result.incidents}


def test_case_100_traces_printed_line_by_line_by_two_processes_at_once_are_two_events(
    journal, message, tmp_path
):
    log = journal()
    for first, second in zip(trace("ValueError"), trace("KeyError"), strict=True):
        log.add(first, _PID=11)
        log.add(second, _PID=12)

    result = run_pipeline(PIPELINE, {}, tmp_path)

    assert counts(result) == {"ValueError": 1, "KeyError": 1}
    for event in result.events:
        assert len(event.frames) == 2
        assert [message(line.encode()) for line in event.block.splitlines()] == trace(event.type)
        assert event.attributes["pid"] == {"ValueError": "11", "KeyError": "12"}[event.type]
        assert (event.attributes["host"], event.path) == ("web1", "journald")


def test_case_100_one_process_with_two_streams_gives_one_event_for_each(journal, tmp_path):
    log = journal()
    for first, second in zip(trace("ValueError"), trace("KeyError"), strict=True):
        log.add(first, _STREAM_ID="c" * 32, _SYSTEMD_UNIT="shop@1.service")
        log.add(second, _STREAM_ID="d" * 32, _SYSTEMD_UNIT="shop@2.service")

    result = run_pipeline(PIPELINE, {}, tmp_path)

    assert {
        (event.type, event.attributes["unit"], event.attributes["stream"][0]) for event in result.events
    } == {
        ("ValueError", "shop@1.service", "c"),
        ("KeyError", "shop@2.service", "d"),
    }
    assert {len(event.frames) for event in result.events} == {2}


def test_a_trace_in_one_message_is_one_event_with_time_and_container(journal, message, tmp_path):
    journal().add("starting", "\n".join(trace("ValueError")), "going on", PRIORITY=3, CONTAINER_NAME="shop-1")

    result = run_pipeline(PIPELINE, {}, tmp_path)

    assert counts(result) == {"ValueError": 1}
    event = result.events[0]
    assert [message(line.encode()) for line in event.block.splitlines()] == trace("ValueError")
    assert event.attributes["container"] == "shop-1"
    assert event.occurred_at.isoformat() == "2023-11-14T22:13:22+00:00"


def test_a_journalctl_that_is_missing_is_told_with_the_remedy(tmp_path):
    missing = PIPELINE.replace("start: beginning", "journalctl: no-journalctl")

    assert run_pipeline(missing, {}, tmp_path).error == (
        "shop: sources journald: no-journalctl: no such program. This source needs the journalctl of systemd: "
        "install it, or set 'journalctl' to its path"
    )


class Run:
    """``aiops run`` as a process of its own."""

    def __init__(self, directory):
        (directory / "pipeline.yaml").write_text(PIPELINE)
        self.process = subprocess.Popen([AIOPS, "run"], cwd=directory, stderr=subprocess.PIPE)

    def wait_for(self, text):
        for line in self.process.stderr:
            if text in line:
                return
        raise AssertionError(f"ended without {text}")

    def end(self, number):
        self.process.send_signal(number)
        self.process.stderr.close()
        return self.process.wait(20)


@pytest.mark.parametrize(
    "how", [pytest.param(signal.SIGKILL, id="case_57"), pytest.param(signal.SIGTERM, id="case_56")]
)
def test_a_stop_inside_a_trace_gives_one_whole_event_after_the_next_start(journal, tmp_path, how):
    log = journal()
    whole, late = trace("ValueError"), trace("KeyError", frames=4)
    log.add(*whole, *late[:4])
    run = Run(tmp_path)
    run.wait_for(b"incident 1: new")

    run.end(how)
    log.add(*late[4:], "done")
    result = run_pipeline(PIPELINE, {}, tmp_path)

    assert counts(result) == {"ValueError": 1, "KeyError": 1}
    assert {event.type: len(event.frames) for event in result.events} == {"ValueError": 2, "KeyError": 4}


@pytest.mark.full
def test_runs_killed_again_and_again_lose_nothing_and_count_nothing_twice(journal, tmp_path):
    log, generator, added = journal(), random.Random(5), 0
    for _ in range(6):
        run = Run(tmp_path)
        until = time.monotonic() + generator.uniform(0.8, 2.0)
        while time.monotonic() < until:
            for first, second in zip(trace("ValueError"), trace("KeyError"), strict=True):
                log.add(first, _PID=11)
                log.add(second, _PID=12)
            added += 1
        run.end(signal.SIGKILL)

    assert counts(run_pipeline(PIPELINE, {}, tmp_path)) == {"ValueError": added, "KeyError": added}
    assert not any("journalctl" in command for command in children_of(tmp_path))


def children_of(directory):
    """Return the command lines of processes that still read the journal of this test."""
    time.sleep(0.3)  # a journalctl whose reader is gone ends when it notices
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if os.fspath(directory) in command:
            found.append(command)
    return found
