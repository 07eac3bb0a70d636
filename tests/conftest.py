"""What all tests of the core share."""

import gc
import os

import pytest

from aiops_core.testing.recorded_git import RecordedGit

LONG = (
    "test_failpoints",
    "test_plugins",
    "test_new",
    "test_isolation",
    "test_conversation",
    "test_timers",
    "test_examples",
    "test_jumps",
    "test_after_merge",
    "test_silences",
    "test_matrix",
    "test_conversation_further",
    "test_faulty_components",
    "test_asked",
    "test_streaks",
    "test_budgets",
    "test_triage",
    "test_packaging",
    "test_hindsight",
    "test_corner_floods",
    "test_ladder",
    "test_storm",
    "test_replay",
    "test_kill",
    "test_disk_trouble",
    "test_reload",
    "test_one_request",
    "test_response_crash",
)
"""Files that take long, the longest first: one that begins last would keep every other worker waiting."""


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # pytest-xdist begins with the most tests, not the longest


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))


def pytest_collection_finish():
    """Look for garbage among what tests make, not among ten thousand tests, again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def compiled_once():
    """Let the processes that tests start keep what they compile: they start in half the time."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture
def recorded_git(tmp_path, monkeypatch):
    """Put a git first on PATH that writes down its arguments and environment."""
    directory = tmp_path / "recorded-git"
    directory.mkdir()
    recorded = RecordedGit(directory)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return recorded
