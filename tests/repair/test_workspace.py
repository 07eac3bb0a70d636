import os
import signal
import subprocess
from pathlib import Path

import pytest

from aiops_core.errors import Refused
from aiops_core.records import Change, ChangedFile
from aiops_core.repair import publish
from aiops_core.repair.workspace import (
    copy_tree,
    make_push_clone,
    make_work_clone,
    own_directory,
    remove_tree,
    write_files,
)
from aiops_core.repository import open_mirror
from aiops_core.settings import Repository


@pytest.fixture
def mirror(repository, tmp_path):
    repository.commit({"src/app.py": "one\n", "run.sh": "#!/bin/sh\n"})
    return open_mirror(Repository(url=str(repository.remote), token="s3cr3t-t0ken"), tmp_path / "state")


def test_r1_the_work_clone_holds_the_commit_but_no_remote_and_no_credential(mirror, tmp_path, repository):
    later = repository.commit({"src/app.py": "two\n"})
    mirror.refresh()
    work = tmp_path / "work"

    make_work_clone(mirror, mirror.commit_of(f"{later}^{{commit}}") or later, work)

    assert (work / "src/app.py").read_text() == "two\n"
    config = (work / ".git/config").read_text()
    assert "remote" not in config
    everything = b"".join(file.read_bytes() for file in work.rglob("*") if file.is_file())
    assert b"s3cr3t-t0ken" not in everything
    assert str(repository.remote).encode() not in everything
    assert not (work / ".git/objects/info/alternates").exists()


def test_r1_ruining_the_work_clone_leaves_the_mirror_whole(mirror, tmp_path):
    work = tmp_path / "work"
    make_work_clone(mirror, mirror.head(), work)

    for file in (work / ".git").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.write_bytes(b"ruined")

    assert mirror.read(mirror.head(), "src/app.py") == b"one\n"
    subprocess.run(["git", "fsck", "--strict"], cwd=mirror.path, check=True, capture_output=True)


def test_filters_of_whoever_runs_this_do_not_run_at_checkout(repository, tmp_path):
    marker = tmp_path / "planted"
    (Path.home() / ".gitconfig").write_text(
        f'[filter "evil"]\n\tsmudge = touch {marker}\n[core]\n\tfsmonitor = touch {marker}\n'
    )
    repository.commit({".gitattributes": "*.py filter=evil\n", "src/app.py": "one\n"})
    mirror = open_mirror(Repository(url=str(repository.remote)), tmp_path / "state")

    make_work_clone(mirror, mirror.head(), tmp_path / "work")

    assert not marker.exists()
    assert (tmp_path / "work/src/app.py").read_text() == "one\n"


def test_s24_s25_no_git_call_of_a_whole_repair_asks_runs_hooks_or_reads_configuration(
    repository, tmp_path, recorded_git, monkeypatch
):
    monkeypatch.setenv("GIT_TRACE", "1")
    base = repository.commit({"app.py": "one\n"})
    config = Repository(url=str(repository.remote))
    change = Change(base, "main", (ChangedFile("app.py", b"two\n"),), "")
    recorded_git.forget()

    make_work_clone(open_mirror(config, tmp_path / "mirrors"), base, tmp_path / "work")
    places = {"mirrors": tmp_path / "mirrors", "scratch": tmp_path / "scratch"}
    publish(change, branch="fix/x-1", message="fix: x\n", repository=config, **places)

    calls = recorded_git.calls
    assert {"init", "fetch", "checkout", "commit-tree", "push"} <= {
        call.arguments.split()[0] for call in calls
    }
    variables = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    variables |= {"GIT_ATTR_NOSYSTEM": "1", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"}
    settings = {"core.hooksPath": "/dev/null", "core.fsmonitor": "false", "protocol.allow": "never"}
    settings |= {"submodule.recurse": "false", "fetch.recurseSubmodules": "false", "credential.helper": ""}
    for call in calls:
        assert variables.items() <= call.environment.items(), call.arguments
        assert settings.items() <= call.settings.items(), call.arguments
        assert not {"GIT_TRACE", "GIT_DIR", "GIT_SSH_COMMAND"} & call.environment.keys()
        allowed = [name for name, value in call.settings.items() if value == "always"]
        assert allowed in ([], ["protocol.file.allow"])
        words = call.arguments.split()
        if words[0] in ("fetch", "push", "ls-remote"):  # an address is never taken for an option
            assert words[words.index("--") + 1].startswith("/")


def test_files_are_written_with_mode_and_removed(mirror, tmp_path):
    work = tmp_path / "work"
    make_work_clone(mirror, mirror.head(), work)
    files = [
        ChangedFile("src/app.py", b"two\n"),
        ChangedFile("new/deep/x.py", b"x\n", "100755"),
        ChangedFile("run.sh", None),
    ]

    write_files(work, files)

    assert (work / "src/app.py").read_bytes() == b"two\n"
    assert os.access(work / "new/deep/x.py", os.X_OK)
    assert not os.access(work / "src/app.py", os.X_OK)
    assert not (work / "run.sh").exists()


@pytest.mark.parametrize("path", ["link/x.txt", "src/link/x.txt", "file"])
def test_a_symlink_in_the_way_is_never_followed(tmp_path, path):
    outside, work = tmp_path / "outside", tmp_path / "work"
    outside.mkdir()
    (outside / "x.txt").write_text("mine")
    (work / "src").mkdir(parents=True)
    (work / "link").symlink_to(outside)
    (work / "src/link").symlink_to("../../outside")
    (work / "file").symlink_to(outside / "x.txt")

    for content in (b"theirs", None):
        with pytest.raises(Refused) as caught:
            write_files(work, [ChangedFile(path, content)])
        assert caught.value.rule == "symlink"

    assert (outside / "x.txt").read_text() == "mine"
    assert list(outside.iterdir()) == [outside / "x.txt"]


def test_r1_the_push_clone_borrows_objects_and_has_no_hooks(mirror, tmp_path):
    clone = tmp_path / "push"
    clone.mkdir()

    make_push_clone(mirror, clone)

    shown = subprocess.run(
        ["git", "show", f"{mirror.head()}:src/app.py"], cwd=clone, check=True, capture_output=True
    )
    assert shown.stdout == b"one\n"
    assert not (clone / "hooks").exists()


def test_own_directories_exist_beside_each_other_and_go(tmp_path):
    with own_directory(tmp_path, "push") as first, own_directory(tmp_path, "push") as second:
        (first / "x").touch()
        assert first != second and first.is_dir() and second.is_dir()

    assert list(tmp_path.glob("push-*")) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    child = os.fork()
    if child == 0:
        with own_directory(tmp_path, "push") as left:
            (left / "x").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (left,) = tmp_path.glob("push-*")

    with own_directory(tmp_path, "push"):
        assert not left.exists()


def test_a_copy_keeps_symlinks_and_modes(tmp_path):
    source = tmp_path / "a"
    source.mkdir()
    (source / "x").write_text("x")
    (source / "x").chmod(0o755)
    (source / "link").symlink_to("/etc/passwd")

    copy_tree(source, tmp_path / "b")

    assert os.access(tmp_path / "b/x", os.X_OK)
    assert str((tmp_path / "b/link").readlink()) == "/etc/passwd"


def test_anything_a_test_left_is_removed_and_nothing_beyond(tmp_path):
    keep, tree = tmp_path / "keep", tmp_path / "tree"
    keep.mkdir()
    (keep / "x").write_text("x")
    tree.mkdir()
    (tree / "link").symlink_to(keep)
    (tree / "locked").mkdir()
    (tree / "locked/file").write_text("x")
    (tree / "locked").chmod(0)
    here = os.open(tree, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d" * 10, dir_fd=here)
        below = os.open("d" * 10, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)

    try:
        remove_tree(tree)
        assert not tree.exists()
    finally:
        subprocess.run(["rm", "-rf", tree], check=True)  # pytest's own cleaning would stumble over it
    assert (keep / "x").exists()
    remove_tree(tmp_path / "never-there")
