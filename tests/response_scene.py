"""A shop with a bug, its repository, the log it wrote and the answer that mends it."""

from pathlib import Path

from aiops_core.records import Json
from aiops_core.testing.git_repository import GitRepository
from aiops_core.testing.messages_api import Message, MessagesApi
from aiops_core.testing.messages_api import answer as answered

BUGGY = 'def total(order):\n    return order["price"] * order["count"]\n'
FIXED = 'return order["price"] * order.get("count", 1)'
TEST = """\
import unittest
from shop import total


class Totals(unittest.TestCase):
    def test_price_times_count(self):
        self.assertEqual(total({"price": 2, "count": 3}), 6)
"""
TRACE = """\
2026-11-21 03:00:00,000 ERROR shop: order {n} failed
Traceback (most recent call last):
  File "/srv/shop.py", line 2, in total
    return order["price"] * order["count"]
KeyError: 'count'
"""
ANSWER = """\
- match: {{type: KeyError}}
  answer:
    title: Orders without a count fail
    summary: The price of an order without a count cannot be computed.
    root_cause: total() reads order["count"], which not every order has.
    repair_steps: [Read a missing count as 1.]
    confidence: {confidence}
    edits:
      - {{kind: replace, path: shop.py, search: '{search}', replace: '{replace}'}}
"""
PIPELINE = """\
state: ./state
pipelines:
  shop:
    sources:
      - {{uses: file, with: {{paths: [./shop.log], start: beginning}}}}
    detectors: [python]
    analyzers:
{analyzers}
    notifiers:
{notifiers}
    policy: {{max_age: 3650d}}
{repair}"""
REPAIR = """\
    repository: {{url: {remote}, paths: {{/srv/: ""}}, test: python3 -m unittest, sandbox: none}}
    actions:
      - {{uses: local_branch, mode: {mode}}}
"""
RECORDED = "      - {uses: recorded, with: {path: ./answer.yaml}}"


def answer(
    *, confidence: float = 0.9, search: str = 'return order["price"] * order["count"]', replace: str = FIXED
) -> str:
    """Return a recorded answer."""
    return ANSWER.format(confidence=confidence, search=search, replace=replace)


def trace(count: int = 1) -> str:
    """Return a log with so many occurrences of the bug."""
    return "".join(TRACE.format(n=n) for n in range(count)) + "2026-11-21 03:00:01,000 INFO shop: goes on\n"


def shop(root: Path) -> GitRepository:
    """Return the repository of the shop, with its tests."""
    repository = GitRepository(root)
    repository.commit({"shop.py": BUGGY, "test_shop.py": TEST})
    return repository


def pipeline(
    repository: GitRepository | None = None,
    *,
    mode: str = "auto",
    analyzers: str = RECORDED,
    notifiers: str = "      - console",
) -> str:
    """Return a pipeline file over the log of the shop; without a repository it repairs nothing."""
    repair = REPAIR.format(remote=repository.remote, mode=mode) if repository is not None else ""
    return PIPELINE.format(analyzers=analyzers, notifiers=notifiers, repair=repair)


def fix_branches(repository: GitRepository) -> list[str]:
    """Return the fix branches on the remote."""
    return repository.on_remote("branch", "--list", "--format=%(refname:short)", "fix/*").split()


def claude(api: MessagesApi) -> str:
    """Return the step that asks a scripted model, its key in the environment as KEY."""
    settings = f"api_key: '${{env:KEY}}', base_url: '{api.url}', stream: false"
    return f"      - {{uses: claude, with: {{{settings}}}}}"


def claude_edit(*, search: str = 'return order["price"] * order["count"]', replace: str = FIXED) -> Json:
    """Return an edit as the model writes it."""
    return {"kind": "replace", "path": "shop.py", "search": search, "replace": replace, "to": ""}


def says(*edits: Json) -> Message:
    """Return a model's answer that proposes these edits."""
    values: dict[str, Json] = {"title": "Orders without a count fail", "summary": "s", "root_cause": "r"}
    values |= {"repair_steps": [], "code_samples": [], "prevention": [], "cited": []}
    return answered({**values, "confidence": 0.9, "provable": True, "edits": list(edits)})
