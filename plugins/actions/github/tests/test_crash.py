"""Killed at any point and started again, an action leaves one branch and one request."""

import json
import multiprocessing
import os
import signal
import subprocess
import time

import pytest
from github_scene import BRANCH, act_in_child, make_analysis, make_change, make_incident


@pytest.fixture(scope="module")
def processes():
    """A warm parent of its own for the children: no threads, everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["github_scene", "aiops_action_github.forge", "aiops_core.repair"])
    return context


@pytest.fixture
def run(processes, setup, api):
    plan = setup.action(labels=["aiops"]).plan(
        make_incident(), make_analysis(), make_change(api.repository.commit("main"))
    )

    def run(die_at="", watch=lambda child: lambda: None):
        may_begin = processes.Event()
        child = processes.Process(target=act_in_child, args=(setup, plan, die_at, may_begin))
        child.start()
        wait = watch(child)
        may_begin.set()
        wait()
        child.join(20)
        return child.exitcode

    return run


@pytest.fixture
def kill_on_request(api):
    """Kill the child when a request comes in, before or after it is carried out."""

    def prepare(method, path, when):
        def watch(child):
            def kill(asked, moment):
                if (asked.method, moment) != (method, when) or not asked.path.endswith(path):
                    return False
                os.kill(child.pid, signal.SIGKILL)
                api.watch = lambda asked, moment: False
                return True

            api.watch = kill
            return lambda: None

        return watch

    return prepare


def assert_one_request(api, bare, setup):
    branches = subprocess.run(
        ["git", "-C", str(bare), "rev-list", "--count", f"main..{BRANCH}"], capture_output=True, check=True
    )
    outcome = json.loads((setup.directory / "outcome.json").read_text())
    heads = [name for name in api.repository.branches() if name.startswith("fix/") and name != "fix/ready"]
    assert heads == [BRANCH]
    assert branches.stdout.strip() == b"1"
    assert [(pull.head, pull.state, pull.labels) for pull in api.pulls] == [(BRANCH, "open", ["aiops"])]
    assert (outcome["status"], outcome["data"]["number"]) == ("done", 1)


def test_killed_at_every_step_in_turn_it_still_opens_one_request(
    api, bare, setup, run, server, kill_on_request
):
    for point in ("push begun", "push done", "push recorded"):
        assert run(point) == -signal.SIGKILL
    pushed = len(server.requests)
    assert run("pull-request begun") == -signal.SIGKILL
    for when in ("before", "after"):
        assert run(watch=kill_on_request("POST", "/pulls", when)) == -signal.SIGKILL
    for point in ("pull-request begun", "pull-request done", "pull-request recorded", "labels begun"):
        assert run(point) == -signal.SIGKILL
    assert run(watch=kill_on_request("POST", "/labels", "after")) == -signal.SIGKILL
    for point in ("labels done", "labels recorded"):
        assert run(point) == -signal.SIGKILL

    assert run() == 0

    assert_one_request(api, bare, setup)
    assert (api.count("POST", "/pulls$"), len(server.requests)) == (2, pushed)


def test_killed_in_the_middle_of_a_push_it_pushes_the_same_commit(api, bare, setup, run, server):
    def kill_while_pushing(child):
        def wait():
            deadline = time.monotonic() + 10
            while not any(line.startswith("POST") and "receive-pack" in line for line in server.requests):
                assert time.monotonic() < deadline
                time.sleep(0.001)
            os.kill(child.pid, signal.SIGKILL)

        return wait

    assert run(watch=kill_while_pushing) == -signal.SIGKILL

    assert run() == 0

    assert_one_request(api, bare, setup)
