"""What the remote says, and what it is told: the token, its rules, its address."""

import pytest
from publish_scene import BRANCH, made, push

from aiops_core.repair import GitError, remote_address
from aiops_core.settings import Repository
from aiops_core.testing.git_http import GitHttpServer

TOKEN = "glpat-0123456789abcdefghij"


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


def test_an_address_with_credentials_is_refused_before_anything_shows_it():
    with pytest.raises(GitError) as caught:
        remote_address(Repository(url="https://ann:s3cret@git.example/x.git"))

    assert "s3cret" not in str(caught.value)
