"""Both forges on the same bench; a forge of your own passes the suite with a bench of its own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "plugins/actions/github/tests"))
sys.path.insert(0, str(Path(__file__).parents[2] / "plugins/actions/gitlab/tests"))
sys.path.insert(0, str(Path(__file__).parent))

from github_bench import GithubBench
from gitlab_bench import GitlabBench

from aiops_core.testing.forge_bench import ForgeBench
from aiops_core.testing.forge_scene import BareRepository


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return BareRepository.make(tmp_path_factory.mktemp("template") / "shop.git")


@pytest.fixture(params=[GithubBench, GitlabBench], ids=["github", "gitlab"])
def bench_type(request) -> type[ForgeBench]:
    return request.param


@pytest.fixture
def bench(bench_type, template, tmp_path):
    with bench_type(template, tmp_path) as bench:
        yield bench
        assert bench.api.violations == []
