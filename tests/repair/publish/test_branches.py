"""Which branches are pushed, and what of others is never touched (R11, S26, S27)."""

import os
import shutil

import pytest
from publish_scene import BRANCH, MESSAGE, better, made, push

from aiops_core.errors import Refused


def test_r11_a_branch_with_other_content_is_never_touched(shop, tmp_path):
    shop.git("push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}")
    before = shop.branches()

    with pytest.raises(Refused) as caught:
        push(shop, made(shop), tmp_path)

    assert caught.value.rule == "branch-exists"
    assert str(caught.value) == (
        f"branch {BRANCH} of {shop.remote} exists already, at {before[BRANCH][:12]}, with other content. "
        "It is never overwritten: merge or delete it, then retry the incident."
    )
    assert shop.branches() == before


def test_r11_a_commit_somebody_added_to_our_branch_stays(shop, tmp_path):
    change = made(shop)
    published = push(shop, change, tmp_path)
    shop.git("fetch", "--quiet", "origin", BRANCH)
    shop.git("checkout", "--quiet", "FETCH_HEAD")
    (shop.path / "src/app.py").write_text("human\n")
    shop.git("commit", "--quiet", "-am", "mine")
    shop.git("push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}")

    with pytest.raises(Refused) as caught:
        push(shop, change, tmp_path)

    assert caught.value.rule == "branch-exists"
    assert shop.branches()[BRANCH] != published.commit


def test_r11_a_race_between_look_and_push_never_overwrites(shop, tmp_path, monkeypatch):
    directory = tmp_path / "bin"
    directory.mkdir()
    real = shutil.which("git")
    (directory / "git").write_text(
        f'#!/bin/sh\n[ "$1" = push ] && {real} --git-dir={shop.remote} update-ref refs/heads/{BRANCH} main\n'
        f'exec {real} "$@"\n'
    )
    (directory / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(Refused) as caught:
        push(shop, made(shop), tmp_path)

    assert caught.value.rule == "branch-exists"
    assert shop.branches()[BRANCH] == shop.branches()["main"]


@pytest.mark.parametrize("who", ["another incident", "another author", "a merge of main"])
def test_r11_what_is_not_all_ours_and_of_this_incident_stays(shop, tmp_path, who):
    change = made(shop)
    push(
        shop,
        change,
        tmp_path,
        message=MESSAGE.replace("3f2a", "4e5d" if who.startswith("another i") else "3f2a"),
    )
    if who != "another incident":
        shop.git("fetch", "--quiet", "origin", BRANCH)
        shop.commit({"src/other.py": "x\n"})
        shop.git("checkout", "--quiet", "FETCH_HEAD")
        if who == "another author":
            shop.git("commit", "--quiet", "--amend", "--no-edit", "--reset-author")
        else:
            shop.git("merge", "--quiet", "-m", "Merge\n\nIncident: v1:3f2a", "main")
        shop.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{BRANCH}")
    before = shop.branches()

    with pytest.raises(Refused) as caught:
        push(shop, better(shop, change), tmp_path)

    assert caught.value.rule == "branch-exists"
    assert shop.branches() == before


@pytest.mark.parametrize(
    "branch",
    [
        "main",
        "fix/../main",
        "fix/",
        "-fix/x",
        "fix/x.lock",
        "fix/x y",
        "fix/x@{1}",
        "fix/x\n",
        "refs/heads/main",
        "fix/-x",
        "feature/x",
        "fix/a..b",
    ],
)
def test_s26_s27_only_plain_names_under_fix_are_pushed(shop, tmp_path, branch):
    with pytest.raises(Refused) as caught:
        push(shop, made(shop), tmp_path, branch=branch)

    assert caught.value.rule == "branch-name"
    assert list(shop.branches()) == ["main"]


def test_s27_the_default_and_the_base_branch_are_never_pushed(shop, tmp_path):
    shop.git("push", "--quiet", "origin", "HEAD:refs/heads/fix/base")
    shop.git("push", "--quiet", "origin", "HEAD:refs/heads/fix/trunk")
    shop.on_remote("symbolic-ref", "HEAD", "refs/heads/fix/trunk")

    for branch in ("fix/base", "fix/trunk"):
        with pytest.raises(Refused) as caught:
            push(shop, made(shop, branch="fix/base"), tmp_path, branch=branch)
        assert str(caught.value) == f"branch {branch}: the branch a fix is proposed to is never pushed."


def test_a_branch_named_fix_is_explained(shop, tmp_path):
    shop.git("push", "--quiet", "origin", "HEAD:refs/heads/fix")

    with pytest.raises(Refused) as caught:
        push(shop, made(shop), tmp_path)

    assert "the remote has a branch named 'fix', so there can be none under fix/" in str(caught.value)
