"""Killed at any point and started again, an action leaves one branch and one request."""

import json
import multiprocessing
import os
import re
import signal
import time

import pytest

from aiops_core.testing.forge_bench import act_in_child
from aiops_core.testing.forge_scene import BRANCH


@pytest.fixture(scope="module")
def processes():
    """A warm parent of its own for the children: no threads, everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["aiops_core.testing.forge_bench", "aiops_action_github.forge", "aiops_action_gitlab.forge"]
    )
    return context


@pytest.fixture
def run(processes, bench):
    plan = bench.plan(labels=["aiops"], find_reviewers=False)

    def run(die_at="", watch=lambda child: lambda: None):
        may_begin = processes.Event()
        child = processes.Process(target=act_in_child, args=(bench.setup, plan, die_at, may_begin))
        child.start()
        wait = watch(child)
        may_begin.set()
        wait()
        child.join(20)
        return child.exitcode

    return run


@pytest.fixture
def kill_on_request(bench):
    """Kill the child when a request comes in, before or after it is carried out."""

    def prepare(call, when):
        def watch(child):
            def kill(asked, moment):
                if (asked.method, moment) != (call[0], when) or not re.search(call[1], asked.path):
                    return False
                os.kill(child.pid, signal.SIGKILL)
                bench.api.watch = lambda asked, moment: False
                return True

            bench.api.watch = kill
            return lambda: None

        return watch

    return prepare


def assert_one_request(bench):
    outcome = json.loads((bench.setup.directory / "outcome.json").read_text())
    assert bench.bare.fix_branches == [BRANCH]
    assert bench.bare.git("rev-list", "--count", f"main..{BRANCH}") == "1"
    assert [(one.branch, one.state, one.labels) for one in bench.seen()] == [(BRANCH, "open", ["aiops"])]
    assert (outcome["status"], outcome["data"]["number"]) == ("done", 1)


def test_r10_killed_at_every_step_in_turn_it_still_opens_one_request(bench, run, kill_on_request):
    for point in ("push begun", "push done", "push recorded"):
        assert run(point) == -signal.SIGKILL
    pushed = len(bench.git.requests)
    assert run("request begun") == -signal.SIGKILL
    for when in ("before", "after"):
        assert run(watch=kill_on_request(bench.creating, when)) == -signal.SIGKILL
    for point in ("request begun", "request done", "request recorded", "labels begun"):
        assert run(point) == -signal.SIGKILL
    assert run(watch=kill_on_request(bench.labelling, "after")) == -signal.SIGKILL
    for point in ("labels done", "labels recorded"):
        assert run(point) == -signal.SIGKILL

    assert run() == 0

    assert_one_request(bench)
    assert (bench.created, len(bench.git.requests)) == (2, pushed)


def test_r10_killed_in_the_middle_of_a_push_it_pushes_the_same_commit(bench, run):
    def kill_while_pushing(child):
        def wait():
            deadline = time.monotonic() + 60
            while not any(re.match("POST .*receive-pack", line) for line in list(bench.git.requests)):
                assert time.monotonic() < deadline
                time.sleep(0.001)
            os.kill(child.pid, signal.SIGKILL)

        return wait

    assert run(watch=kill_while_pushing) == -signal.SIGKILL

    assert run() == 0

    assert_one_request(bench)
