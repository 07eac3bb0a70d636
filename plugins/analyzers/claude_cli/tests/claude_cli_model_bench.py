"""The bench of `claude_cli` in the suite of models: the stand-in for the program, in a checkout."""

import sys
import tempfile
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import pytest
from aiops_analyzer_claude_cli import ClaudeCliAnalyzer

from aiops_core import Redactor
from aiops_core.repair import Checkout, open_mirror, sandbox_problem
from aiops_core.settings import Repository
from aiops_core.testing.git_repository import GitRepository
from aiops_core.testing.messages_api import MessagesApi
from aiops_core.testing.model_bench import ModelBench

_FOLDER = tempfile.TemporaryDirectory(prefix="aiops-bench-")
ROOT = Path(_FOLDER.name)


@cache
def _program():
    program = ROOT / "claude"
    source = Path(__file__).with_name("stand_in.py").read_text("utf-8")
    program.write_text(f"#!{sys.executable} -IS\n{source}", "utf-8")
    program.chmod(0o755)
    return program


@cache
def _mirror():
    origin = GitRepository(ROOT / "shop")
    origin.commit({"shop.py": "x = 1\n"})
    return open_mirror(Repository(url=str(origin.remote)), ROOT / "mirrors")


@contextmanager
def room(analyzer, purse):
    """Give the agent a checkout, and count what it spends."""
    if (reason := sandbox_problem()) is not None:
        pytest.skip(f"bubblewrap does not work here: {reason}")
    mirror = _mirror()
    _program()
    analyzer.problem = lambda: None
    analyzer.context.scratch = ROOT / "scratch"
    checkout = partial(Checkout, mirror, mirror.head(), partial(Redactor().redact, code=True))
    with analyzer.context.exploring(None, checkout, purse):
        yield


BENCHES = [
    ModelBench(
        "claude_cli",
        ClaudeCliAnalyzer,
        MessagesApi,
        settings={"command": str(ROOT / "claude")},
        is_agent=True,
        room=room,
    )
]
