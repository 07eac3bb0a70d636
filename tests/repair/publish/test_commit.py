"""The one commit a change becomes, and what of it is looked at once more before it is pushed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from publish_scene import BRANCH, MESSAGE, made, push, show

from aiops_core import replace
from aiops_core.errors import Refused
from aiops_core.records import ChangedFile


def test_a_change_becomes_one_commit_on_its_base(shop, tmp_path):
    change = made(
        shop,
        ChangedFile("new.sh", b"#!/bin/sh\n", "100755"),
        ChangedFile("src/app.py", b"one\n2\n"),
        ChangedFile("crlf.txt", b"b\r\n"),
    )

    published = push(shop, change, tmp_path)

    assert shop.branches() == {"main": change.base_commit, BRANCH: published.commit}
    assert published.base_commit == change.base_commit
    assert published.remote_url == str(shop.remote)
    assert shop.on_remote("rev-parse", f"{published.commit}^") == change.base_commit
    listed = shop.on_remote("diff-tree", "-r", "--raw", "--abbrev=4", change.base_commit, published.commit)
    assert [row.split()[1] + " " + row.split("\t")[1] for row in listed.splitlines()] == [
        "100644 crlf.txt",
        "100755 new.sh",
        "100644 src/app.py",
    ]
    assert show(shop, published.commit, "crlf.txt") == b"b\r\n"
    assert shop.on_remote("log", "-1", "--format=%an <%ae>%n%cn%n%B", published.commit) == (
        f"aiops <aiops@localhost>\naiops\n{MESSAGE.strip()}"
    )


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        (ChangedFile(".github/workflows/x.yml", b"x"), "protected-path"),
        (ChangedFile("link/x.txt", b"x"), "symlink"),
        (ChangedFile("link", b"x"), "symlink"),
        (ChangedFile("src/app.py", b"/etc/passwd", "120000"), "symlink"),
        (ChangedFile("src/app.py", None), "delete"),
        (ChangedFile("src/app.py", b"one\ntwo\n"), "no-op"),
        (ChangedFile("src/app.py/x", b"x"), "path"),
        (ChangedFile("tests/test_x.py", b"x"), "tests-weakened"),
    ],
)
def test_r14_what_would_be_pushed_is_checked_once_more(shop, tmp_path, file, rule):
    (shop.path / "link").symlink_to("src")
    (shop.path / "tests").mkdir()
    (shop.path / "tests/test_x.py").write_text("test\n")
    shop.commit_all()

    with pytest.raises(Refused) as caught:
        push(shop, made(shop, file), tmp_path)

    assert caught.value.rule == rule
    assert list(shop.branches()) == ["main"]


def test_s21_attributes_and_filters_change_nothing(shop, tmp_path):
    marker = tmp_path / "planted"
    (Path.home() / ".gitconfig").write_text(f'[filter "evil"]\n\tclean = touch {marker}\n')
    shop.commit({".gitattributes": "* text=auto eol=crlf filter=evil\n*.py ident\n"})
    content = b"# $Id$\r\nmixed\n"

    published = push(shop, made(shop, ChangedFile("src/app.py", content)), tmp_path)

    assert show(shop, published.commit, "src/app.py") == content
    assert not marker.exists()


@pytest.mark.parametrize(("days", "expected"), [(0, 0), (3, 3), (-3, 0)])
def test_a_commit_has_the_date_of_the_change_and_is_never_older_than_its_base(shop, tmp_path, days, expected):
    change = made(shop)
    base = int(shop.git("log", "-1", "--format=%ct"))
    when = datetime.fromtimestamp(base, UTC) + timedelta(days=days)

    published = push(shop, replace(change, made_at=when) if days else change, tmp_path)

    dates = shop.on_remote("log", "-1", "--format=%at %ct", published.commit)
    assert dates == f"{base + expected * 86_400} {base + expected * 86_400}"
