"""One incident with its fix, and an action as the host would set it up; children use it too."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from aiops_action_github import GithubPullRequest, GithubPullRequestConfig
from pydantic import SecretStr

from aiops_core import (
    Analysis,
    Change,
    ChangedFile,
    Context,
    Incident,
    Plan,
    Repository,
    TestRun,
)
from aiops_core import Event as DetectedEvent

TOKEN = "github_pat_11CANARY0token0never0shown"
FIXED = b"def total(prices):\n    return sum(prices)\n"
DIFF = """\
diff --git a/shop/cart.py b/shop/cart.py
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -1,2 +1,2 @@
 def total(prices):
-    return sum(prices) + 1
+    return sum(prices)
"""
BRANCH = "fix/assertion-error-0123456789ab"


def make_incident() -> Incident:
    """Return an incident seen twice."""
    seen = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    event = DetectedEvent(
        "AssertionError", "total is off by one", block="AssertionError: total is off by one"
    )
    return Incident(
        id=7,
        pipeline="shop",
        fingerprint="v1:0123456789abcdef",
        title="AssertionError: total is off by one",
        type="AssertionError",
        message="total is off by one",
        language="python",
        severity="error",
        state="new",
        count=2,
        first_seen=seen,
        last_seen=seen,
        events=(event,),
    )


def make_analysis() -> Analysis:
    """Return what an analyzer said about it."""
    return Analysis("total adds one", "The sum is one too high.", "A stray + 1.", confidence=0.9)


def make_change(base_commit: str) -> Change:
    """Return the verified fix."""
    run = TestRun("pytest -q", 1, 0.5, tests=1, failed=("test_total",))
    return Change(
        base_commit=base_commit,
        base_branch="main",
        files=(ChangedFile("shop/cart.py", FIXED),),
        diff=DIFF,
        before=run,
        after=replace(run, exit_code=0, failed=()),
    )


@dataclass
class KeptEffect:
    """One effect as the file remembers it."""

    result: Any = None
    is_uncertain: bool = False


class FileEffects:
    """Record effects in a file, as the store does in a table; ``at`` hears of every point between."""

    def __init__(self, path: Path, at: Callable[[str], None] = lambda point: None) -> None:
        self.path = path
        self.at = at

    @contextmanager
    def __call__(self, name: str, key: str) -> Iterator[KeptEffect]:
        """Record one effect."""
        kept = self._read()
        entry = f"{name} {key}"
        effect = KeptEffect(kept.get(entry), entry in kept and kept[entry] is None)
        self._write({**kept, entry: effect.result})
        self.at(f"{name} begun")
        yield effect
        self.at(f"{name} done")
        if effect.result is not None:
            self._write({**self._read(), entry: effect.result})
        self.at(f"{name} recorded")

    def _read(self) -> dict[str, Any]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def _write(self, kept: dict[str, Any]) -> None:
        new = self.path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(kept))
        new.replace(self.path)


@dataclass(frozen=True)
class Setup:
    """Where everything is; travels to child processes."""

    url: str
    api_url: str
    token: str
    directory: Path

    def action(self, effects: FileEffects | None = None, **settings: Any) -> GithubPullRequest:
        """Return the action, started."""
        config = GithubPullRequestConfig(api_url=self.api_url, **settings)
        context = Context(
            pipeline="shop",
            name="github_pull_request",
            logger=logging.getLogger("aiops.shop"),
            scratch=self.directory / "scratch",
            repository=Repository(url=self.url, token=SecretStr(self.token)),
            effects=effects or FileEffects(self.directory / "effects.json"),
        )
        context.scratch.mkdir(exist_ok=True)
        action = GithubPullRequest(config, context)
        action.start()
        return action


def act_in_child(setup: Setup, plan: Plan, die_at: str, may_begin: Event) -> None:
    """Carry the plan out in this process, which dies at the named point, and write the outcome."""
    assert may_begin.wait(20)

    def at(point: str) -> None:
        if point == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    outcome = setup.action(FileEffects(setup.directory / "effects.json", at)).act(plan)
    (setup.directory / "outcome.json").write_text(json.dumps(asdict(outcome)))
