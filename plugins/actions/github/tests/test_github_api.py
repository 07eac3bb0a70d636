"""The stub speaks as GitHub does; these tests are about the stub alone."""

import pytest
import requests

PULLS = "/repos/acme/shop/pulls"
READY = {"title": "fix: sum", "head": "fix/ready", "base": "main"}


@pytest.fixture
def call(api):
    def call(method, path, body=None, token=api.token):
        return requests.request(
            method, api.url + path, json=body, headers={"Authorization": f"token {token}"}, timeout=5
        )

    return call


def messages(answer):
    return [error.get("message", error["code"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"base": "same"}, "A pull request already exists for acme:fix/ready."),
        ({"head": "same"}, "No commits between main and same"),
        ({"head": "lonely"}, "The lonely branch has no history in common with main"),
    ],
)
def test_a_request_that_cannot_be_is_refused_in_githubs_words(api, call, body, message):
    api.repository.add_pull(head="fix/ready", base="same")

    answer = call("POST", PULLS, {**READY, **body})

    assert answer.status_code == 422
    assert messages(answer) == [message]


@pytest.mark.parametrize("field", ["head", "base"])
def test_a_branch_that_is_not_there_is_an_invalid_field(call, field):
    answer = call("POST", PULLS, {**READY, field: "nowhere"})

    assert answer.json()["errors"] == [{"resource": "PullRequest", "code": "invalid", "field": field}]


def test_drafts_are_refused_where_the_plan_has_none(api, call):
    api.repository.supports_drafts = False

    answer = call("POST", PULLS, {**READY, "draft": True})

    assert answer.json()["message"] == "Draft pull requests are not supported in this repository."
    assert "errors" not in answer.json()


def test_a_missing_base_is_named_and_noticed_as_a_violation(api, call):
    answer = call("POST", PULLS, {"title": "fix", "head": "fix/ready"})

    assert (answer.status_code, answer.json()["message"]) == (
        422,
        'Invalid request.\n\n"base" wasn\'t supplied.',
    )
    assert "'base' is a required property" in api.violations.pop()


def test_a_request_githubs_schema_does_not_know_is_noticed(api, call):
    call("POST", PULLS, {**READY, "drafty": True})

    assert "unknown key drafty" in api.violations.pop()


def test_an_answer_githubs_schema_does_not_allow_is_noticed(api, call):
    api.repository.add_pull(head="fix/ready", base="main", title=7)

    call("GET", f"{PULLS}/1")

    assert "7 is not of type 'string'" in api.violations.pop()


def test_a_wrong_token_is_bad_credentials(call):
    answer = call("GET", "/repos/acme/shop", token="wrong")

    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_a_created_request_is_listed_by_its_head_and_stays_in_pages(api, call):
    for number in range(3):
        api.repository.add_pull(head=f"other/{number}", base="main")
    assert call("POST", PULLS, READY).status_code == 201

    listed = call("GET", f"{PULLS}?state=all&head=acme:fix/ready").json()
    page = call("GET", f"{PULLS}?per_page=3")

    assert [pull["number"] for pull in listed] == [4]
    assert [pull["number"] for pull in page.json()] == [4, 3, 2]
    assert page.links["next"]["url"] == f"{api.url}{PULLS}?per_page=3&page=2"


def test_a_renamed_repository_redirects(api, call):
    api.former_slug = "acme/store"

    answer = call("GET", "/repos/acme/store")

    assert answer.json()["full_name"] == "acme/shop"
    assert answer.history[0].status_code == 301


def test_labels_and_reviewers_are_kept(api, call):
    api.repository.add_pull(head="fix/ready", base="main")

    labels = call("POST", "/repos/acme/shop/issues/1/labels", ["aiops"])
    asked = call("POST", f"{PULLS}/1/requested_reviewers", {"reviewers": ["ann"]})
    refused = call("POST", f"{PULLS}/1/requested_reviewers", {"reviewers": ["eve"]})

    assert [label["name"] for label in labels.json()] == ["aiops"]
    assert [user["login"] for user in asked.json()["requested_reviewers"]] == ["ann"]
    assert refused.status_code == 422
