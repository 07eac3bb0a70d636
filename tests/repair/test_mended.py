import pytest

from aiops_core import replace
from aiops_core.records import Edit
from aiops_core.repair import mended_in
from aiops_core.repository import open_mirror
from aiops_core.settings import Repository

BUGGY = "def total(order):\r\n    return order['price']\r\n"
FIXED = BUGGY.replace("order['price']", "order.get('price', 0)")
EDIT = Edit("replace", "src/shop.py", "    return order['price']\n", "    return order.get('price', 0)\n")


@pytest.fixture
def ask(repository, tmp_path):
    """Return a function that commits versions and asks about edits, and the commits it made."""
    commits = []

    def ask(*versions, edits=(EDIT,)):
        commits[:] = [
            repository.commit({"src/shop.py": version}, f"step {n}") for n, version in enumerate(versions)
        ]
        mirror = open_mirror(Repository(url=str(repository.remote)), tmp_path / "state")
        mirror.refresh()
        return mended_in(edits, mirror, commits[0], commits[-1])

    ask.commits = commits
    return ask


def test_r27_the_commit_that_made_the_edits_is_named(ask):
    assert ask(BUGGY, f"# one\n{BUGGY}", FIXED, f"{FIXED}# more\n") == ask.commits[2]


def test_r27_a_path_as_it_was_deployed_is_understood(ask):
    assert ask(BUGGY, FIXED, edits=[replace(EDIT, path="/app/src/shop.py")]) == ask.commits[1]


def test_r27_the_test_that_was_to_prove_the_fix_need_not_be_there(ask):
    new_test = Edit("create", "tests/test_shop.py", replace="def test_total(): ...\n")

    assert ask(BUGGY, FIXED, edits=[EDIT, new_test]) == ask.commits[1]


@pytest.mark.parametrize(
    ("versions", "edits"),
    [
        ([BUGGY, f"{BUGGY}# other\n"], [EDIT]),
        ([BUGGY, BUGGY + FIXED], [EDIT]),
        ([BUGGY, BUGGY.replace("order['price']", "1")], [EDIT]),
        ([f"{BUGGY}{BUGGY}", FIXED], [EDIT]),
        ([FIXED, f"{FIXED}# more\n"], [EDIT]),
        ([BUGGY, FIXED], []),
        ([BUGGY, FIXED], [Edit("create", "tests/test_new.py", replace="x\n")]),
        ([BUGGY, FIXED], [EDIT, Edit("create", "src/new.py", replace="x\n")]),
        ([BUGGY, FIXED], [EDIT, Edit("replace", "src/missing.py", "a", "b")]),
        ([BUGGY, "def total(order):\n"], [Edit("replace", "src/shop.py", EDIT.search, "")]),
    ],
)
def test_r27_what_is_not_certainly_made_is_tried(ask, versions, edits):
    assert ask(*versions, edits=edits) is None
