"""Measure what a whole run costs beside the model and the tests: from the first step to the last.

    python benchmarks/repair.py [--runs 30] [--files 2000] [--sandbox bubblewrap]

A repository of ``--files`` modules has as many bugs as there are runs; each is reported once, explained by
a scripted model that answers at once, repaired, tested before and after, pushed to a branch and told.
The runs follow each other. Own overhead is a run's time from start to end less what the test command
took by its own clock; the start of the sandbox, git and the database are all in it. The first run, which
makes the mirror and imports the model's client, is printed by itself. ``TMPDIR=/dev/shm`` leaves the disk
out of it. What was measured is in repair.md.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from aiops_core.store import Store
from aiops_core.testing.git_repository import GitRepository
from aiops_core.testing.messages_api import Message, MessagesApi, answer

AIOPS = Path(sys.executable).parent / "aiops"
KEY = "sk-ant-dummy-00000000000000000000"
STEPS = ("evidence", "analyze", "repair", "plan local_branch", "act local_branch", "notify")
PIPELINE = """\
state: ./state
workers: 1
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log], start: beginning}}}}]
    detectors: [python]
    repository: {{url: {url}, paths: {{/srv/: ""}}, test: sh timed.sh, sandbox: {sandbox}}}
    analyzers: [{{uses: claude, with: {{api_key: "${{env:KEY}}", base_url: "{api}"}}}}]
    actions: [{{uses: local_branch, mode: auto}}]
    notifiers: [console]
    policy: {{max_age: 3650d}}
"""
TIMED = """\
began=$(date +%s%N)
python3 -m unittest
code=$?
echo "took $(($(date +%s%N) - began)) ns"
exit $code
"""
MODULE = 'def total_{name}(order):\n    return order["price"] * order["count"]\n'
TEST = """\
import unittest
from shop.m_{name} import total_{name}


class Total(unittest.TestCase):
    def test_without_a_count(self):
        self.assertEqual(total_{name}({{"price": 2}}), 2)
"""
TRACE = """\
2026-11-21 03:00:00,000 ERROR shop: order failed
Traceback (most recent call last):
  File "/srv/test_{name}.py", line 7, in test_without_a_count
    self.assertEqual(total_{name}({{"price": 2}}), 2)
  File "/srv/shop/m_{name}.py", line 2, in total_{name}
    return order["price"] * order["count"]
KeyError: 'count'
"""


def letters(number: int) -> str:
    """Return a name without a digit, which grouping would mask."""
    return "".join(chr(97 + number // 26**place % 26) for place in range(3))


def make_repository(root: Path, files: int, bugs: int) -> GitRepository:
    """Return a repository with that many modules, the first ones under test."""
    repository = GitRepository(root)
    modules = {f"shop/m_{letters(n)}.py": MODULE.format(name=letters(n)) for n in range(files)}
    tests = {f"test_{letters(n)}.py": TEST.format(name=letters(n)) for n in range(bugs)}
    repository.commit({"shop/__init__.py": "", "timed.sh": TIMED, **modules, **tests})
    return repository


def fix(number: int) -> Message:
    """Return the model's answer to one report."""
    name = letters(number)
    search, replace = (
        'return order["price"] * order["count"]',
        'return order["price"] * order.get("count", 1)',
    )
    edit = {"kind": "replace", "path": f"shop/m_{name}.py", "search": search, "replace": replace, "to": ""}
    words = dict.fromkeys(("title", "summary", "root_cause"), f"total_{name}() needs a count")
    lists: dict[str, list[str]] = {"repair_steps": [], "code_samples": [], "prevention": [], "cited": []}
    return answer({**words, **lists, "confidence": 0.9, "provable": True, "edits": [edit]})


def run(directory: Path, repository: GitRepository, api: MessagesApi, sandbox: str) -> None:
    """Let aiops answer everything in the log."""
    text = PIPELINE.format(url=repository.remote, api=api.url, sandbox=sandbox)
    (directory / "pipeline.yaml").write_text(text)
    command = [AIOPS, "run", "--once", "pipeline.yaml"]
    done = subprocess.run(
        command, cwd=directory, env={**os.environ, "KEY": KEY}, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr.decode())


def measured(store: Store, incident: int) -> dict[str, float]:
    """Return the milliseconds of one run: whole, in tests, its own, and by step."""
    (row,) = store.runs.of_incident(incident)
    change = store.runs.change(row.id)
    if change is None or change.before is None or change.after is None or not change.reproduced_by:
        raise SystemExit(f"benchmarks: incident {incident} was not repaired, the figures would mean nothing")
    tests = sum(
        int(re.findall(r"took (\d+) ns", run.output)[-1]) / 1e6 for run in (change.before, change.after)
    )
    assert row.started_at is not None and row.finished_at is not None
    whole = (row.finished_at - row.started_at).total_seconds() * 1000
    steps = {
        step.name: (step.finished_at - step.started_at).total_seconds() * 1000
        for step in store.runs.steps(row.id)
        if step.finished_at is not None
    }
    steps["repair"] -= tests
    return {
        "whole": whole,
        "tests": tests,
        "own overhead": whole - tests,
        **{name: steps[name] for name in STEPS},
    }


def main() -> None:
    """Run, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--sandbox", default="bubblewrap")
    options = parser.parse_args()
    count = options.runs + 1
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        repository = make_repository(directory / "git", options.files, count)
        (directory / "shop.log").write_text(
            "".join(TRACE.format(name=letters(n)) for n in range(count)) + "end\n"
        )
        with MessagesApi([fix(n) for n in range(count)]) as api:
            run(directory, repository, api, options.sandbox)
        with Store.open(directory / "state") as store:
            first, *rest = [measured(store, number) for number in range(1, count + 1)]
    load = os.getloadavg()[0]
    print(f"{options.files} files, {options.sandbox}, n = {len(rest)} after the first; load {load:.1f}, ms")
    print(f"{'':20}{'p50':>8}{'p95':>8}{'first':>8}")
    for what in first:
        values = sorted(row[what] for row in rest)
        p95 = values[min(len(values) - 1, round(0.95 * len(values)))]
        print(f"{what:20}{statistics.median(values):8.0f}{p95:8.0f}{first[what]:8.0f}")


if __name__ == "__main__":
    main()
