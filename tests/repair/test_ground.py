"""A working tree that was ruined is as its commit has it again, and what nobody touched is not made anew."""

import os
import subprocess

import pytest

from aiops_core.repair.ground import Ground, Grounds
from aiops_core.repository import open_mirror
from aiops_core.settings import Repository

FILES = {
    "app.py": "one\n",
    "shop/cart.py": "def total():\n    return 1\n",
    "shop/deep/er/x.py": "x = 1\n",
    "crlf.txt": "a\nb\n",
    ".gitattributes": "crlf.txt eol=crlf\n",
}


@pytest.fixture
def origin(origins, tmp_path):
    made = origins(tmp_path / "origin", FILES)
    (made.path / "run.sh").write_text("#!/bin/sh\n")
    (made.path / "run.sh").chmod(0o755)
    (made.path / "link").symlink_to("shop")
    made.commit_all()
    return made


@pytest.fixture
def mirror(origin, tmp_path):
    found = open_mirror(Repository(url=str(origin.remote)), tmp_path / "state")
    found.refresh()
    return found


@pytest.fixture
def ground(mirror, tmp_path):
    made = Ground(mirror, mirror.head(), tmp_path / "ground")
    made.renew()
    return made


def state(root):
    """Return every path with its kind, mode and content, but for git's own."""
    return {str(path.relative_to(root)): _facts(path) for path in root.rglob("*") if ".git" not in path.parts}


def _facts(path):
    content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
    return oct(path.lstat().st_mode), content


def inodes(root):
    return {path: (root / path).lstat().st_ino for path in state(root)}


def in_place(root):
    before = (root / "app.py").lstat()
    (root / "app.py").write_text("two\n")
    os.utime(root / "app.py", ns=(before.st_atime_ns, before.st_mtime_ns))


def swapped(root):
    (root / "shop/deep").rename(root / "aside")
    (root / "shop/deep/er").mkdir(parents=True)
    (root / "aside/er/x.py").rename(root / "shop/deep/er/x.py")


def deed(name):
    def do(root):
        subprocess.run(["sh", "-ec", DEEDS[name]], cwd=root, check=True)

    return do


DEEDS = {
    "more files": "mkdir -p shop/__pycache__ a/b/c; touch shop/__pycache__/x.pyc a/b/c/d; ln -s /etc etc",
    "a hard link": "ln app.py other.py",
    "a mode": "chmod 666 app.py",
    "no mode": "chmod 000 app.py shop/deep",
    "a removed file": "rm shop/cart.py",
    "a removed folder": "rm -r shop",
    "a file for a folder": "rm -r shop; echo x > shop",
    "a folder for a file": "rm app.py; mkdir app.py; touch app.py/x",
    "a symlink for a folder": "mv shop elsewhere; ln -s elsewhere shop",
    "another symlink": "rm link; ln -s /etc link",
    "how git writes files": "echo 'crlf.txt -text' > .gitattributes; rm crlf.txt",
    "a file with line ends of its own": "printf x >> crlf.txt",
    "git's own": "rm -rf .git; mkdir -p .git/hooks; echo evil > .git/hooks/post-checkout; chmod +x .git/hooks/*",
    "everything": "rm -rf ./* .git .gitattributes",
    "nothing": "true",
}


@pytest.mark.parametrize("ruin", [in_place, swapped, *map(deed, DEEDS)], ids=["in place", "swapped", *DEEDS])
def test_r1_s21_whatever_was_done_in_it_it_is_as_the_commit_has_it_again(ground, mirror, tmp_path, ruin):
    fresh = state(Ground(mirror, mirror.head(), tmp_path / "fresh").renew())
    ruin(ground.work)

    work = ground.renew()

    assert state(work) == fresh
    status = subprocess.run(["git", "status", "--porcelain"], cwd=work, capture_output=True, check=True)
    assert status.stdout == b""
    assert not (work / ".git/hooks").exists()


def test_what_nobody_touched_is_not_made_anew(ground):
    before = inodes(ground.work)
    deed("more files")(ground.work)
    (ground.work / "app.py").unlink()

    work = ground.renew()

    after = inodes(work)
    assert {path for path in after if after[path] != before[path]} <= {"app.py"}
    assert ground.renew() == work


def test_a_ground_is_lent_to_one_at_a_time_and_used_again(mirror, tmp_path):
    grounds, head = Grounds(tmp_path / "grounds"), mirror.head()

    with grounds.lent(mirror, head) as one, grounds.lent(mirror, head) as other:
        assert one is not other
    with grounds.lent(mirror, head) as again:
        assert again in (one, other)


def test_grounds_of_an_older_commit_go_when_a_newer_is_asked_for(origin, mirror, tmp_path):
    grounds = Grounds(tmp_path / "grounds")
    with grounds.lent(mirror, mirror.head()) as old:
        old.renew()
    origin.commit({"app.py": "three\n"})
    mirror.refresh()

    with grounds.lent(mirror, mirror.head()) as new:
        new.renew()
        left = [path.name for path in (tmp_path / "grounds").iterdir()]

    assert left == [new.path.name]
    assert (new.work / "app.py").read_text() == "three\n"


def test_what_another_process_left_goes_and_what_is_lent_stays(mirror, tmp_path):
    grounds = Grounds(tmp_path / "grounds")
    (tmp_path / "grounds/7/work").mkdir(parents=True)

    with grounds.lent(mirror, mirror.head()) as lent:
        lent.renew()
        grounds.tidy()
        assert [path.name for path in (tmp_path / "grounds").iterdir()] == [lent.path.name]
    grounds.tidy()

    assert list((tmp_path / "grounds").iterdir()) == []
