import os
import shutil
import signal
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from aiops_core.errors import Refused
from aiops_core.records import Change, ChangedFile
from aiops_core.repair import (
    GitError,
    branch_name,
    change_from_json,
    change_to_json,
    commit_message,
    publish,
    remote_address,
)
from aiops_core.repair.diff import unified_diff
from aiops_core.settings import Repository
from aiops_core.testing.git_http import GitHttpServer

BRANCH = "fix/key-error-3f2a9c01d4b7"
MESSAGE = "fix: free items\n\nBecause.\n\nIncident: v1:3f2a\n"
TOKEN = "glpat-0123456789abcdefghij"


@pytest.fixture
def shop(origins, tmp_path):
    files = {"src/app.py": b"one\ntwo\n", "run.sh": b"#!/bin/sh\n", "crlf.txt": b"a\r\n"}
    return origins(tmp_path / "origin", files)


def made(shop, *files, base="", branch="main"):
    base = base or shop.git("rev-parse", "HEAD")
    files = files or (ChangedFile("src/app.py", b"one\n2\n"),)
    return Change(base, branch, files, unified_diff({}, files))


def push(shop, change, tmp_path, *, branch=BRANCH, message=MESSAGE, scratch="scratch", **settings):
    config = Repository(**{"url": str(shop.remote), **settings})
    place = tmp_path / scratch
    return publish(
        change, branch=branch, message=message, repository=config, mirrors=place / "mirrors", scratch=place
    )


def show(shop, commit, path):
    return subprocess.run(
        ["git", "cat-file", "blob", f"{commit}:{path}"], cwd=shop.remote, check=True, capture_output=True
    ).stdout


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


def better(shop, change):
    files = (ChangedFile("src/app.py", b"one\ntwo and a half\n"),)
    return replace(change, files=files, diff=unified_diff({}, files))


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

    published = push(shop, better(shop, change), tmp_path)

    assert shop.branches()[BRANCH] == published.commit


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


@pytest.mark.parametrize("how", ["rewritten", "unrelated", "gone"])
def test_r9_a_base_without_common_history_is_not_pushed(shop, tmp_path, how):
    change = made(shop, base="0" * 40 if how == "gone" else "")
    if how == "rewritten":
        shop.git("commit", "--quiet", "--amend", "-m", "other", "--date=2001-01-01T00:00:00Z")
    if how == "unrelated":
        shop.git("checkout", "--quiet", "--orphan", "fresh")
    if how != "gone":
        shop.commit({"x": "y"})

    with pytest.raises(Refused) as caught:
        push(shop, change, tmp_path)

    assert caught.value.rule == "history"
    assert str(caught.value) == (
        f"commit {change.base_commit[:12]}, which the fix starts from, is no longer in the history of main: "
        "the branch was rewritten. Retry the incident for a new fix."
    )
    assert BRANCH not in shop.branches()


def test_a_base_that_moved_on_is_no_obstacle(shop, tmp_path):
    change = made(shop)
    shop.commit({"src/other.py": "x\n"})

    published = push(shop, change, tmp_path)

    assert shop.on_remote("rev-parse", f"{published.commit}^") == change.base_commit


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


def test_r13_s23_the_token_is_seen_by_nobody(shop, tmp_path, recorded_git):
    change = made(shop)

    with GitHttpServer(shop.remote.parent, token=TOKEN) as server:
        published = push(shop, change, tmp_path, url=server.url("shop.git"), token=TOKEN)
        with pytest.raises(GitError) as caught:
            push(shop, change, tmp_path, url=server.url("shop.git"), token="wrong-token", scratch="other")

    assert shop.branches()[BRANCH] == published.commit
    assert published.remote_url == server.url("shop.git")
    assert caught.value.kind == "auth"
    argv = [call.arguments for call in recorded_git.calls]
    assert not [row for row in argv if TOKEN in row or "Basic" in row]
    assert "wrong-token" not in str(caught.value)
    assert any(row.startswith("push --quiet") for row in argv)
    for file in (tmp_path / "scratch").rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()


def test_r12_a_push_the_remote_does_not_allow_says_what_to_change(shop, tmp_path):
    hook = shop.remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\necho 'GitLab: You are not allowed to push to protected branches' >&2\nexit 1\n"
    )
    hook.chmod(0o755)

    with pytest.raises(GitError) as caught:
        push(shop, made(shop), tmp_path)

    assert caught.value.kind == "protected"
    assert str(caught.value) == (
        f"repository {shop.remote}: the remote's rules do not allow this push (git: GitLab: You are not allowed "
        "to push to protected branches). Allow branches under fix/ in its branch protection or push rules."
    )


def test_json_carries_a_change_whole(change):
    change = replace(
        change, files=(*change.files, ChangedFile("b", bytes(range(256))), ChangedFile("c", None))
    )

    assert change_from_json(change_to_json(change)) == change


@pytest.mark.parametrize(
    ("type_", "fingerprint", "expected"),
    [
        ("KeyError", "v1:3f2a9c01d4b7e8f9", "fix/key-error-3f2a9c01d4b7"),
        ("java.lang.NullPointerException", "3f2a9c01d4b7", "fix/null-pointer-exception-3f2a9c01d4b7"),
        ("HTTPError", "v1-3F2A9C01D4B7E8", "fix/http-error-3f2a9c01d4b7"),
        ("", "v1:3f2a9c01d4b7", "fix/python-3f2a9c01d4b7"),
        ("价格错误", "v1:3f2a9c01d4b7", "fix/python-3f2a9c01d4b7"),
        ("x" * 300, "v1:3f2a9c01d4b7", f"fix/{'x' * 40}-3f2a9c01d4b7"),
        ("../../etc; rm -rf", "v1:3f2a9c01d4b7", "fix/etc-rm-rf-3f2a9c01d4b7"),
    ],
)
def test_a_branch_is_named_after_error_and_fingerprint(incident, type_, fingerprint, expected):
    assert branch_name(replace(incident, type=type_, fingerprint=fingerprint)) == expected


def test_an_odd_fingerprint_still_gives_a_stable_name(incident):
    one = branch_name(replace(incident, fingerprint="odd/one"))

    assert one == branch_name(replace(incident, fingerprint="odd/one"))
    assert one != branch_name(replace(incident, fingerprint="odd/two"))
    assert len(one.rpartition("-")[2]) == 12


def test_s29_the_run_is_told_and_a_later_one_that_makes_the_same_pushes_nothing(shop, tmp_path):
    change = made(shop)
    first = push(shop, change, tmp_path, message=f"{MESSAGE}Run: 7\n")

    later = push(shop, change, tmp_path, message=f"{MESSAGE}Run: 8\n")
    other = push(shop, made(shop, ChangedFile("src/app.py", b"3\n")), tmp_path, message=f"{MESSAGE}Run: 9\n")

    assert later == first
    assert shop.branches()[BRANCH] == other.commit != first.commit


@pytest.fixture
def key(tmp_path):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed: nothing can be signed")
    made = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made], check=True)
    return made


def test_s29_commits_are_signed_where_a_key_is_configured_and_stay_the_same(shop, tmp_path, key):
    allowed = tmp_path / "allowed"
    allowed.write_text(f"aiops@localhost {key.with_suffix('.pub').read_text()}")
    change = made(shop)

    published = push(shop, change, tmp_path, signing_key=str(key))
    again = push(shop, change, tmp_path, scratch="another", signing_key=str(key))

    verify = [
        "-c",
        f"gpg.ssh.allowedSignersFile={allowed}",
        "log",
        "-1",
        "--format=%G? %GS",
        published.commit,
    ]
    assert shop.on_remote(*verify) == "G aiops@localhost"
    assert again == published


def test_s29_a_key_that_does_not_sign_is_named_and_nothing_is_pushed(shop, tmp_path):
    (tmp_path / "none").write_text("no key\n")

    with pytest.raises(Refused) as caught:
        push(shop, made(shop), tmp_path, signing_key=str(tmp_path / "none"))

    assert caught.value.setting == "repository.signing_key"
    assert str(caught.value).startswith(f"repository.signing_key: git cannot sign with {tmp_path}/none")
    assert list(shop.branches()) == ["main"]


def test_s29_a_commit_message_has_subject_reason_and_trailers(incident, analysis, change):
    assert commit_message(incident, analysis, replace(change, run=7)) == (
        "fix(app): Items without a price end the checkout\n\n"
        "total() indexes item['price'], and free items have none.\n\n"
        "Incident: v1:3f2a9c01d4b7e8f90123\nModel: claude\nRun: 7\nTested: yes\n"
    )


def test_s7_a_hostile_analysis_cannot_close_ping_link_or_sign(incident, analysis, change):
    hostile = replace(
        analysis,
        title="fix: Fixes #12 @everyone https://evil.example/x.png\x1b[31m\n\nSigned-off-by: root",
        root_cause="Closes acme/shop#7.\n\nResolves GH-3 and fixes PROJ-9\nCo-authored-by: x <x@y>\n\n![i](http://e/x)",
    )

    message = commit_message(incident, hostile, change)

    lines = message.splitlines()
    assert lines[0].startswith("fix(app): Fixes ")
    assert len(lines[0]) <= 72
    assert lines[1] == ""
    assert message.count("\n\n") == 2
    for danger in ("#12", "#7", "GH-3", "fixes PROJ-9", "@everyone", "https://", "http://", "\x1b", "<x@y>"):
        assert danger not in message
    assert all(len(line) <= 72 for line in lines)
    assert not any(
        line.startswith(("Signed-off-by", "Co-authored-by"))
        for line in message.split("\n\n")[-1].splitlines()
    )


def test_an_address_with_credentials_is_refused_before_anything_shows_it():
    with pytest.raises(GitError) as caught:
        remote_address(Repository(url="https://ann:s3cret@git.example/x.git"))

    assert "s3cret" not in str(caught.value)
