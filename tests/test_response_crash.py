"""The response, killed with SIGKILL wherever it stands: one branch, one commit, one message a run."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from response_scene import (
    FIXED,
    RECORDED,
    answer,
    claude,
    claude_edit,
    fix_branches,
    pipeline,
    says,
    shop,
    trace,
)

from aiops_core.store import Store
from aiops_core.testing.http_peer import HttpPeer
from aiops_core.testing.messages_api import MessagesApi

AIOPS = Path(sys.executable).parent / "aiops"
KEY = "sk-ant-dummy-00000000000000000000"


def start(directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "run.log").open("ab") as log:
        return subprocess.Popen(
            [AIOPS, "run", "--once", "pipeline.yaml"],
            cwd=directory,
            stdout=log,
            stderr=log,
            env={**os.environ, "KEY": KEY},
        )


def attempts(store: Store) -> int:
    """Return how often any job was leased: it grows when a response begins."""
    return sum(job.token for job in store.queue.jobs())


def kill_in_response(directory: Path, store: Store, after: float) -> bool:
    """Start a run and kill it so long after it took up a job; False when it ended first."""
    before = attempts(store)
    run = start(directory)
    while attempts(store) <= before and run.poll() is None:
        time.sleep(0.01)
    time.sleep(after)
    was_alive = run.poll() is None
    run.send_signal(signal.SIGKILL)
    run.wait()
    return was_alive


def give_more_work(store: Store) -> None:
    """Requeue what was killed too often, as an operator would; ask for another run when all is done."""
    for job in store.queue.jobs("dead"):
        store.queue.requeue(job.id)
    if not any(job.kind in {"run", "deliver"} for job in store.queue.jobs()):  # a pushed branch is followed
        store.runs.create(1, "retry")


def end(directory: Path, store: Store) -> None:
    """Let what was begun come to its end: a start that finds a job used up only gives it up."""
    for _ in range(2):
        assert start(directory).wait(60) == 0
        for job in store.queue.jobs("dead"):
            store.queue.requeue(job.id)


@pytest.mark.parametrize(("kills", "asks"), [(6, False), pytest.param(100, True, marks=pytest.mark.full)])
def test_a_response_killed_at_any_moment_leaves_one_branch_one_commit_and_one_key_a_run(
    tmp_path, kills, asks
):
    repository = shop(tmp_path / "git")
    (tmp_path / "shop.log").write_text(trace(3))
    (tmp_path / "answer.yaml").write_text(answer())
    randomly, done = random.Random(11), 0

    with MessagesApi(usual=says(claude_edit())) as api, HttpPeer() as peer:
        notifiers = f"      - {{uses: webhook, with: {{url: '{peer.url}/hook'}}}}"
        (tmp_path / "pipeline.yaml").write_text(
            pipeline(repository, analyzers=claude(api) if asks else RECORDED, notifiers=notifiers)
        )
        with Store.open(tmp_path / "state") as store:
            while done < kills:
                done += kill_in_response(tmp_path, store, randomly.uniform(0.0, 3.0 if asks else 0.9))
                give_more_work(store)
            end(tmp_path, store)
            runs = store.runs.of_incident(1)
            keys = (request.headers["idempotency-key"] for request in peer.requests)
            sent = Counter(key for key in keys if not key.startswith("fault/"))
            told = [row for row in store.deliveries.list() if row.report.kind == "incident"]
            deliveries = {row.key: row.state for row in told}
            incidents = [incident.count for incident in store.incidents.list()]

    (branch,) = fix_branches(repository)
    assert repository.on_remote("rev-list", "--count", f"main..{branch}") == "1"
    assert FIXED in repository.on_remote("show", f"{branch}:shop.py")
    assert incidents == [3]
    assert {run.state for run in runs} == {"done"}
    assert deliveries == dict.fromkeys(sent, "sent")
    assert len(sent) == len(runs)
    assert sum(sent.values()) <= len(runs) + kills
    assert not asks or len(runs) <= len(api.calls) <= len(runs) + kills


def test_a_run_taken_over_tells_what_was_decided_before_the_kill(tmp_path):
    repository = shop(tmp_path / "git")
    (tmp_path / "shop.log").write_text(trace())
    (tmp_path / "slow.py").write_text(SLOW)
    text = pipeline(repository, analyzers="      - ./slow.py:Unsure", notifiers="      - ./slow.py:Kept")
    (tmp_path / "pipeline.yaml").write_text(text.replace("actions:", "actions:\n      - ./slow.py:Slow"))

    run = start(tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "acting").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    run.kill()
    run.wait()
    assert start(tmp_path).wait(30) == 0

    report = json.loads((tmp_path / "report.json").read_text())
    assert "confidence" in report


SLOW = """
import json, time
from pathlib import Path
from aiops_core import Action, Analysis, Analyzer, Edit, Notifier, Outcome, Plan, Receipt

class Unsure(Analyzer):
    def analyze(self, incident, evidence):
        edit = Edit(kind="replace", path="shop.py", search="a", replace="b")
        return Analysis(title="t", summary="s", root_cause="r", confidence=0.1, edits=(edit,))

class Slow(Action):
    def plan(self, incident, analysis, change):
        mark = Path("acting")
        if not mark.exists():
            mark.touch()
            time.sleep(30)
        return Plan("look", "look")

    def act(self, plan):
        return Outcome("done", "looked")

class Kept(Notifier):
    def notify(self, report):
        Path("report.json").write_text(json.dumps([decision.rule for decision in report.decisions]))
        return Receipt()
"""
