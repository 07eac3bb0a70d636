"""What all tests of the core share."""

import os

import pytest

from aiops_core.testing.recorded_git import RecordedGit

LONG = (
    "test_kill",
    "test_one_request",
    "test_response_crash",
    "test_disk_trouble",
    "test_reload",
    "test_bad_input",
    "test_tests",
    "test_once",
    "test_sandbox",
    "test_demo",
    "test_response",
    "test_response_told",
    "test_approval",
    "test_parallel_repair",
)
"""Files that take long, the longest first: one that begins last would keep every other worker waiting."""


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # pytest-xdist begins with the most tests, not the longest


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))


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
