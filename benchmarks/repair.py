"""Measure what a whole run costs beside model and tests, how ten of them get on, and what fifty kills leave.

    python benchmarks/repair.py [--runs 30] [--files 2000] [--at-once 10] [--kills 50] [--sandbox bubblewrap]

A repository of ``--files`` modules has as many bugs as there are runs; each is reported once, explained by
a scripted model that answers at once, repaired, tested before and after, pushed to a branch and told.
First the runs follow each other. Own overhead is a run's time from start to end less what the test command
took by its own clock; the start of the sandbox, git and the database are all in it. The first run, which
makes the mirror and imports the model's client, is printed by itself. Then ``--at-once`` runs go together;
each must have repaired its own error and nothing else. Last a pipeline to which fifty logs report one error
at once dies by SIGKILL at every step in turn, on stubs of GitHub and GitLab, ``--kills`` times in all. It
ends with 1 where anything is not as it must be. ``TMPDIR=/dev/shm`` leaves the disk out of it. What was
measured is in repair.md.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import count, cycle
from pathlib import Path

from aiops_core.records import Change
from aiops_core.store import Store
from aiops_core.testing.forge_scene import BareRepository
from aiops_core.testing.git_repository import GitRepository
from aiops_core.testing.messages_api import Message, MessagesApi, answer

ROOT = Path(__file__).resolve().parents[1]
sys.path += [
    str(ROOT / place)
    for place in ("tests/forge_conformance", "plugins/actions/github/tests", "plugins/actions/gitlab/tests")
]

from github_bench import GithubBench  # noqa: E402
from gitlab_bench import GitlabBench  # noqa: E402
from killed_scene import EVENTS, STEPS, Found, opened  # noqa: E402

AIOPS = Path(sys.executable).parent / "aiops"
KEY = "sk-ant-dummy-00000000000000000000"
PARTS = ("evidence", "analyze", "repair", "plan local_branch", "act local_branch", "notify")
PIPELINE = """\
state: ./state
workers: {workers}
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log], start: beginning}}}}]
    detectors: [python]
    repository: {{url: {url}, paths: {{/srv/: ""}}, test: sh timed.sh, sandbox: {sandbox}}}
    analyzers: [{analyzer}]
    actions: [{{uses: local_branch, mode: auto}}]
    notifiers: [console]
    policy: {{max_age: 3650d}}
"""
RECORDED = "{uses: recorded, with: {path: ./answers.yaml}}"
ANSWER = """\
- match: {{function: total_{name}}}
  answer: {{title: t, summary: s, root_cause: r, confidence: 0.9, edits: [{{kind: replace, path: shop/m_{name}.py,
    search: 'order["count"]', replace: 'order.get("count", 1)'}}]}}
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


def run(
    directory: Path, repository: GitRepository, bugs: int, *, analyzer: str, sandbox: str, workers: int
) -> None:
    """Report the first bugs, and let aiops answer everything in the log."""
    names = [letters(number) for number in range(bugs)]
    text = PIPELINE.format(url=repository.remote, analyzer=analyzer, sandbox=sandbox, workers=workers)
    (directory / "pipeline.yaml").write_text(text)
    (directory / "answers.yaml").write_text("".join(ANSWER.format(name=name) for name in names))
    (directory / "shop.log").write_text("".join(TRACE.format(name=name) for name in names) + "end\n")
    command = [AIOPS, "run", "--once", "pipeline.yaml"]
    done = subprocess.run(
        command, cwd=directory, env={**os.environ, "KEY": KEY}, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr.decode())


def repaired(store: Store, incident: int) -> Change:
    """Return the change of one incident's run; without a proven one the figures would mean nothing."""
    (row,) = store.runs.of_incident(incident)
    change = store.runs.change(row.id)
    if change is None or not change.reproduced_by:
        raise SystemExit(f"benchmarks: incident {incident} was not repaired")
    return change


def measured(store: Store, incident: int) -> dict[str, float]:
    """Return the milliseconds of one run: whole, in tests, its own, and by step."""
    (row,) = store.runs.of_incident(incident)
    change = repaired(store, incident)
    assert change.before is not None and change.after is not None
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
        **{name: steps[name] for name in PARTS},
    }


def one_after_another(directory: Path, runs: int, files: int, sandbox: str) -> None:
    """Measure the overhead of runs that follow each other."""
    repository = make_repository(directory / "git", files, runs + 1)
    with MessagesApi([fix(n) for n in range(runs + 1)]) as api:
        claude = f'{{uses: claude, with: {{api_key: "${{env:KEY}}", base_url: "{api.url}"}}}}'
        run(directory, repository, runs + 1, analyzer=claude, sandbox=sandbox, workers=1)
    with Store.open(directory / "state") as store:
        first, *rest = [measured(store, number) for number in range(1, runs + 2)]
    load = os.getloadavg()[0]
    print(
        f"Own overhead: n = {len(rest)} runs after the first, {files} files, {sandbox}; load {load:.1f}, ms"
    )
    print(f"{'':20}{'p50':>8}{'p95':>8}{'first':>8}")
    for what in first:
        values = sorted(row[what] for row in rest)
        p95 = values[min(len(values) - 1, round(0.95 * len(values)))]
        print(f"{what:20}{statistics.median(values):8.0f}{p95:8.0f}{first[what]:8.0f}")


def together(directory: Path, runs: int, files: int, sandbox: str) -> bool:
    """Measure runs at once; return whether each repaired its own error and nothing of another's."""
    repository = make_repository(directory / "git", files, runs)
    began = time.monotonic()
    run(directory, repository, runs, analyzer=RECORDED, sandbox=sandbox, workers=runs)
    seconds = time.monotonic() - began
    with Store.open(directory / "state") as store:
        changes = [repaired(store, number) for number in range(1, runs + 1)]
        rows = [row for number in range(1, runs + 1) for row in store.runs.of_incident(number)]
    spans = [(row.started_at, row.finished_at) for row in rows if row.started_at and row.finished_at]
    most = max(sum(start <= one < end for start, end in spans) for one, _ in spans)
    own = sum(_is_alone(change, runs) for change in changes)
    files_of = {change.files[0].path for change in changes}
    print(
        f"\nAt once: n = {runs} runs on {os.cpu_count()} cores, up to {most} at the same time, {seconds:.1f} s; "
        f"{own} repaired their own error and nothing else"
    )
    return own == runs == len(files_of)


def _is_alone(change: Change, bugs: int) -> bool:
    """Whether a run saw all the bugs before its change, and exactly its own gone after it."""
    before, after = change.before, change.after
    (name,) = [file.path.removeprefix("shop/m_").removesuffix(".py") for file in change.files]
    return (
        before is not None
        and after is not None
        and len(before.failed) == bugs
        and [test for test in before.failed if test not in after.failed]
        == [f"test_{name}.Total.test_without_a_count"]
    )


def killed(directory: Path, kills: int) -> bool:
    """Kill a pipeline at every step, until there were so many kills; return whether one request was all."""
    template = BareRepository.make(directory / "template.git")
    done, found = 0, []
    for number, forge in zip(count(1), cycle((GithubBench, GitlabBench)), strict=False):
        place = directory / str(number)
        place.mkdir()
        with forge(template, place) as bench, opened(bench, place / "run") as shop:
            for step in sorted(STEPS, key="job_left".__eq__):  # it comes last, and the others before it
                done += shop.run(f"{step}:{(number + 1) // 2}")
            shop.end()
            found.append(shop.found())
        if done >= kills:
            return _told(done, found)
    return False


def _told(kills: int, found: Sequence[Found]) -> bool:
    """Print what the kills left; return whether it is as it must be."""
    branches, requests = [len(one.branches) for one in found], [len(one.requests) for one in found]
    extra, left = max(one.calls for one in found) - 1, sum(len(one.left) for one in found)
    is_counted = all(one.incidents == [EVENTS] and one.runs == ["done"] for one in found)
    print(
        f"\nKilled: n = {kills} SIGKILLs at {len(STEPS)} steps of {len(found)} pipelines, each told of one error "
        f"by {EVENTS} logs at once; branches each: {min(branches)} to {max(branches)}, requests each: "
        f"{min(requests)} to {max(requests)}, most extra calls of the model: {extra}, directories left: {left}, "
        f"every event counted once: {'yes' if is_counted else 'no'}"
    )
    return set(branches) == set(requests) == {1} and extra <= 1 and not left and is_counted


def main() -> None:
    """Run, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--runs", type=int, default=30, help="repairs one after another (default %(default)s)"
    )
    parser.add_argument(
        "--files", type=int, default=2000, help="files in the repository (default %(default)s)"
    )
    parser.add_argument(
        "--at-once", type=int, default=10, help="incidents repaired together (default %(default)s)"
    )
    parser.add_argument(
        "--kills", type=int, default=50, help="kills in the middle of a repair (default %(default)s)"
    )
    parser.add_argument("--sandbox", default="bubblewrap", help="sandbox of the tests (default %(default)s)")
    options = parser.parse_args()
    is_right = True
    with tempfile.TemporaryDirectory() as name:
        places = [Path(name) / part for part in ("one", "together", "killed")]
        for place in places:
            place.mkdir()
        if options.runs:
            one_after_another(places[0], options.runs, options.files, options.sandbox)
        if options.at_once:
            is_right &= together(places[1], options.at_once, options.files, options.sandbox)
        if options.kills:
            is_right &= killed(places[2], options.kills)
    raise SystemExit(0 if is_right else 1)


if __name__ == "__main__":
    main()
