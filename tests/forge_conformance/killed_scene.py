"""A pipeline over fifty logs that tell of one error, its forge and its model; it dies wherever it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiops_core.failpoints import FAILPOINTS
from aiops_core.store import Store
from aiops_core.testing.forge_bench import ForgeBench
from aiops_core.testing.messages_api import Message, MessagesApi, answer

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
ELSEWHERE = ("in_block", "in_rotation", "after_holding", "after_refusal")
"""Not passed here, where logs are read once and the only target takes what it is told."""
STEPS = [name for name in FAILPOINTS if name not in ELSEWHERE]
"""Where it can die."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is in the end."""

    incidents: list[int]
    """How many events each has."""
    runs: list[str]
    branches: list[str]
    requests: list[tuple[str, str]]
    calls: int
    """How often the model was asked."""
    left: list[Path]


class Shop:
    """A pipeline over fifty logs, its forge and its model."""

    def __init__(self, bench: ForgeBench, api: MessagesApi, directory: Path) -> None:
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

    def run(self, failpoint: str = "") -> bool:
        """Let it run, killed at the failpoint; return whether it was."""
        env = {**os.environ, "FORGE": self.bench.token, "KEY": "sk-ant-dummy-0", "AIOPS_FAILPOINT": failpoint}
        command = [AIOPS, "run", "--once", "pipeline.yaml"]
        done = subprocess.run(
            command, cwd=self.directory, env=env, capture_output=True, timeout=120, check=False
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
        self._hasten()
        return done.returncode != 0

    def _hasten(self) -> None:
        """Give back what was killed too often, as an operator would, and let nothing wait for its turn."""
        with Store.open(self.directory / "state") as store:
            for job in store.queue.jobs("dead"):
                store.queue.requeue(job.id)

    def end(self) -> None:
        """Let what was begun come to its end."""
        deadline = time.monotonic() + 60
        while self.states() != ["done"] and time.monotonic() < deadline:
            assert not self.run()

    def states(self) -> list[str]:
        with Store.open(self.directory / "state") as store:
            return [run.state for run in store.runs.of_incident(1)]

    def found(self) -> Found:
        """Look at what there is."""
        state = self.directory / "state"
        with Store.open(state) as store:
            incidents = [incident.count for incident in store.incidents.list()]
        return Found(
            incidents,
            self.states(),
            list(self.bench.bare.fix_branches),
            [(seen.branch, seen.state) for seen in self.bench.seen()],
            len(self.api.calls),
            [*(state / "work").glob("run-*"), *state.rglob("push-*/")],
        )


def fix() -> Message:
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


@contextmanager
def opened(bench: ForgeBench, directory: Path) -> Iterator[Shop]:
    """Open a shop on a forge, with a model that knows the fix."""
    directory.mkdir()
    with MessagesApi(usual=fix()) as api:
        yield Shop(bench, api, directory)
