"""What is pushed shares history with its base, or the reason why it does not is named (R9)."""

import pytest
from publish_scene import BRANCH, made, push

from aiops_core.errors import Refused
from aiops_core.records import ChangedFile
from aiops_core.repository import open_mirror
from aiops_core.settings import Repository


def rewritten(shop):
    shop.git("commit", "--quiet", "--amend", "-m", "other")
    shop.commit({"x": "y"})


def begun_anew(shop):
    shop.git("checkout", "--quiet", "--orphan", "fresh")
    shop.git("commit", "--quiet", "-m", "all files again")
    shop.commit({"x": "y"})


def replaced(shop):
    shop.git("checkout", "--quiet", "--orphan", "other")
    shop.git("rm", "-rfq", ".")
    shop.commit({"x": "another project"})


def cut_off(shop):
    """Put a clone of depth one in the remote's place."""
    whole = shop.remote.rename(shop.remote.with_name("whole.git"))
    clone = ["clone", "--quiet", "--bare", "--depth=1", "--branch=main", whole.as_uri(), str(shop.remote)]
    shop.git(*clone)


def cut_off_later(shop):
    shop.commit({"x": "y"})
    cut_off(shop)


@pytest.mark.parametrize(
    ("deed", "is_mirrored", "cause"),
    [
        (rewritten, True, "the branch was rewritten"),
        (rewritten, False, "the branch was rewritten, and the remote has that commit no more"),
        (begun_anew, True, "the repository was begun anew from its files (git init in a copy of them)"),
        (replaced, True, "the branch was replaced by another history"),
        (
            cut_off_later,
            False,
            "the remote is a shallow clone, whose history is cut off ('git fetch --unshallow' mends it there)",
        ),
    ],
)
def test_r9_a_base_without_common_history_is_not_pushed_and_the_cause_is_named(
    shop, tmp_path, deed, is_mirrored, cause
):
    shop.commit({"src/more.py": "1\n"})
    change = made(shop)
    if is_mirrored:
        open_mirror(Repository(url=str(shop.remote)), tmp_path / "scratch/mirrors")
    deed(shop)

    with pytest.raises(Refused) as caught:
        push(shop, change, tmp_path)

    assert caught.value.rule == "history"
    assert str(caught.value) == (
        f"commit {change.base_commit[:12]}, which the fix starts from, is no longer in the history of main: "
        f"{cause}. Retry the incident for a new fix."
    )
    assert list(shop.branches()) == ["main"]


def test_r9_a_remote_that_is_a_shallow_clone_gets_its_fix(shop, tmp_path):
    shop.commit({"src/more.py": "1\n"})
    cut_off(shop)

    published = push(shop, made(shop), tmp_path)

    assert shop.branches()[BRANCH] == published.commit
    assert shop.on_remote("rev-list", "--count", BRANCH) == "2"


def test_a_base_that_moved_on_is_no_obstacle(shop, tmp_path):
    change = made(shop)
    shop.commit({"src/other.py": "x\n"})

    published = push(shop, change, tmp_path)

    assert shop.on_remote("rev-parse", f"{published.commit}^") == change.base_commit


def test_r27_lines_that_the_base_changed_since_make_a_fix_outdated(shop, tmp_path):
    change = made(shop)
    shop.commit({change.files[0].path: "rewritten\n"})

    with pytest.raises(Refused) as caught:
        push(shop, change, tmp_path)

    assert caught.value.rule == "outdated"
    assert str(caught.value).startswith(
        f"{change.files[0].path}: main has changed the lines of the fix since"
    )
    assert list(shop.branches()) == ["main"]


def test_r27_a_fix_beside_other_changes_of_its_file_goes_out(shop, tmp_path):
    shop.commit({"src/app.py": "one\ntwo\n\n\nthree\n"})
    change = made(shop, ChangedFile("src/app.py", b"one\n2\n\n\nthree\n"))
    shop.commit({"src/app.py": "one\ntwo\n\n\n3\n"})

    assert push(shop, change, tmp_path).base_commit == change.base_commit


def test_r27_a_fix_that_was_pushed_before_its_base_changed_is_found_again(shop, tmp_path):
    change = made(shop)
    first = push(shop, change, tmp_path)
    shop.commit({change.files[0].path: "rewritten\n"})

    assert push(shop, change, tmp_path) == first
