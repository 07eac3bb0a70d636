"""A bare repository and GitHub's API before it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the stub's modules

from github_api import GithubApi
from github_bench import GithubBench

from aiops_core.testing.forge_scene import BareRepository


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return BareRepository.make(tmp_path_factory.mktemp("template") / "shop.git")


@pytest.fixture
def bare(template, tmp_path):
    """The remote: ``main``, ``fix/ready`` one commit ahead, ``same`` as main, ``lonely`` unrelated."""
    return template.copy(tmp_path / "shop.git")


@pytest.fixture
def api(bare):
    with GithubApi(bare.path, token=GithubBench.token) as server:
        yield server
        assert server.violations == []
