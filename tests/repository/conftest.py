import os
import shutil

import pytest

from aiops_core.testing.git_repository import GitRepository


@pytest.fixture(scope="session")
def first_shop(tmp_path_factory):
    repository = GitRepository(tmp_path_factory.mktemp("first") / "origin")
    repository.commit({"src/app.py": "one\ntwo\nthree\n", "README.md": "shop\n"}, "first")
    return repository


@pytest.fixture
def shop(first_shop, tmp_path):
    return first_shop.copy(tmp_path / "origin")


@pytest.fixture
def recorded_git(tmp_path, monkeypatch):
    """Put a git first on PATH that writes down its arguments and environment."""
    log, directory = tmp_path / "git.log", tmp_path / "bin"
    directory.mkdir()
    wrapper = directory / "git"
    wrapper.write_text(f'#!/bin/sh\n{{ echo "argv: $*"; env; }} >> {log}\nexec {shutil.which("git")} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return log
