"""From a log to a tested branch, with an agent in between."""

import pytest

from aiops_core.repair import sandbox_problem
from aiops_core.testing.git_repository import GitRepository
from aiops_core.testing.messages_api import MessagesApi
from aiops_core.testing.pipeline import run_pipeline

KEY = "sk-ant-api03-canary-key-canary-key"
BUGGY = (
    'TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"\n\n\ndef total(order):\n    return order["count"]\n'
)
TEST = """\
import unittest
from shop import total


class Totals(unittest.TestCase):
    def test_count(self):
        self.assertEqual(total({"count": 3}), 3)
"""
LOG = """\
2026-11-21 03:00:00,000 ERROR shop: order failed
Traceback (most recent call last):
  File "/srv/shop.py", line 5, in total
    return order["count"]
KeyError: 'count'
2026-11-21 03:00:01,000 INFO shop: goes on
"""
PIPELINE = """\
state: ./state
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log], start: beginning}}]
    detectors: [python]
    repository: {url: REMOTE, paths: {/srv/: ""}, test: python3 -m unittest}
    analyzers:
      - {uses: claude_cli, with: {api_key: "${env:SHOP_KEY}", base_url: "BASE", command: COMMAND}}
    actions: [{uses: local_branch, mode: auto}]
    policy: {max_age: 3650d}
"""
FIX = {
    "file_path": "/aiops/work/shop.py",
    "old_string": 'order["count"]',
    "new_string": 'order.get("count", 1)',
}


@pytest.fixture
def repaired(tmp_path, stand_in, says):
    """Return a function that runs the pipeline and gives its result, the repository and the API."""
    if (reason := sandbox_problem()) is not None:
        pytest.skip(f"bubblewrap does not work here: {reason}")

    def run(*script):
        repository = GitRepository(tmp_path / "repository")
        repository.commit({"shop.py": BUGGY, "test_shop.py": TEST})
        with MessagesApi(script, usual=says(cited=[]), key=KEY) as api:
            text = PIPELINE.replace("REMOTE", str(repository.remote)).replace("BASE", api.url)
            text = text.replace("COMMAND", str(stand_in))
            result = run_pipeline(text, {"shop.log": LOG}, tmp_path, environment={"SHOP_KEY": KEY})
        return result, repository, api

    return run


def test_what_policy_refuses_of_an_agent_is_named_and_what_it_mends_is_tested_and_pushed(
    repaired, tools, says, tmp_path
):
    weaken = {"file_path": "/aiops/work/test_shop.py", "content": "\n"}
    mend = tools(("Read", {"file_path": "/aiops/work/shop.py"}), ("Edit", FIX))

    result, repository, api = repaired(tools(("Write", weaken)), says(cited=[]), mend)

    (branch,) = set(repository.branches()) - {"main"}
    assert repository.on_remote("diff", "--name-only", "main", branch) == "shop.py"
    pushed = repository.on_remote("show", f"{branch}:shop.py")
    assert pushed + "\n" == BUGGY.replace('order["count"]', 'order.get("count", 1)')
    asked_again = str(api.calls[2]["messages"][0]["content"])
    assert "test_shop.py: it is an existing test, and tests decide whether a fix is right" in asked_again
    (report,) = result.reports
    assert report.change.after.passed and report.change.before.passed
    assert result.faults == ()
    sent = str(api.calls)
    assert "ghp_" not in sent and "[redacted:github-token:" in sent
    assert KEY not in result.log
    assert list((tmp_path / "state" / "scratch").rglob("session-*")) == []
