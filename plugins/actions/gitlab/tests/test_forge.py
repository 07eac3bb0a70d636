"""GitLab through python-gitlab: what only it does; the rest is shown by tests/forge_conformance."""

import logging
import time

import pytest
import requests
from gitlab_api import GitlabApi
from gitlab_bench import GitlabBench

from aiops_core import Retry
from aiops_core.repair import Rejected

MARK = "<!-- aiops:fingerprint=v1:abc -->"
OPEN = {"branch": "fix/ready", "base": "main", "title": "t", "body": "b"}


def test_a_draft_is_a_matter_of_the_title_which_is_given_back_without(api, forge):
    opened = forge.open_request(**OPEN, draft=True)

    assert api.project.requests[1].title == "Draft: t"
    assert (opened.title, opened.is_draft) == ("t", True)


@pytest.mark.parametrize(
    ("before", "after"), [("Draft: t", "Draft: new"), ("[Draft] t", "Draft: new"), ("t", "new")]
)
def test_a_new_title_leaves_a_draft_a_draft(api, forge, before, after):
    forge.open_request(**OPEN)
    api.project.requests[1].title = before

    forge.edit_request(1, "new", "text")

    assert (api.project.requests[1].title, api.project.requests[1].description) == (after, "text")


def test_a_request_that_is_being_merged_is_still_open(api, forge):
    forge.open_request(**OPEN)
    api.project.requests[1].state = "locked"

    assert forge.look(1).state == "open"


def test_a_gitlab_under_a_path_keeps_the_path_on_later_pages(bare, make_forge):
    with GitlabApi(bare.path, token=GitlabBench.token, prefix="/gitlab") as api:
        forge = make_forge(url=api.url)
        api.project.add(source="fix/older", target="main", description=f"{MARK}\n\ntext")
        for number in range(101):
            api.project.add(source=f"other/{number}", target="main", description=MARK, project=43)

        assert forge.find_marked("v1:abc").branch == "fix/older"
        assert forge.find_marked("v1:ab") is None
        assert api.count("GET", "/merge_requests$") == 4


def test_s23_a_server_whose_pages_lead_to_another_host_is_asked_at_its_own(api, forge):
    for number in range(101):
        api.project.add(source=f"other/{number}", target="main", description="")
    link = {"Link": '<http://evil.example/api/v4/projects/42/merge_requests?page=2>; rel="next"'}
    api.fail("GET", "/merge_requests$", 200, [], **link)

    assert forge.find_marked("v1:abc") is None
    assert api.requests[-1].query["page"] == "2"


def test_a_renamed_project_is_followed_on_its_own_host(api, make_forge):
    api.former_path = "acme/store"

    assert make_forge("acme/store").open_request(**OPEN).number == 1


def test_a_server_that_ignores_the_filter_does_not_get_another_request_adopted(api, forge):
    api.project.filters_branches = False
    api.project.add(source="other", target="main")

    assert forge.find_request("fix/ready") is None


def test_people_are_asked_for_a_review_beside_those_asked_already(api, forge):
    forge.open_request(**OPEN)
    api.project.requests[1].reviewers = [9]

    forge.ask_reviewers(1, ["Ann"])

    assert api.project.requests[1].reviewers == [9, 7]


def test_who_is_unknown_is_named_and_the_others_are_asked(api, forge):
    forge.open_request(**OPEN)

    with pytest.raises(Rejected) as caught:
        forge.ask_reviewers(1, ["bob", "nobody", "acme/checkout"])

    assert str(caught.value) == (
        "acme/backend/shop!1: GitLab refuses it. See what it said. "
        "(GitLab: no such user: nobody, acme/checkout)"
    )
    assert api.project.requests[1].reviewers == [8]


def test_an_archived_project_is_left_alone(api, forge):
    api.project.is_archived = True

    with pytest.raises(Rejected) as caught:
        forge.find_request("fix/ready")

    assert str(caught.value) == (
        "acme/backend/shop: the repository is archived. Unarchive it, or take this action out of the pipeline."
    )


@pytest.mark.parametrize("body", ["<html>Sign in</html>", [], {"id": "sign in"}])
def test_a_page_that_is_no_api_is_not_taken_for_gitlab(api, forge, body):
    api.fail("GET", "^/api/v4/projects/", 200, body)

    with pytest.raises(Rejected) as caught:
        forge.find_request("fix/ready")

    assert str(caught.value) == (
        "acme/backend/shop: what answers there is not GitLab, or leads to another host. Check url."
    )


def test_messages_by_field_are_told_in_one_line(api, forge):
    api.fail("POST", "/merge_requests$", 400, {"message": {"title": ["can't be blank", "is\x1b odd"]}})

    with pytest.raises(Rejected) as caught:
        forge.open_request(**OPEN)

    assert str(caught.value).endswith("(GitLab: title can't be blank – title is odd)")


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        (lambda: {"Retry_After": "41"}, 41, 41),
        (lambda: {"RateLimit_Remaining": "0", "RateLimit_Reset": str(int(time.time()) + 500)}, 480, 500),
        (dict, 60, 60),
    ],
)
def test_r12_nobody_waits_for_a_rate_limit_here_the_host_is_asked_to(api, forge, headers, least, most):
    api.fail("GET", "^/api/v4/projects/", 429, "Retry later\n", **headers())
    begun = time.monotonic()

    with pytest.raises(Retry) as caught:
        forge.find_request("fix/ready")

    assert least <= caught.value.after <= most
    assert (len(api.requests), time.monotonic() - begun < 20) == (1, True)


def test_s23_the_token_travels_in_a_header_and_is_in_no_log(api, forge, caplog):
    caplog.set_level(logging.DEBUG)

    forge.open_request(**OPEN)

    assert {asked.headers["private-token"] for asked in api.requests} == {api.token}
    assert "/merge_requests" in caplog.text and api.token not in caplog.text


def test_ambient_configuration_is_not_used(api, make_forge, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password ambient\n")
    (tmp_path / ".python-gitlab.cfg").write_text("[global]\ndefault = x\n[x]\nurl = https://evil.example\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    make_forge().open_request(**OPEN)

    assert not [asked for asked in api.requests if "authorization" in asked.headers]


# the stub speaks as GitLab does


@pytest.fixture
def call(api):
    def call(method, path, body=None, token=api.token):
        url = f"{api.url}/api/v4/projects/42{path}"
        return requests.request(method, url, json=body, headers={"PRIVATE-TOKEN": token}, timeout=5)

    return call


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 409, ["Another open merge request already exists for this source branch: !1"]),
        ({"target_branch": "fix/ready"}, 422, ["You can't use same project/branch for source and target"]),
        ({"source_branch": "nowhere"}, 422, ['Source branch "nowhere" does not exist']),
    ],
)
def test_a_request_that_cannot_be_is_refused_in_gitlabs_words(api, call, body, status, message):
    api.project.add(source="fix/ready", target="main")

    answer = call(
        "POST",
        "/merge_requests",
        {"source_branch": "fix/ready", "target_branch": "main", "title": "t", **body},
    )

    assert (answer.status_code, answer.json()["message"]) == (status, message)


def test_gitlab_opens_a_request_without_commits_or_common_history(call):
    for source in ("same", "lonely"):
        body = {"source_branch": source, "target_branch": "main", "title": "t"}
        assert call("POST", "/merge_requests", body).status_code == 201


def test_what_gitlab_does_not_document_is_noticed(api, call):
    call("POST", "/merge_requests", {"source_branch": "fix/ready", "target_branch": "main", "draft": True})

    assert sorted(api.violations) == [
        "POST /projects/:id/merge_requests: no title",
        "POST /projects/:id/merge_requests: unknown draft",
    ]
    api.violations.clear()
