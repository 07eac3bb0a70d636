import base64
import threading
import time

import pytest

from aiops_core.repository import GitError, open_mirror, open_remote, run_git
from aiops_core.repository.errors import classify
from aiops_core.repository.locks import locked
from aiops_core.settings import Repository
from aiops_core.testing.git_http import GitHttpServer

TOKEN = "glpat-0123456789abcdefghij"


def test_s23_the_token_reaches_git_but_no_argument_and_no_file(shop, tmp_path, recorded_git):
    with GitHttpServer(shop.remote.parent, token=TOKEN) as server:
        config = Repository(url=server.url("shop.git"), token=TOKEN)

        mirror = open_mirror(config, tmp_path / "state")

    assert mirror.read(mirror.head(), "README.md") == b"shop\n"
    argv = [call.arguments for call in recorded_git.calls]
    assert len(argv) > 3
    assert not [line for line in argv if TOKEN in line or "Authorization" in line]
    header = mirror.remote.header.rpartition(" ")[2]
    for file in mirror.path.rglob("*"):
        if file.is_file():
            assert TOKEN.encode() not in file.read_bytes()
            assert header.encode() not in file.read_bytes()


def test_a_server_that_wants_bearer_is_answered_with_a_clear_error(shop, tmp_path):
    with GitHttpServer(shop.remote.parent, token=TOKEN, auth="bearer") as server:
        config = Repository(url=server.url("shop.git"), token=TOKEN)
        with pytest.raises(GitError) as caught:
            open_mirror(config, tmp_path)

    assert caught.value.kind == "auth"
    assert TOKEN not in str(caught.value) + caught.value.detail


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_missing_or_wrong_token_is_called_by_its_name(shop, tmp_path, token):
    with GitHttpServer(shop.remote.parent, token=TOKEN) as server, pytest.raises(GitError) as caught:
        open_mirror(Repository(url=server.url("shop.git"), token=token), tmp_path)

    assert caught.value.kind == "auth"
    assert not caught.value.is_transient
    assert str(caught.value).startswith(
        f"repository {server.url('shop.git')}: the remote refuses this token or key"
    )
    assert str(caught.value).endswith(
        "Check repository.token: it may be missing, expired, or lack access to read and write code."
    )


def test_a_missing_repository_says_what_to_check(shop, tmp_path):
    missing = tmp_path / "nowhere.git"

    with pytest.raises(GitError) as caught:
        open_mirror(Repository(url=str(missing)), tmp_path)

    assert caught.value.kind == "not-found"
    assert str(caught.value) == (
        f"repository {missing}: there is no such repository, or the token may not see it (git: "
        f"'{missing}' does not appear to be a git repository). "
        "Check repository.url and what repository.token gives access to."
    )


@pytest.mark.parametrize(("status", "kind"), [(404, "not-found"), (503, "network"), (403, "auth")])
def test_a_status_of_the_server_becomes_a_diagnosis(shop, tmp_path, status, kind):
    with GitHttpServer(shop.remote.parent) as server:
        server.fail_with = status
        with pytest.raises(GitError) as caught:
            open_mirror(Repository(url=server.url("shop.git")), tmp_path)

    assert caught.value.kind == kind


def test_an_unreachable_host_may_be_tried_again(tmp_path):
    with pytest.raises(GitError) as caught:
        open_mirror(Repository(url="http://127.0.0.1:9/shop.git", token=TOKEN), tmp_path)

    assert caught.value.kind == "network"
    assert caught.value.is_transient


def test_a_redirect_never_carries_the_token_elsewhere(shop, tmp_path):
    with GitHttpServer(shop.remote.parent) as other, GitHttpServer(shop.remote.parent, token=TOKEN) as server:
        server.redirect_to = other.address
        with pytest.raises(GitError) as caught:
            open_mirror(Repository(url=server.url("shop.git"), token=TOKEN), tmp_path)

    assert caught.value.kind == "redirect"
    assert "Write the final address into repository.url" in str(caught.value)
    assert other.requests == []


def test_s24_what_the_parent_set_for_git_does_not_reach_it(shop, tmp_path, recorded_git, monkeypatch):
    marker = tmp_path / "planted"
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(f"[core]\n\tfsmonitor = touch {marker}\n[alias]\n\tx = y\n")
    for name, value in {
        "HOME": str(tmp_path / "home"),
        "GIT_DIR": "/nonexistent",
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_SSH_COMMAND": f"touch {marker}",
        "GIT_CONFIG_PARAMETERS": "'core.pager'='less'",
        "GIT_CURL_VERBOSE": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(tmp_path),
        "GIT_ASKPASS": f"touch {marker}",
        "GIT_EXTERNAL_DIFF": f"touch {marker}",
        "GIT_TRACE_CURL": str(tmp_path / "trace"),
        "GIT_WORK_TREE": "/nonexistent",
        "LD_PRELOAD": "",
    }.items():
        monkeypatch.setenv(name, value)

    open_mirror(Repository(url=str(shop.remote)), tmp_path / "state").log(shop.git("rev-parse", "HEAD"))

    seen = recorded_git.text
    assert not marker.exists()
    assert not (tmp_path / "trace").exists()
    assert "less" not in seen and f"={tmp_path}\n" not in seen
    assert {name for call in recorded_git.calls for name in call.environment} <= {
        *("_", "PWD", "OLDPWD", "SHLVL", "PATH", "HOME", "TMPDIR", "LC_ALL"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"),
        *("GIT_TERMINAL_PROMPT", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_ATTR_NOSYSTEM"),
        *("GIT_NO_REPLACE_OBJECTS", "GIT_OPTIONAL_LOCKS", "GIT_LFS_SKIP_SMUDGE", "GIT_CONFIG_COUNT"),
        *(f"GIT_CONFIG_{part}_{number}" for part in ("KEY", "VALUE") for number in range(30)),
    }


def test_s25_only_the_protocol_of_the_address_is_allowed(shop, tmp_path):
    remote = open_remote(Repository(url="https://git.example/shop.git"))

    with pytest.raises(GitError) as caught:
        run_git(["ls-remote", "--", str(shop.remote)], cwd=tmp_path, remote=remote)

    assert "transport 'file' not allowed" in caught.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "https://ann:secret@git.example/shop.git",
        "https://glpat-secret@git.example/shop.git",
        "ssh://git:secret@git.example/shop.git",
    ],
)
def test_s23_an_address_with_credentials_is_refused(url):
    with pytest.raises(GitError) as caught:
        open_remote(Repository(url=url))

    assert caught.value.kind == "url"
    assert str(caught.value) == (
        "repository.url: the address holds credentials, which would show in process lists and logs. "
        'Write the bare address and put the token under token:, as in "${env:GIT_TOKEN}".'
    )


@pytest.mark.parametrize(
    "url",
    ["", "--upload-pack=touch x", "ext::sh -c id", "ftp://git.example/a", "https://a\n.example/", "fd::7"],
)
def test_s26_an_address_git_should_not_see_is_refused(url):
    with pytest.raises(GitError) as caught:
        open_remote(Repository(url=url))

    assert caught.value.kind == "url"


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("https://gitlab.example/shop/checkout.git", "https"),
        ("git@github.com:acme/shop.git", "ssh"),
        ("github.com:acme/shop.git", "ssh"),
        ("git@host:/srv/shop.git", "ssh"),
        ("ssh://git@host:2222/shop.git", "ssh"),
        ("file:///srv/shop.git", "file"),
        ("/srv/my shop.git", "file"),
        ("../shop", "file"),
    ],
)
def test_usual_addresses_are_understood(url, scheme):
    assert open_remote(Repository(url=url)).scheme == scheme


def test_the_user_name_suits_the_forge():
    def user(url):
        header = open_remote(Repository(url=url, token="t0ken")).header
        return base64.b64decode(header.rpartition(" ")[2]).decode()

    assert user("https://github.com/acme/shop.git") == "x-access-token:t0ken"
    assert user("https://gitlab.example/acme/shop.git") == "oauth2:t0ken"
    assert open_remote(Repository(url="git@github.com:acme/shop.git", token="t0ken")).header == ""


def test_s23_whatever_git_prints_the_token_is_taken_out():
    remote = open_remote(Repository(url="https://git.example/shop.git", token=TOKEN))
    header = remote.header.rpartition(" ")[2]

    said = remote.scrub(f"bad {TOKEN} and {header} at https://oauth2:{TOKEN}@git.example/shop.git")

    assert said == "bad *** and *** at https://git.example/shop.git"


def test_a_git_that_hangs_is_ended_in_time(tmp_path, monkeypatch):
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "git").write_text("#!/bin/sh\nsleep 60 & wait\n")
    (directory / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    started = time.monotonic()

    with pytest.raises(GitError) as caught:
        run_git(["status"], cwd=tmp_path, timeout=0.2)

    assert time.monotonic() - started < 50  # it would take a minute
    assert caught.value.kind == "timeout"


def test_a_missing_git_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(GitError) as caught:
        run_git(["status"], cwd=tmp_path)

    assert str(caught.value) == (
        "git status: git is not installed. Install git 2.31 or later and make sure it is on PATH."
    )


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        ("fatal: could not read Username for 'https://github.com': terminal prompts disabled", "auth"),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 403", "auth"),
        ("remote: HTTP Basic: Access denied. The provided password or token is incorrect", "auth"),
        (
            "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            "auth",
        ),
        ("remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found", "not-found"),
        ("ERROR: Repository not found.\nfatal: Could not read from remote repository.", "not-found"),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", "network"),
        ("error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502", "network"),
        (
            " ! [rejected] HEAD -> fix/a (non-fast-forward)\nerror: failed to push some refs",
            "non-fast-forward",
        ),
        (" ! [rejected] HEAD -> fix/a (stale info)", "non-fast-forward"),
        ("remote: error: GH006: Protected branch update failed for refs/heads/main.", "protected"),
        (
            "remote: GitLab: You are not allowed to push code to protected branches on this project.",
            "protected",
        ),
        (" ! [remote rejected] HEAD -> fix/a (protected branch hook declined)", "protected"),
        (" ! [remote rejected] HEAD -> fix/a (pre-receive hook declined)", "hook"),
        ("remote: GitLab: Branch name does not follow the pattern 'feature/.*'", "hook"),
        (
            "remote: error: File a.bin is 101 MB; this exceeds GitHub's file size limit of 100.00 MB",
            "too-large",
        ),
        ("error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413", "too-large"),
        ("remote: fatal: pack exceeds maximum allowed size", "too-large"),
        (
            "! [remote rejected] HEAD -> a (refusing to allow a GitHub App to create or update workflow "
            "`.github/workflows/x.yml` without `workflows` permission)",
            "permission",
        ),
        ("fatal: detected dubious ownership in repository at '/srv/x'", "ownership"),
        ("fatal: write error: No space left on device", "disk"),
        ("fatal: something nobody has seen", "unknown"),
    ],
)
def test_what_git_says_is_classified(stderr, kind):
    assert classify(stderr) == kind


def test_a_lock_between_threads_holds(tmp_path):
    inside, most = [], []

    def work():
        with locked(tmp_path / "x.lock", wait=10):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 5


def test_a_lock_held_too_long_says_which(tmp_path):
    lock = tmp_path / "x.lock"

    with locked(lock, wait=1), pytest.raises(GitError) as caught, locked(lock, wait=0):
        pass

    assert str(caught.value).startswith(f"{tmp_path / 'x.lock'}: another worker has held this lock for 0 s.")
