"""One branch and one commit, whatever happens in between (R10)."""

import os
import shutil
import signal
import threading

import pytest
from publish_scene import BRANCH, better, made, push

from aiops_core import replace
from aiops_core.errors import Refused
from aiops_core.repair import GitError


def test_r10_publishing_twice_gives_one_branch_and_the_same_commit(shop, tmp_path):
    change = made(shop)

    first = push(shop, change, tmp_path)
    second = push(shop, change, tmp_path)
    elsewhere = push(shop, change, tmp_path, scratch="another")

    assert first == second == elsewhere
    assert len(shop.branches()) == 2
    assert not list((tmp_path / "scratch").glob("push-*"))


def test_r10_two_workers_at_once_agree(shop, tmp_path):
    change, results = made(shop), []

    def work(number):
        try:
            results.append(push(shop, change, tmp_path, scratch=f"worker-{number % 2}"))
        except (Refused, GitError) as error:
            results.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(results)) == 1
    assert results[0].commit == shop.branches()[BRANCH]


@pytest.fixture
def deadly_git(tmp_path, monkeypatch):
    """Return a function after which the n-th git call kills the process that makes it."""
    directory, counter, fatal = tmp_path / "bin", tmp_path / "calls", tmp_path / "fatal"
    directory.mkdir()
    (directory / "git").write_text(
        f"#!/bin/sh\necho x >> {counter}\nn=$(wc -l < {counter})\n"
        f'[ "$n" = "$(cat {fatal} 2>/dev/null)" ] && [ $((n % 4)) -lt 2 ] && kill -9 $PPID\n'
        f'{shutil.which("git")} "$@"\ncode=$?\n'
        f'[ "$n" = "$(cat {fatal} 2>/dev/null)" ] && kill -9 $PPID\nexit $code\n'
    )
    (directory / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")

    def arm(call):
        counter.write_text("")
        fatal.write_text(str(call))
        return lambda: len(counter.read_text().splitlines())

    return arm


def test_r10_a_kill_at_any_git_call_ends_with_one_branch_and_the_same_commit(shop, tmp_path, deadly_git):
    change, commits, killed = made(shop), set(), 0
    for call in range(1, 60, 3):
        shop.on_remote("update-ref", "-d", f"refs/heads/{BRANCH}")
        deadly_git(call)
        child = os.fork()
        if child == 0:
            push(shop, change, tmp_path, scratch=f"scratch-{call % 3}")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        killed += 1
        deadly_git(0)
        commits.add(push(shop, change, tmp_path, scratch=f"scratch-{call % 3}").commit)
        assert set(shop.branches()) == {"main", BRANCH}
        shutil.rmtree(tmp_path / f"scratch-{(call + 1) % 3}", ignore_errors=True)

    assert killed > 5
    assert len(commits) == 1


def test_r10_a_better_fix_takes_the_place_of_our_own(shop, tmp_path):
    change = made(shop)
    push(shop, change, tmp_path)
    shop.commit({"src/other.py": "x\n"})

    published = push(shop, better(shop, change), tmp_path)

    assert shop.branches()[BRANCH] == published.commit
    assert shop.on_remote("rev-list", "--count", f"main..{BRANCH}") == "1"


def test_r10_a_merged_branch_that_nobody_removed_is_used_again(shop, tmp_path):
    change = made(shop)
    push(shop, change, tmp_path)
    shop.on_remote("update-ref", "refs/heads/main", f"refs/heads/{BRANCH}")
    since = replace(change, base_commit=shop.branches()[BRANCH])

    published = push(shop, better(shop, since), tmp_path)

    assert shop.branches()[BRANCH] == published.commit
