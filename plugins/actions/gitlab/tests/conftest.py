"""A bare repository and GitLab's API before it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the stub's modules

from aiops_action_gitlab.address import Address
from aiops_action_gitlab.forge import GitlabForge
from gitlab_api import GitlabApi
from gitlab_bench import GitlabBench
from pydantic import SecretStr

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
    with GitlabApi(bare.path, token=GitlabBench.token) as server:
        yield server
        assert server.violations == []


@pytest.fixture
def make_forge(api):
    made = []

    def make(path="acme/backend/shop", token=api.token, url=api.url):
        made.append(GitlabForge(Address(url, path), SecretStr(token), timeout=10))
        return made[-1]

    yield make
    for forge in made:
        forge.close()


@pytest.fixture
def forge(make_forge):
    return make_forge()
