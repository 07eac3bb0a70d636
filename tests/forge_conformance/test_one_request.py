"""One error, reported fifty times at once to a program that is killed at every step: one request (R10)."""

import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from github_bench import GithubBench

from aiops_core.failpoints import FAILPOINTS
from aiops_core.store import Store
from aiops_core.testing.messages_api import MessagesApi, answer

AIOPS = Path(sys.executable).parent / "aiops"
EVENTS = 50
TEST = """\
import unittest
from shop.cart import total


class Totals(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total([1, 2]), 3)
"""
TRACE = """\
2026-11-21 03:00:00,000 ERROR shop: order {n} failed
Traceback (most recent call last):
  File "/srv/tests/test_cart.py", line 7, in test_total
    self.assertEqual(total([1, 2]), 3)
  File "/srv/shop/cart.py", line 2, in total
    return sum(prices) + 1
AssertionError: 4 != 3
2026-11-21 03:00:01,000 INFO shop: goes on
"""
PIPELINE = """\
state: ./state
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./logs/], start: beginning}}}}]
    detectors: [python]
    repository: {{url: "{url}", token: "${{env:FORGE}}", paths: {{/srv/: ""}}, test: python3 -m unittest, sandbox: none}}
    analyzers: [{{uses: claude, with: {{api_key: "${{env:KEY}}", base_url: "{api}"}}}}]
    actions: [{{uses: {action}, with: {{{settings}}}, mode: auto}}]
    notifiers: [console]
    policy: {{max_age: 3650d}}
"""
AT_EACH = [name for name in FAILPOINTS if name not in ("in_block", "in_rotation")]


class Shop:
    """A pipeline over fifty logs, its forge and its model."""

    def __init__(self, bench, api, directory):
        self.bench, self.api, self.directory = bench, api, directory
        settings = ", ".join(f'{name}: "{value}"' for name, value in bench.settings().items())
        url, action = bench.setup.repository["url"], bench.action_type.words.component
        text = PIPELINE.format(url=url, api=api.url, action=action, settings=settings)
        (directory / "pipeline.yaml").write_text(text)
        (directory / "logs").mkdir()
        for path, content in {"tests/__init__.py": "", "tests/test_cart.py": TEST}.items():
            bench.bare.add_commit("main", path, content)
        for n in range(EVENTS):
            (directory / "logs" / f"{n}.log").write_text(TRACE.format(n=n))

    def run(self, failpoint=""):
        """Let it run, killed at the failpoint; return whether it was."""
        env = {**os.environ, "FORGE": self.bench.token, "KEY": "sk-ant-dummy-0", "AIOPS_FAILPOINT": failpoint}
        command = [AIOPS, "run", "--once", "pipeline.yaml"]
        done = subprocess.run(
            command, cwd=self.directory, env=env, capture_output=True, timeout=120, check=False
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
        self._hasten()
        return done.returncode != 0

    def _hasten(self):
        """Give back what was killed too often, as an operator would, and let nothing wait for its turn."""
        with Store.open(self.directory / "state") as store:
            for job in store.queue.jobs("dead"):
                store.queue.requeue(job.id)

    def end(self):
        """Let what was begun come to its end."""
        deadline = time.monotonic() + 60
        while self.states() != ["done"] and time.monotonic() < deadline:
            assert not self.run()

    def states(self):
        with Store.open(self.directory / "state") as store:
            return [run.state for run in store.runs.of_incident(1)]


def fix():
    values = dict.fromkeys(("title", "summary", "root_cause"), "total() adds one")
    lists = {"repair_steps": [], "code_samples": [], "prevention": [], "cited": []}
    edit = {
        "kind": "replace",
        "path": "shop/cart.py",
        "search": "sum(prices) + 1",
        "replace": "sum(prices)",
        "to": "",
    }
    return answer({**values, **lists, "confidence": 0.9, "provable": True, "edits": [edit]})


@pytest.fixture
def shop(bench, tmp_path):
    (tmp_path / "run").mkdir()
    with MessagesApi(usual=fix()) as api:
        yield Shop(bench, api, tmp_path / "run")


def assert_one(shop):
    """Look at what there is: one incident of fifty events, one run, one branch, one commit, one request."""
    with Store.open(shop.directory / "state") as store:
        assert [incident.count for incident in store.incidents.list()] == [EVENTS]
        assert [run.state for run in store.runs.of_incident(1)] == ["done"]
    (branch,) = shop.bench.bare.fix_branches
    assert shop.bench.bare.git("rev-list", "--count", f"main..{branch}") == "1"
    assert [(seen.branch, seen.state) for seen in shop.bench.seen()] == [(branch, "open")]
    assert 1 <= len(shop.api.calls) <= 2
    leftovers = [*(shop.directory / "state/work").glob("run-*"), *(shop.directory / "state").rglob("push-*/")]
    assert leftovers == []


@pytest.mark.parametrize("bench_type", [GithubBench], ids=["github"])
def test_r10_fifty_events_and_a_kill_at_steps_of_every_kind_make_one_request(shop):
    kills = (
        "before_commit",
        "after_commit",
        "step_done:2",
        "before_effect",
        "after_effect",
        "after_effect:2",
    )

    killed = [shop.run(kill) for kill in kills]
    shop.end()

    assert all(killed)
    assert_one(shop)


@pytest.mark.full
@pytest.mark.parametrize("name", AT_EACH)
def test_r10_fifty_events_and_a_kill_at_every_step_make_one_request(shop, name):
    killed = 0
    for passing in count(1):
        if not shop.run(f"{name}:{passing}"):
            break
        killed += 1
    shop.end()

    assert killed
    assert_one(shop)
