"""One incident, one branch, one pull request: through the action's own door."""

import json
import logging
import os
import shutil
import subprocess
import threading
from dataclasses import replace

import pytest
from aiops_action_github import GithubPullRequest, GithubPullRequestConfig
from aiops_action_github.order import Order
from github_scene import BRANCH, FIXED, FileEffects, make_analysis, make_change, make_incident

from aiops_core import Config, Context, Outcome, Plan, Repository, Retry, UserError

MARK = "<!-- aiops:fingerprint=v1:0123456789abcdef -->"


def git(bare, *arguments):
    return subprocess.run(
        ["git", "-C", str(bare), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def fix_branches(bare):
    names = git(bare, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/fix").splitlines()
    return [name for name in names if name != "fix/ready"]


@pytest.fixture
def change(api):
    return make_change(api.repository.commit("main"))


@pytest.fixture
def make_plan(setup, change):
    def make(change=change, **settings):
        return setup.action(**settings).plan(make_incident(), make_analysis(), change)

    return make


@pytest.fixture
def pushed_plan(bare, setup, make_plan):
    """A plan whose push a killed process has recorded already."""
    plan = make_plan(labels=["aiops"])
    git(bare, "update-ref", f"refs/heads/{BRANCH}", "fix/ready")
    with FileEffects(setup.directory / "effects.json")("push", Order.read(plan.data).key) as effect:
        effect.result = {"commit": git(bare, "rev-parse", BRANCH)}
    return plan


# plan


def test_without_a_fix_there_is_nothing_to_plan(make_plan):
    assert make_plan(change=None) is None


def test_a_plan_says_what_will_be_pushed_and_asked_for(make_plan):
    plan = make_plan(labels=["aiops"], reviewers=["ann", "acme/checkout"])

    assert plan.title == "Draft pull request in acme/shop: fix: total adds one"
    assert plan.text == (
        f"Push branch {BRANCH} to acme/shop and open a draft pull request into main: fix: total adds one\n"
        "1 file, +1 −1:\n"
        "  shop/cart.py +1 −1\n"
        "Labels: aiops\n"
        "Reviewers: ann, acme/checkout"
    )


def test_planning_touches_nothing(api, server, make_plan):
    make_plan()

    assert (api.requests, server.requests) == ([], [])


def test_a_plan_survives_the_store(make_plan):
    plan = make_plan()

    assert json.loads(json.dumps(plan.data)) == plan.data
    assert MARK in plan.data["body"]


def test_what_no_test_has_seen_is_a_draft_whatever_the_setting(change, make_plan):
    untested = make_plan(change=replace(change, before=None, after=None), draft=False)

    assert untested.data["draft"] is True
    assert make_plan(draft=False).title == "Pull request in acme/shop: fix: total adds one"


def test_r26_a_fix_that_stops_at_draft_is_a_draft_whatever_the_setting(change, make_plan):
    capped = make_plan(change=replace(change, may_reach="draft"), draft=False)

    assert capped.data["draft"] is True


# act


def test_the_fix_is_pushed_and_its_request_opened(api, bare, setup, make_plan):
    plan = make_plan(labels=["aiops"], reviewers=["ann"])

    outcome = setup.action().act(plan)

    commit = git(bare, "rev-parse", BRANCH)
    assert outcome == Outcome(
        "done",
        "pull request #1: opened as a draft.",
        f"{api.url}/acme/shop/pull/1",
        {"number": 1, "branch": BRANCH, "commit": commit, "state": "open"},
        final=False,
    )
    pull = api.pulls[0]
    assert (pull.head, pull.base, pull.title) == (BRANCH, "main", "fix: total adds one")
    assert (pull.draft, pull.labels, pull.reviewers) == (True, ["aiops"], ["ann"])
    assert MARK in pull.body
    assert git(bare, "show", f"{BRANCH}:shop/cart.py").encode() == FIXED.strip()
    assert git(bare, "rev-list", "--count", f"main..{BRANCH}") == "1"


def test_the_same_plan_again_changes_nothing(api, server, setup, pushed_plan):
    first = setup.action().act(pushed_plan)

    again = setup.action().act(pushed_plan)

    assert again == first
    assert server.requests == []
    assert (api.count("POST", "/pulls$"), api.count("POST", "/labels$")) == (1, 1)


def test_two_workers_at_once_open_one_request(api, bare, setup, make_plan, tmp_path):
    plan = make_plan()
    together = threading.Barrier(2)
    outcomes = []

    def work(number):
        action = setup.action(FileEffects(tmp_path / f"worker{number}.json"))
        together.wait(5)
        outcomes.append(action.act(plan))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)

    assert [outcome.data["number"] for outcome in outcomes] == [1, 1]
    assert (len(api.pulls), fix_branches(bare)) == (1, [BRANCH])


def test_an_open_request_for_the_incident_is_left_as_it_is(api, bare, setup, make_plan):
    api.repository.add_pull(head="fix/older-name", base="main", body=MARK)

    outcome = setup.action(labels=["aiops"]).act(make_plan(labels=["aiops"]))

    assert outcome.summary == "pull request #1: open already for this incident and left as it is."
    assert (outcome.status, outcome.final) == ("done", False)
    assert (len(api.pulls), api.pulls[0].labels, fix_branches(bare)) == (1, [], [])


def test_closed_means_no(api, bare, setup, make_plan):
    api.repository.add_pull(head=BRANCH, base="main", state="closed")

    outcome = setup.action().act(make_plan())

    assert (outcome.status, outcome.final) == ("refused", True)
    assert outcome.summary == (
        "pull request #1: closed without merging, and closed means no. Reopen it to go on with this incident."
    )
    assert (len(api.pulls), fix_branches(bare)) == (1, [])


def test_after_a_merge_a_later_fix_gets_a_request_of_its_own(api, bare, setup, change, pushed_plan):
    setup.action().act(pushed_plan)
    git(bare, "update-ref", "refs/heads/main", BRANCH)
    git(bare, "update-ref", "-d", f"refs/heads/{BRANCH}")
    api.pulls[0].state, api.pulls[0].merged = "closed", True
    regressed = replace(change, base_commit=api.repository.commit("main"))

    outcome = setup.action().act(setup.action().plan(make_incident(), make_analysis(), regressed))

    assert outcome.data["number"] == 2
    assert git(bare, "rev-list", "--count", f"main..{BRANCH}") == "1"


def test_a_request_merged_before_it_was_recorded_is_not_opened_again(api, setup, pushed_plan):
    api.repository.add_pull(head=BRANCH, base="main", state="closed", merged=True)

    outcome = setup.action().act(pushed_plan)

    assert (outcome.summary, outcome.final) == ("pull request #1: merged.", True)
    assert len(api.pulls) == 1


def test_a_request_people_changed_and_merged_is_not_opened_again(api, bare, setup, pushed_plan):
    setup.action().act(pushed_plan)
    git(bare, "update-ref", f"refs/heads/{BRANCH}", "same")
    api.pulls[0].state, api.pulls[0].merged = "closed", True

    outcome = setup.action().act(pushed_plan)

    assert (outcome.summary, outcome.data["number"]) == ("pull request #1: merged.", 1)
    assert len(api.pulls) == 1


def test_a_branch_with_somebody_elses_commits_is_left_alone(api, bare, setup, make_plan):
    git(bare, "update-ref", f"refs/heads/{BRANCH}", "fix/ready")

    outcome = setup.action().act(make_plan())

    assert outcome.status == "refused"
    assert BRANCH in outcome.summary
    assert git(bare, "rev-parse", BRANCH) == git(bare, "rev-parse", "fix/ready")
    assert api.pulls == []


def test_a_base_that_has_the_change_already_needs_no_request(api, bare, setup, pushed_plan):
    git(bare, "update-ref", "refs/heads/main", BRANCH)

    outcome = setup.action().act(pushed_plan)

    assert outcome.status == "refused"
    assert outcome.summary == (
        "acme/shop: the base branch has this change already. Nothing is left to propose. "
        f"(GitHub: Validation Failed – No commits between main and {BRANCH})"
    )


def test_a_rate_limit_after_the_push_is_waited_for_and_the_push_not_repeated(api, server, setup, pushed_plan):
    api.fail(
        "POST", "/pulls$", 403, {"message": "You have exceeded a secondary rate limit."}, Retry_After="9"
    )

    with pytest.raises(Retry) as caught:
        setup.action().act(pushed_plan)

    assert caught.value.after == 9
    assert setup.action().act(pushed_plan).data["number"] == 1
    assert server.requests == []


def test_a_token_github_refuses_is_a_failure_that_says_what_to_do(bare, setup, make_plan):
    outcome = replace(setup, token="ghp_expired").action().act(make_plan())

    assert (outcome.status, outcome.final) == ("failed", True)
    assert outcome.summary.startswith("acme/shop: GitHub refuses the token. Put a valid one into")
    assert fix_branches(bare) == []


def test_a_token_that_may_not_push_is_a_failure_that_says_what_to_do(api, server, setup, make_plan):
    server.token = "another"

    outcome = setup.action().act(make_plan())

    assert outcome.status == "failed"
    assert "repository.token" in outcome.summary
    assert api.pulls == []


def test_a_git_server_out_of_order_is_tried_later(api, server, setup, make_plan):
    plan = make_plan()
    server.fail_with = 503

    with pytest.raises(Retry) as caught:
        setup.action().act(plan)

    assert caught.value.after == 30
    assert api.pulls == []


def test_labels_and_reviewers_that_cannot_be_set_do_not_undo_the_request(api, setup, pushed_plan, caplog):
    api.fail("POST", "/labels$", 502, "")
    plan = replace(pushed_plan, data={**pushed_plan.data, "reviewers": ["eve"]})

    outcome = setup.action().act(plan)

    assert outcome.status == "done"
    assert outcome.summary == (
        "pull request #1: opened as a draft. "
        "labels not set: acme/shop#1: GitHub is out of order (502). "
        "reviewers not set: acme/shop#1: GitHub refuses it. See what it said. (GitHub: Reviews may only be "
        "requested from collaborators. One or more of the users or teams you specified is not a collaborator "
        "of the acme/shop repository.)."
    )
    assert len(caplog.records) == 2


def test_a_plan_for_another_repository_is_refused(api, server, setup, make_plan):
    plan = make_plan()
    moved = replace(plan, data={**plan.data, "repository": "acme/old"})

    outcome = setup.action().act(moved)

    assert outcome == Outcome(
        "refused",
        "repository.url: the plan is for acme/old, the pipeline's repository is now acme/shop. "
        "Retry the incident for a new plan.",
    )
    assert (api.requests, server.requests) == ([], [])


# follow


@pytest.fixture
def opened(api):
    """What ``act`` said of a request that is open."""
    api.repository.add_pull(head=BRANCH, base="main")
    return Outcome("done", "pull request #1: opened.", "", {"number": 1, "branch": BRANCH}, final=False)


def test_an_open_request_is_no_news(setup, opened):
    assert setup.action().follow(opened) is None


def test_a_merged_request_is_final(api, setup, opened):
    api.pulls[0].state, api.pulls[0].merged = "closed", True

    outcome = setup.action().follow(opened)

    assert (outcome.status, outcome.summary, outcome.final) == ("done", "pull request #1: merged.", True)
    assert outcome.data["state"] == "merged"


def test_a_closed_request_is_final_and_a_no(api, setup, opened):
    api.pulls[0].state = "closed"

    outcome = setup.action().follow(opened)

    assert (outcome.status, outcome.summary) == ("refused", "pull request #1: closed without merging.")
    assert (outcome.final, outcome.url) == (True, f"{api.url}/acme/shop/pull/1")


# start


def started(**repository):
    context = Context(repository=Repository(**repository) if repository else None)
    GithubPullRequest(GithubPullRequestConfig(), context).start()


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        (
            {},
            "repository: github_pull_request needs one. Write repository: "
            "{url: https://github.com/OWNER/NAME.git, token: ...} into the pipeline.",
        ),
        (
            {"url": "https://github.com/acme/shop.git"},
            "repository.token: github_pull_request needs one. "
            "Write token: ${env:GITHUB_TOKEN} and set that variable.",
        ),
        (
            {"url": "https://github.com/acme/shop.git", "token": ""},
            "repository.token: github_pull_request needs one. "
            "Write token: ${env:GITHUB_TOKEN} and set that variable.",
        ),
        (
            {"url": "/srv/git/shop.git", "token": "t"},
            "repository.url: '/srv/git/shop.git' names no GitHub repository. "
            "Write it as https://github.com/OWNER/NAME.git or git@github.com:OWNER/NAME.git.",
        ),
    ],
)
def test_a_pipeline_that_cannot_work_is_refused_at_the_start(repository, message):
    with pytest.raises(UserError) as caught:
        started(**repository)

    assert str(caught.value) == message


def test_a_token_of_its_own_is_enough():
    config = GithubPullRequestConfig(token="t")

    GithubPullRequest(config, Context(repository=Repository(url="git@github.com:acme/shop.git"))).start()


def test_every_setting_is_documented():
    assert issubclass(GithubPullRequestConfig, Config)
    assert all(field.description for field in GithubPullRequestConfig.model_fields.values())


# the token


@pytest.fixture
def recording_git(tmp_path, monkeypatch):
    """Put a git before the real one that writes its arguments down."""
    folder, log = tmp_path / "bin", tmp_path / "argv.log"
    folder.mkdir()
    wrapper = folder / "git"
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\nexec {shutil.which("git")} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return log


def test_the_token_is_seen_nowhere(api, setup, make_plan, recording_git, caplog):
    caplog.set_level(logging.DEBUG)
    plan = make_plan()
    api.fail("POST", "/pulls$", 502, "")

    with pytest.raises(Retry) as caught:
        setup.action().act(plan)
    outcome = setup.action().act(plan)

    written = [path.read_bytes() for path in setup.directory.rglob("*") if path.is_file()]
    assert "push" in recording_git.read_text()
    shown = [recording_git.read_text(), caplog.text, repr(caught.value), repr(plan), repr(outcome)]
    assert not [text for text in shown if api.token in text]
    assert not [content for content in written if api.token.encode() in content]


# the bits of it


def test_a_plan_read_back_is_the_same_plan(make_plan):
    plan = make_plan()
    stored = Plan(plan.title, plan.text, json.loads(json.dumps(plan.data)), plan.action)

    assert stored.hash == plan.hash
