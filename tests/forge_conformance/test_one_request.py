"""One error, reported fifty times at once to a program that is killed at every step: one request (R10)."""

from itertools import count

import pytest
from github_bench import GithubBench
from killed_scene import EVENTS, STEPS, opened


@pytest.fixture
def shop(bench, tmp_path):
    with opened(bench, tmp_path / "run") as shop:
        yield shop


def assert_one(shop):
    """Look at what there is: one incident of fifty events, one run, one branch, one commit, one request."""
    found = shop.found()
    assert (found.incidents, found.runs) == ([EVENTS], ["done"])
    (branch,) = found.branches
    assert shop.bench.bare.git("rev-list", "--count", f"main..{branch}") == "1"
    assert found.requests == [(branch, "open")]
    assert 1 <= found.calls <= 2
    assert found.left == []


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
@pytest.mark.parametrize("name", STEPS)
def test_r10_fifty_events_and_a_kill_at_every_step_make_one_request(shop, name):
    killed = 0
    for passing in count(1):
        if not shop.run(f"{name}:{passing}"):
            break
        killed += 1
    shop.end()

    assert killed
    assert_one(shop)
