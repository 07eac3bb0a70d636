"""A bare repository, GitHub's API before it, and what a test needs to act on them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the stub's modules, for tests and their children

from github_api import GithubApi
from github_scene import TOKEN, Setup

from aiops_core.testing.git_http import GitHttpServer

BRANCHES = b"""\
blob
mark :1
data <<END
def total(prices):
    return sum(prices) + 1
END

commit refs/heads/main
mark :2
committer Ann <ann@acme.example> 1767225600 +0000
data <<END
first
END
M 100644 :1 shop/cart.py

commit refs/heads/fix/ready
committer Ann <ann@acme.example> 1767225601 +0000
data <<END
fix
END
from :2
M 100644 :1 shop/copy.py

reset refs/heads/same
from :2

commit refs/heads/lonely
committer Ann <ann@acme.example> 1767225602 +0000
data <<END
orphan
END
M 100644 :1 shop/cart.py

"""


@pytest.fixture(scope="session")
def bare_template(tmp_path_factory):
    bare = tmp_path_factory.mktemp("template") / "shop.git"
    subprocess.run(["git", "init", "-q", "--bare", "--template=", "-b", "main", str(bare)], check=True)
    subprocess.run(["git", "-C", str(bare), "config", "http.receivepack", "true"], check=True)
    subprocess.run(["git", "-C", str(bare), "fast-import", "--quiet"], input=BRANCHES, check=True)
    return bare


@pytest.fixture
def bare(bare_template, tmp_path):
    """The remote: ``main``, ``fix/ready`` one commit ahead, ``same`` as main, ``lonely`` unrelated."""
    return Path(shutil.copytree(bare_template, tmp_path / "remotes" / "acme" / "shop.git"))


@pytest.fixture
def api(bare):
    with GithubApi(bare, token=TOKEN) as server:
        yield server
        assert server.violations == []


@pytest.fixture
def server(bare):
    """The git server the fixes are pushed to."""
    with GitHttpServer(bare.parent.parent, token=TOKEN) as server:
        yield server


@pytest.fixture
def setup(api, server, tmp_path):
    """Where the action finds its repository, its API and its files."""
    directory = tmp_path / "state"
    directory.mkdir()
    return Setup(server.url("acme/shop.git"), api.url, TOKEN, directory)
