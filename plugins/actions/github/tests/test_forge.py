"""GitHub through PyGithub: what is found, what is opened, what its refusals become."""

import logging

import pytest
from aiops_action_github.address import Address
from aiops_action_github.forge import GithubForge
from github_bench import GithubBench
from pydantic import SecretStr

from aiops_core import Retry
from aiops_core.repair import Rejected

TOKEN = GithubBench.token
PULLS = r"/pulls$"
MARK = "<!-- aiops:fingerprint=v1:abc -->"
ACCESS = "'Contents' and 'Pull requests' read and write, or a classic token with the scope 'repo'"


@pytest.fixture
def make_forge(api):
    made = []

    def make(slug="acme/shop", token=api.token, api_url=api.url, patience=20):
        owner, _, name = slug.partition("/")
        address = Address("127.0.0.1", owner, name, api_url)
        made.append(GithubForge(address, SecretStr(token), timeout=patience))
        return made[-1]

    yield make
    for forge in made:
        forge.close()


@pytest.fixture
def forge(make_forge):
    return make_forge()


def open_ready(forge, **values):
    return forge.open_request(**{"branch": "fix/ready", "base": "main", "title": "t", "body": "b", **values})


def test_a_request_is_opened_and_found_by_its_branch(api, bare, forge):
    opened = open_ready(forge, draft=True)

    assert (opened.number, opened.state, opened.is_draft) == (1, "open", True)
    assert opened.url == f"{api.url}/acme/shop/pull/1"
    assert opened.commit == api.repository.commit("fix/ready")
    assert forge.find_request("fix/ready") == opened
    assert forge.look(1) == opened


def test_a_branch_without_a_request_finds_none(forge):
    assert forge.find_request("fix/ready") is None


def test_a_server_that_ignores_the_filter_does_not_get_another_request_adopted(api, forge):
    api.repository.filters_heads = False
    api.repository.add_pull(head="other", base="main")

    assert forge.find_request("fix/ready") is None


def test_a_request_is_found_by_its_mark_on_a_later_page(api, forge):
    api.repository.add_pull(head="fix/older-name", base="main", body=f"{MARK}\n\ntext")
    for number in range(101):
        api.repository.add_pull(head=f"other/{number}", base="main", body="no mark")

    assert forge.find_marked("v1:abc").branch == "fix/older-name"
    assert forge.find_marked("v1:ab") is None


def test_a_renamed_repository_is_followed_and_the_search_keeps_its_filter(api, make_forge):
    api.former_slug = "acme/store"
    api.repository.add_pull(head="other", base="main")
    forge = make_forge("acme/store")

    assert forge.find_request("fix/ready") is None
    assert open_ready(forge).number == 2
    assert api.count("POST", "^/repos/acme/shop/pulls$") == 1


def test_a_request_that_exists_is_returned(api, forge):
    api.repository.add_pull(head="fix/ready", base="main")

    assert open_ready(forge).number == 1


def test_without_drafts_it_is_opened_ready_for_review(api, forge):
    api.repository.supports_drafts = False

    assert open_ready(forge, draft=True).is_draft is False


@pytest.mark.parametrize(("headers", "after"), [({}, 60), ({"Retry_After": "5"}, 5)])
def test_too_many_requests_wait_as_long_as_github_says(api, forge, headers, after):
    api.fail("POST", PULLS, 429, {"message": "Too many requests"}, **headers)

    with pytest.raises(Retry) as caught:
        open_ready(forge)

    assert str(caught.value) == "acme/shop: GitHub's rate limit is reached."
    assert caught.value.after == after


@pytest.mark.parametrize(
    ("values", "reason", "message"),
    [
        (
            {"branch": "same"},
            "no-commits",
            "acme/shop: the base branch has this change already. Nothing is left to propose. "
            "(GitHub: Validation Failed – No commits between main and same)",
        ),
        (
            {"branch": "lonely"},
            "no-history",
            "acme/shop: the fix and the base branch share no history. Look whether the base branch was "
            "rewritten, then retry the incident. "
            "(GitHub: Validation Failed – The lonely branch has no history in common with main)",
        ),
        (
            {"base": "nowhere"},
            "base",
            "acme/shop: GitHub does not know the branch to propose to. Check repository.branch. "
            "(GitHub: Validation Failed)",
        ),
    ],
)
def test_what_cannot_be_opened_says_why(forge, values, reason, message):
    with pytest.raises(Rejected) as caught:
        open_ready(forge, **values)

    assert (caught.value.reason, str(caught.value)) == (reason, message)


def test_a_bad_token_says_what_a_good_one_is(make_forge):
    with pytest.raises(Rejected) as caught:
        make_forge(token="ghp_wrong").find_request("fix/ready")

    assert str(caught.value) == (
        "acme/shop: GitHub refuses the token. Put a valid one into repository.token: "
        f"{ACCESS}. (GitHub: Bad credentials)"
    )


def test_an_archived_repository_is_left_alone(api, forge):
    api.repository.is_archived = True

    with pytest.raises(Rejected) as caught:
        forge.find_request("fix/ready")

    assert str(caught.value) == (
        "acme/shop: the repository is archived. Unarchive it, or take this action out of the pipeline."
    )


def test_answers_that_lead_to_another_host_are_not_followed(api, forge):
    api.repository.api_url = "http://evil.example"

    with pytest.raises(Rejected) as caught:
        forge.find_request("fix/ready")

    assert str(caught.value) == (
        "acme/shop: what answers there is not GitHub, or leads to another host. Check api_url."
    )


def test_a_page_that_is_no_api_is_not_taken_for_github(api, forge):
    api.fail("GET", "^/repos/acme/shop$", 200, "<html>Sign in</html>")

    with pytest.raises(Rejected) as caught:
        forge.find_request("fix/ready")

    assert caught.value.reason == "stranger"


def test_people_and_teams_are_asked_for_a_review(api, forge):
    open_ready(forge)

    forge.ask_reviewers(1, ["ann", "acme/checkout"])

    assert api.requests[-1].body == {"reviewers": ["ann"], "team_reviewers": ["checkout"]}
    assert api.pulls[0].reviewers == ["ann"]


def test_labels_are_added_to_those_there(api, forge):
    api.repository.add_pull(head="fix/ready", base="main", labels=["bug"])

    forge.add_labels(1, ["aiops"])

    assert api.pulls[0].labels == ["bug", "aiops"]


def test_the_token_is_in_no_log_even_at_the_finest_level(api, forge, caplog):
    caplog.set_level(logging.DEBUG)

    open_ready(forge)

    assert "PyGithub" in caplog.text or "/pulls" in caplog.text
    assert api.token not in caplog.text
