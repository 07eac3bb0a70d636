"""GitHub through PyGithub: what is found, what is opened, what its refusals become."""

import logging
import socket
import time

import pytest
from aiops_action_github.address import Address
from aiops_action_github.forge import GithubForge
from github_api import GithubApi
from github_bench import GithubBench
from pydantic import SecretStr

from aiops_core import Retry
from aiops_core.repair import Rejected

TOKEN = GithubBench.token
PULLS = r"/pulls$"
MARK = "<!-- aiops:fingerprint=v1:abc -->"
SECONDARY = {
    "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
}
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


def test_an_open_request_comes_before_a_newer_closed_one(api, forge):
    api.repository.add_pull(head="fix/ready", base="main")
    api.repository.add_pull(head="fix/ready", base="main", state="closed")

    assert forge.find_request("fix/ready").number == 1


def test_of_closed_requests_the_newest_counts(api, forge):
    api.repository.add_pull(head="fix/ready", base="main", state="closed")
    api.repository.add_pull(head="fix/ready", base="main", state="closed", merged=True)

    assert (forge.find_request("fix/ready").number, forge.find_request("fix/ready").state) == (2, "merged")


def test_a_request_from_a_fork_is_not_ours(api, forge):
    api.repository.add_pull(head="fix/ready", base="main", owner="mallory", body=MARK)

    assert forge.find_request("fix/ready") is None
    assert forge.find_marked("v1:abc") is None


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


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_request_made_behind_an_error_is_found_instead_of_made_again(api, forge, status):
    api.fail("POST", PULLS, status, "<html>Unicorn!</html>", after=True)

    assert open_ready(forge).number == 1
    assert len(api.pulls) == 1


def test_an_error_before_the_request_was_made_asks_for_another_try(api, forge):
    api.fail("POST", PULLS, 502, "<html>Unicorn!</html>")

    with pytest.raises(Retry) as caught:
        open_ready(forge)

    assert str(caught.value) == "acme/shop: GitHub is out of order (502)."
    assert (caught.value.after, api.pulls) == (30.0, [])


def test_an_earlier_merged_request_is_not_taken_for_the_one_that_failed(api, forge):
    api.repository.add_pull(head="fix/ready", base="main", state="closed", merged=True)
    api.fail("POST", PULLS, 502, "<html>Unicorn!</html>")

    with pytest.raises(Retry):
        open_ready(forge)


def test_a_request_whose_answer_never_came_is_found(api, make_forge):
    api.hang("POST", PULLS, after=True)

    assert open_ready(make_forge(patience=1)).number == 1
    assert len(api.pulls) == 1


def test_half_an_answer_is_no_answer(api, forge):
    api.fail("POST", PULLS, 201, '{"number": 1, "sta', after=True)

    assert open_ready(forge).number == 1


def test_no_connection_asks_for_another_try(make_forge):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        forge = make_forge(api_url=f"http://127.0.0.1:{unused.getsockname()[1]}")

        with pytest.raises(Retry) as caught:
            forge.find_request("fix/ready")

    assert str(caught.value) == "acme/shop: GitHub cannot be reached (ConnectionError)."


@pytest.mark.parametrize(
    ("status", "body", "headers", "after"),
    [
        (403, SECONDARY, {"Retry_After": "17"}, 17),
        (403, SECONDARY, {}, 60),
        (429, {"message": "Too many requests"}, {}, 60),
        (429, {"message": "Too many requests"}, {"Retry_After": "5"}, 5),
    ],
)
def test_a_rate_limit_asks_to_wait_as_long_as_github_says(api, forge, status, body, headers, after):
    api.fail("POST", PULLS, status, body, **headers)

    with pytest.raises(Retry) as caught:
        open_ready(forge)

    assert str(caught.value) == "acme/shop: GitHub's rate limit is reached."
    assert caught.value.after == after


def test_a_used_up_quota_asks_to_wait_for_its_reset(api, forge):
    headers = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(time.time()) + 900)}
    api.fail(
        "GET", "^/repos/acme/shop$", 403, {"message": "API rate limit exceeded for user ID 1."}, **headers
    )

    with pytest.raises(Retry) as caught:
        forge.find_request("fix/ready")

    assert 890 <= caught.value.after <= 900


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


def test_a_branch_github_does_not_see_yet_asks_for_another_try(forge):
    with pytest.raises(Retry) as caught:
        open_ready(forge, branch="fix/not-there-yet")

    assert str(caught.value) == (
        "acme/shop: GitHub does not know the pushed branch. Look whether somebody removed it, "
        "then retry the incident. (GitHub: Validation Failed)"
    )
    assert caught.value.after == 10


def test_a_bad_token_says_what_a_good_one_is(make_forge):
    with pytest.raises(Rejected) as caught:
        make_forge(token="ghp_wrong").find_request("fix/ready")

    assert str(caught.value) == (
        "acme/shop: GitHub refuses the token. Put a valid one into repository.token: "
        f"{ACCESS}. (GitHub: Bad credentials)"
    )


def test_a_token_without_permission_says_which_it_lacks(api, forge):
    api.fail("POST", PULLS, 403, {"message": "Resource not accessible by personal access token"})

    with pytest.raises(Rejected) as caught:
        open_ready(forge)

    assert str(caught.value) == (
        f"acme/shop: GitHub forbids it to this token. Give it {ACCESS}. "
        "(GitHub: Resource not accessible by personal access token)"
    )


def test_a_repository_that_is_not_there_is_named(make_forge):
    with pytest.raises(Rejected) as caught:
        make_forge("acme/nothing").find_request("fix/ready")

    assert str(caught.value) == (
        "acme/nothing: GitHub knows no such repository, or this token may not see it. "
        "Check repository.url and which repositories the token covers. (GitHub: Not Found)"
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


def test_an_enterprise_server_answers_under_its_prefix(bare, make_forge):
    with GithubApi(bare.path, token=TOKEN, prefix="/api/v3") as api:
        forge = make_forge(token=TOKEN, api_url=api.url)
        opened = open_ready(forge)
        forge.add_labels(opened.number, ["aiops"])

        assert (opened.number, api.pulls[0].labels, api.violations) == (1, ["aiops"], [])


def test_the_token_is_in_no_log_even_at_the_finest_level(api, forge, caplog):
    caplog.set_level(logging.DEBUG)

    open_ready(forge)

    assert "PyGithub" in caplog.text or "/pulls" in caplog.text
    assert api.token not in caplog.text
