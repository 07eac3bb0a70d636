"""Killed or stopped at each named place, a run loses nothing and does nothing twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from kill_writer import BLOCK
from response_scene import RECORDED, answer, fix_branches, pipeline, shop, trace
from rotation_writer import WAYS
from test_kill import AIOPS, PIPELINE, ROTATION_WRITER, counts, has_looked, start, wait_for, wait_until

from aiops_core.errors import UserError
from aiops_core.failpoints import FAILPOINTS, failpoint
from aiops_core.store import Store
from aiops_core.testing.http_peer import HttpPeer

READING = ("after_read", "in_block", "in_rotation", "before_commit", "after_commit")
CALLING = ("call_reserved", "call_settled")
"""Passed by analyzers that spend: see test_budgets."""
TELLING = ("after_holding", "after_refusal")
"""Passed where a target is crowded or away: see notices/test_kills."""
ANSWERING = tuple(name for name in FAILPOINTS if name not in (*READING, *CALLING, *TELLING))
DEADLINE = 120.0


def launch(directory, failpoint, *options):
    with (directory / "run.log").open("ab") as log:
        return subprocess.Popen(
            [AIOPS, "run", *options, "pipeline.yaml"],
            cwd=directory,
            stdout=log,
            stderr=log,
            env={**os.environ, "AIOPS_FAILPOINT": failpoint},
        )


def fate(run, kinds=os.WEXITED | os.WSTOPPED):
    """Wait until a process ends or stops; return the signal that did it, 0 when it ended by itself."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found = os.waitid(os.P_PID, run.pid, kinds | os.WNOHANG | os.WNOWAIT)
        if found is not None:
            return 0 if found.si_code == os.CLD_EXITED else found.si_status
        time.sleep(0.01)
    raise AssertionError("it passed no such place")


def kill_or_stop_at(directory, name, passing, action):
    """Run until a failpoint; go on for a while after a stop; kill it anyway in the end."""
    run = launch(directory, f"{name}:{passing}={action}")
    try:
        if action == "stop":
            assert fate(run) == signal.SIGSTOP
            time.sleep(0.3)  # the writer rotates meanwhile
            run.send_signal(signal.SIGCONT)
            time.sleep(0.3)
        else:
            assert fate(run) == signal.SIGKILL
    finally:
        run.kill()
        run.wait()


def read_under(directory, ways, attacks):
    """Attack the reader of rotating logs; return what was written and what was counted."""
    (directory / "logs").mkdir()
    (directory / "pipeline.yaml").write_text(PIPELINE.replace("logs/app.log", "logs/*/app.log"))
    ledger, database = directory / "ledger", directory / "state" / "aiops.db"
    first = start(directory)
    wait_until(lambda: has_looked(directory))
    command = [sys.executable, ROTATION_WRITER, directory / "logs", ledger, database, "3600", *ways]
    writer = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: bool(counts(directory)))
        first.kill()
        first.wait()
        for attack in attacks:
            kill_or_stop_at(directory, *attack)
    finally:
        writer.terminate()
        writer.wait()
    written = ledger.read_text().split()
    last = start(directory)
    wait_for(directory, len(written))
    time.sleep(1.2)
    last.terminate()
    last.wait(timeout=60)
    return written, counts(directory)


def assert_once(written, found):
    lost = [name for name in written if name not in found]
    twice = {name: count for name, count in found.items() if count != 1}
    assert (lost, twice) == ([], {})
    assert set(found) == set(written)
    assert len(written) > 50


@pytest.mark.parametrize(("action", "passings"), [("kill", (2,)), ("stop", (1,))])
def test_killed_or_stopped_at_each_place_of_reading_it_loses_nothing_and_counts_nothing_twice(
    tmp_path, action, passings
):
    attacks = [(name, passing, action) for passing in passings for name in READING]

    written, found = read_under(tmp_path, ["Rename", "CopyTruncate", "Compress", "Chain"], attacks)

    assert_once(written, found)


def test_a_block_that_is_written_on_while_the_run_is_stopped_is_one_event(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    block = BLOCK.format(n=1, letters="A")
    cut = block.index("    raise")
    log = tmp_path / "logs" / "app.log"
    log.write_text(block[:cut])

    run = launch(tmp_path, "in_block:1=stop")
    assert fate(run) == signal.SIGSTOP
    with log.open("a") as file:
        file.write(block[cut:])
    time.sleep(1.5)  # longer than the silence that closes a block
    run.send_signal(signal.SIGCONT)
    wait_for(tmp_path, 1)
    run.terminate()
    run.wait(timeout=60)

    assert counts(tmp_path) == {"shop.TroubleA": 1}


@pytest.mark.full
@pytest.mark.parametrize("way", [way.__name__ for way in WAYS])
@pytest.mark.parametrize("name", READING)
def test_attacked_again_and_again_at_one_place_it_loses_nothing_and_counts_nothing_twice(tmp_path, name, way):
    attacks = [(name, passing, action) for passing in (1, 2, 3, 5, 8) for action in ("kill", "stop", "kill")]

    written, found = read_under(tmp_path, [way], attacks)

    assert_once(written, found)


@pytest.mark.parametrize(
    ("name", "passings"),
    [
        *(pytest.param(name, 1, id=name) for name in ANSWERING),
        *(
            pytest.param(name, 20, marks=pytest.mark.full, id=f"{name}, at every passing")
            for name in ANSWERING
        ),
    ],
)
def test_killed_at_each_place_of_answering_there_is_one_branch_one_commit_and_one_message(
    tmp_path, name, passings
):
    repository = shop(tmp_path / "git")
    (tmp_path / "shop.log").write_text(trace(3))
    (tmp_path / "answer.yaml").write_text(answer())

    with HttpPeer() as peer:
        notifiers = f"      - {{uses: webhook, with: {{url: '{peer.url}/hook'}}}}"
        (tmp_path / "pipeline.yaml").write_text(pipeline(repository, analyzers=RECORDED, notifiers=notifiers))
        killed = 0
        for passing in count(1):
            run = launch(tmp_path, f"{name}:{passing}", "--once")
            is_killed = fate(run, os.WEXITED) == signal.SIGKILL
            run.wait()
            killed += is_killed
            if not is_killed or passing == passings:
                break
            requeue(tmp_path)
        assert launch(tmp_path, "", "--once").wait(60) == 0
        sent = Counter(request.headers["idempotency-key"] for request in peer.requests)
        with Store.open(tmp_path / "state") as store:
            deliveries = {row.key: row.state for row in store.deliveries.list()}
            runs = [run.state for run in store.runs.of_incident(1)]

    (branch,) = fix_branches(repository)
    assert killed
    assert repository.on_remote("rev-list", "--count", f"main..{branch}") == "1"
    assert runs == ["done"]
    assert deliveries == dict.fromkeys(sent, "sent")
    assert sum(sent.values()) <= len(sent) + (killed if name == "after_notification" else 0)


def requeue(directory):
    """Give back what was killed too often, as an operator would."""
    with Store.open(directory / "state") as store:
        for job in store.queue.jobs("dead"):
            store.queue.requeue(job.id)


@pytest.mark.full
@pytest.mark.parametrize("name", ANSWERING)
def test_stopped_for_a_while_at_each_place_of_answering_it_goes_on(tmp_path, name):
    repository = shop(tmp_path / "git")
    (tmp_path / "shop.log").write_text(trace(3))
    (tmp_path / "answer.yaml").write_text(answer())

    with HttpPeer() as peer:
        notifiers = f"      - {{uses: webhook, with: {{url: '{peer.url}/hook'}}}}"
        (tmp_path / "pipeline.yaml").write_text(pipeline(repository, analyzers=RECORDED, notifiers=notifiers))
        run = launch(tmp_path, f"{name}=stop", "--once")
        assert fate(run) == signal.SIGSTOP
        time.sleep(1.0)
        run.send_signal(signal.SIGCONT)
        assert run.wait(60) == 0
        keys = [request.headers["idempotency-key"] for request in peer.requests]

    assert len(fix_branches(repository)) == 1
    assert len(keys) == len(set(keys)) == 1


def test_every_failpoint_is_listed_among_the_guarantees():
    page = (Path(__file__).parent.parent / "docs" / "guarantees.md").read_text()

    missing = [name for name, place in FAILPOINTS.items() if f"- `{name}`: {place}" not in page]

    assert missing == []


@pytest.mark.parametrize("wanted", ["lunch", "after_read:x", "after_read=explode"])
def test_a_failpoint_that_is_not_understood_is_refused_with_the_names_there_are(monkeypatch, wanted):
    monkeypatch.setenv("AIOPS_FAILPOINT", wanted)

    with pytest.raises(UserError) as refused:
        failpoint("after_read")

    assert str(refused.value) == (
        f"AIOPS_FAILPOINT={wanted}: not understood. Write NAME, NAME:N or NAME:N=ACTION, where NAME is one of "
        f"{', '.join(FAILPOINTS)}, N counts its passings from 1, and ACTION is kill or stop."
    )
