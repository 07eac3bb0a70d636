import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from aiops_core.repository import GitError, open_mirror
from aiops_core.repository.locks import locked
from aiops_core.settings import Repository


@pytest.fixture
def mirror(shop, tmp_path):
    return open_mirror(Repository(url=str(shop.remote)), tmp_path / "state")


def test_a_mirror_knows_branch_head_and_files(mirror, shop):
    head = shop.git("rev-parse", "HEAD")

    assert mirror.default_branch() == "main"
    assert mirror.head() == mirror.head("main") == head
    assert set(mirror.files(head)) == {"src/app.py", "README.md"}
    assert mirror.files(head)["src/app.py"].mode == "100644"
    assert mirror.files(head)["README.md"].size == 5
    assert mirror.read(head, "README.md") == b"shop\n"
    assert mirror.read(head, "missing.py") is None


def test_a_new_commit_is_there_after_a_refresh(mirror, shop):
    new = shop.commit({"README.md": "shop 2\n"})
    assert not mirror.contains(new)

    mirror.refresh()

    assert mirror.contains(new)
    assert mirror.head() == new
    assert mirror.read(new, "README.md") == b"shop 2\n"


def test_modes_symlinks_and_odd_names_are_told_apart(mirror, shop):
    (shop.path / "link").symlink_to("README.md")
    (shop.path / "run.sh").write_text("#!/bin/sh\n")
    (shop.path / "run.sh").chmod(0o755)
    (shop.path / "größe (1)\t.txt").write_text("x")
    (shop.path / b"latin-\xe9".decode("utf-8", "surrogateescape")).write_text("y")
    head = shop.commit_all()
    mirror.refresh()

    files = mirror.files(head)

    assert files["link"].kind == "symlink"
    assert files["run.sh"].mode == "100755"
    assert mirror.read(head, "link") is None
    assert mirror.read(head, "größe (1)\t.txt") == b"x"
    assert mirror.read(head, "latin-\udce9") == b"y"


def test_blame_names_author_time_and_summary_of_each_line(mirror, shop):
    shop.commit({"src/app.py": "one\n2\nthree\n"}, "count")
    mirror.refresh()

    lines = mirror.blame(mirror.head(), "src/app.py", 2, 9)

    assert [(line.line, line.author, line.summary) for line in lines] == [
        (2, "Ann", "count"),
        (3, "Ann", "first"),
    ]
    assert lines[0].commit == mirror.head()
    assert lines[0].at.tzinfo is not None
    assert mirror.blame(mirror.head(), "src/app.py", 40, 50) == []
    assert mirror.blame(mirror.head(), "nothing.py", 1, 2) == []


def test_the_log_is_newest_first_and_only_of_the_paths(mirror, shop):
    shop.commit({"README.md": "x\n"}, "docs: say more")
    shop.commit({"src/app.py": "1\n"}, "app: count")
    mirror.refresh()

    def summaries(*paths, limit=10):
        return [commit.summary for commit in mirror.log(mirror.head(), paths, limit)]

    assert summaries() == ["app: count", "docs: say more", "first"]
    assert summaries("README.md") == ["docs: say more", "first"]
    assert summaries("src/app.py", limit=1) == ["app: count"]
    assert summaries(":(exclude)README.md") == []


def test_a_release_is_found_by_tag_branch_or_short_id(mirror, shop):
    first = shop.git("rev-parse", "HEAD")
    shop.git("tag", "-a", "v1.2", "-m", "release")
    shop.git("push", "--quiet", "origin", "v1.2")
    mirror.refresh()

    assert mirror.commit_of("v1.2") == first
    assert mirror.commit_of(first[:10]) == first
    assert mirror.commit_of("main") == first
    assert mirror.commit_of("v9") is None
    assert mirror.commit_of("--all") is None
    assert mirror.commit_of("main~1..main") is None


def test_a_deleted_branch_goes_and_a_renamed_default_is_followed(mirror, shop):
    shop.git("push", "--quiet", "origin", "HEAD:refs/heads/trunk")
    shop.on_remote("symbolic-ref", "HEAD", "refs/heads/trunk")
    shop.on_remote("branch", "-D", "main")

    mirror.refresh()

    assert mirror.default_branch() == "trunk"
    with pytest.raises(GitError) as caught:
        mirror.head("main")
    assert str(caught.value) == (
        f"repository {shop.remote}: there is no branch 'main'. Correct repository.branch."
    )


def test_an_empty_repository_is_called_empty(tmp_path):
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "empty.git"], check=True)

    with pytest.raises(GitError) as caught:
        open_mirror(Repository(url=str(tmp_path / "empty.git")), tmp_path).head()

    assert str(caught.value) == (
        f"repository {tmp_path / 'empty.git'}: the repository has no commits. "
        "Push a first commit, or correct repository.url."
    )


def test_an_unknown_commit_is_an_error_not_an_empty_tree(mirror):
    with pytest.raises(GitError) as caught:
        mirror.files("0" * 40)

    assert caught.value.kind == "missing-commit"


def test_threads_and_processes_refresh_one_mirror_together(shop, tmp_path):
    config, errors = Repository(url=str(shop.remote)), []
    program = (
        "import sys; from pathlib import Path; from aiops_core.settings import Repository\n"
        "from aiops_core.repository import open_mirror\n"
        "open_mirror(Repository(url=sys.argv[1]), Path(sys.argv[2])).refresh()"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(shop.remote), str(tmp_path / "state")])

    def work():
        try:
            mirror = open_mirror(config, tmp_path / "state")
            mirror.refresh()
            assert mirror.read(mirror.head(), "README.md") == b"shop\n"
        except (GitError, AssertionError) as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert other.wait(30) == 0
    assert errors == []


def test_what_a_killed_git_left_does_not_block_a_refresh(mirror, shop):
    for name in ("packed-refs.lock", "HEAD.lock", "refs/heads/main.lock"):
        (mirror.path / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror.path / name).write_text("")
    making = mirror.path.with_suffix(".making")
    making.mkdir()
    new = shop.commit({"README.md": "again\n"})

    mirror.refresh()

    assert mirror.head() == new


def test_a_git_that_outlives_its_killed_caller_keeps_the_lock(mirror, tmp_path, monkeypatch):
    directory, real = tmp_path / "bin", shutil.which("git")
    directory.mkdir()
    go = tmp_path / "go"
    waiting = f"while [ ! -e {go} ]; do sleep 0.02; done"
    (directory / "git").write_text(
        f'#!/bin/sh\n[ "$1" = fetch ] && {{ touch {tmp_path}/began; {waiting}; }}\n{real} "$@"\n'
    )
    (directory / "git").chmod(0o755)
    lock = mirror.path.with_suffix(".lock")
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{path}")
    child = os.fork()
    if child == 0:
        mirror.refresh()
        os._exit(0)
    while not (tmp_path / "began").exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    monkeypatch.setenv("PATH", path)

    with pytest.raises(GitError), locked(lock, wait=0.1):
        raise AssertionError("git is still at work in the mirror")
    go.write_text("")

    with locked(lock, wait=10):
        assert mirror.head()


def test_a_broken_mirror_is_made_anew(mirror, shop):
    (mirror.path / "HEAD").write_text("")

    mirror.refresh()

    assert mirror.head() == shop.git("rev-parse", "HEAD")


def test_torn_objects_are_fetched_again(mirror, shop):
    for pack in (mirror.path / "objects").rglob("*"):
        if pack.is_file():
            pack.chmod(0o644)
            pack.write_bytes(b"")
    new = shop.commit({"README.md": "again\n"})

    mirror.refresh()

    assert mirror.read(new, "README.md") == b"again\n"
