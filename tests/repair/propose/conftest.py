import pytest
from propose_scene import APP, RUN, TESTS

from aiops_core.repair import propose
from aiops_core.repository import open_mirror
from aiops_core.settings import Policy, Repository


@pytest.fixture
def shop(origins, tmp_path):
    files = {"shop/__init__.py": "", "shop/app.py": APP, "tests/__init__.py": "", "tests/test_app.py": TESTS}
    return origins(tmp_path / "origin", files)


@pytest.fixture
def attempt(shop, tmp_path):
    """Return a function that proposes edits against the shop."""
    log = []

    def run(
        *edits, test=RUN, setup="", sandbox="none", scratch="scratch", policy=None, originals=None, **settings
    ):
        config = Repository(url=str(shop.remote), test=test, setup=setup, sandbox=sandbox, **settings)
        mirror = open_mirror(config, tmp_path / "state")
        mirror.refresh()
        return propose(
            edits,
            mirror=mirror,
            repository=config,
            policy=policy or Policy(),
            scratch=tmp_path / scratch,
            log=log.append,
            find_secret=lambda text: "github" if "ghp_" in text else None,
            originals=originals or (lambda text: {}),
        )

    run.log = log
    run.shop = shop
    return run
