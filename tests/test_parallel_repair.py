"""Ten runs at once on whatever cores there are: each repairs its own error, and nothing of another's."""

import pytest
from response_scene import fix_branches

from aiops_core.store import Store
from aiops_core.testing.git_repository import GitRepository
from aiops_core.testing.pipeline import run_pipeline

ERRORS = "abcde"
MODULE = 'def total_{name}(order):\n    return order["price"] * order["count"]\n'
TEST = """\
import time
import unittest
from pathlib import Path
from total_{name} import total_{name}


class Total(unittest.TestCase):
    def test_without_a_count(self):
        Path("mark").write_text("{name}")
        time.sleep(0.2)
        self.assertEqual(Path("mark").read_text(), "{name}")
        self.assertEqual(total_{name}({{"price": 2}}), 2)
"""
TRACE = """\
2026-11-21 03:00:00,000 ERROR shop: order failed
Traceback (most recent call last):
  File "/srv/test_{name}.py", line 12, in test_without_a_count
    self.assertEqual(total_{name}({{"price": 2}}), 2)
  File "/srv/total_{name}.py", line 2, in total_{name}
    return order["price"] * order["count"]
KeyError: 'count'
"""
ANSWER = """\
- match: {{function: total_{name}}}
  answer:
    title: total_{name} needs a count
    summary: s
    root_cause: r
    confidence: 0.9
    edits:
      - {{kind: replace, path: total_{name}.py, search: 'order["count"]', replace: 'order.get("count", 1)'}}
"""
PIPELINE = """\
  {shop}:
    sources: [{{uses: file, with: {{paths: [./{shop}.log], start: beginning}}}}]
    detectors: [python]
    repository: {{url: {url}, paths: {{/srv/: ""}}, test: python3 -m unittest, sandbox: none}}
    analyzers: [{{uses: recorded, with: {{path: ./answers.yaml}}}}]
    actions: [{{uses: local_branch, mode: auto}}]
    policy: {{max_age: 3650d}}
"""


@pytest.fixture
def shops(tmp_path):
    """Return two repositories with five errors each."""
    first = GitRepository(tmp_path / "git-one")
    files = {f"total_{name}.py": MODULE.format(name=name) for name in ERRORS}
    tests = {f"test_{name}.py": TEST.format(name=name) for name in ERRORS}
    first.commit({**files, **tests})
    return {"one": first, "two": first.copy(tmp_path / "git-two")}


def test_ten_runs_at_once_do_not_get_in_each_others_way(shops, tmp_path):
    log = "".join(TRACE.format(name=name) for name in ERRORS) + "the end\n"
    pipelines = "".join(PIPELINE.format(shop=name, url=shop.remote) for name, shop in shops.items())
    files = {f"{name}.log": log for name in shops}
    files["answers.yaml"] = "".join(ANSWER.format(name=name) for name in ERRORS)

    result = run_pipeline(
        f"state: ./state\nworkers: 10\npipelines:\n{pipelines}", files, tmp_path / "run", timeout=120
    )

    assert result.faults == () and len(result.reports) == 10
    for report in result.reports:
        (file,) = report.change.files
        assert report.change.reproduced_by and len(report.change.before.failed) == 5
        assert set(report.change.before.failed) - set(report.change.after.failed) == {
            *report.change.reproduced_by
        }
        assert file.path.removesuffix(".py") in report.change.reproduced_by[0].replace("test_", "total_", 1)
    with Store.open(tmp_path / "run/state") as store:
        runs = [run for report in result.reports for run in store.runs.of_incident(report.incident.id)]
    assert max(sum(run.started_at <= one.started_at < run.finished_at for run in runs) for one in runs) >= 5
    for shop in shops.values():
        branches = fix_branches(shop)
        changed = [shop.on_remote("diff", "--name-only", f"main...{branch}") for branch in branches]
        assert sorted(changed) == [f"total_{name}.py" for name in ERRORS]
    assert list((tmp_path / "run/state/work").glob("run-*")) == []
    assert list((tmp_path / "run/state/scratch").rglob("push-*/")) == []
