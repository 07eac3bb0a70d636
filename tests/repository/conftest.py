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
