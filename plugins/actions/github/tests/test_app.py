"""A GitHub App instead of a token."""

import logging
from dataclasses import replace

import pytest
from aiops_action_github import GithubPullRequest, GithubPullRequestConfig
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github_bench import GithubBench
from github_repository import StubApp
from pydantic import ValidationError

from aiops_core import Context, Repository, UserError
from aiops_core.testing.forge_scene import BRANCH

TOKEN = "ghs_CANARY0of0an0installation0000000000"


@pytest.fixture(scope="session")
def keys():
    """Return a private key and its public half, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@pytest.fixture
def bench(template, tmp_path, keys):
    with GithubBench(template, tmp_path) as bench:
        bench.api.app = StubApp("1234", keys[1], TOKEN)
        bench.git.token = TOKEN
        yield bench
        assert bench.api.violations == []


@pytest.fixture
def setup(bench, keys):
    """The action has the App's key and no token of its own."""
    setup = bench.setup
    settings = {**setup.settings, "app_id": "1234", "app_key": keys[0]}
    return replace(setup, settings=settings, repository={**setup.repository, "token": ""})


def test_an_app_pushes_and_opens_the_request_with_no_more_than_it_needs(bench, setup):
    outcome = setup.action().act(bench.plan())

    assert (outcome.status, bench.bare.fix_branches) == ("done", [BRANCH])
    assert bench.api.app.issued == [{"contents": "write", "pull_requests": "write", "metadata": "read"}]
    assert setup.action().follow(outcome) is None


def test_r12_an_app_that_is_not_installed_says_so(bench, setup):
    bench.api.app.installation = 0

    outcome = setup.action().act(bench.plan())

    assert outcome.summary == (
        "acme/shop: GitHub knows no such repository, or this token may not see it. Check repository.url and "
        "which repositories the token covers. (GitHub: the App is not installed on this repository)"
    )


def test_r12_an_app_that_may_too_little_says_what_it_lacks(bench, setup):
    bench.api.app.granted = {"contents": "read"}

    outcome = setup.action().act(bench.plan())

    assert outcome.status == "failed"
    assert outcome.summary.startswith("acme/shop: GitHub forbids it to this token. Give it 'Contents' and")


def test_r12_a_key_github_does_not_know_is_refused(bench, setup):
    bench.api.app.app_id = "another"

    assert "GitHub refuses the token." in setup.action().act(bench.plan()).summary


def test_r13_s23_neither_key_nor_token_is_seen_anywhere(bench, setup, keys, caplog):
    caplog.set_level(logging.DEBUG)
    plan = bench.plan()

    outcome = setup.action().act(plan)

    written = [path.read_bytes() for path in setup.directory.rglob("*") if path.is_file()]
    secret = keys[0].splitlines()[1]
    assert "/installation" in caplog.text
    for shown in (caplog.text, repr(plan), repr(outcome), repr(setup.action().config)):
        assert TOKEN not in shown and secret not in shown
    assert not [content for content in written if TOKEN.encode() in content or secret.encode() in content]


def test_a_key_that_is_none_is_refused_at_the_start():
    config = GithubPullRequestConfig(app_id="1234", app_key="no key")
    context = Context(repository=Repository(url="https://github.com/acme/shop.git"))

    with pytest.raises(UserError) as caught:
        GithubPullRequest(config, context).start()

    assert str(caught.value) == (
        "app_key: it is no private key of a GitHub App (InvalidKeyError). Write app_key: ${file:PATH}, "
        "with the path of the PEM file that GitHub gave when the key was made."
    )


@pytest.mark.parametrize("settings", [{"app_id": "1234"}, {"app_key": "key"}])
def test_half_an_app_is_refused(settings):
    with pytest.raises(ValidationError, match="app_id and app_key go together: write both, or neither"):
        GithubPullRequestConfig(**settings)
