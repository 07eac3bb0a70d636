"""What goes wrong between us and a forge, and what becomes of it: R12, the token, untrusted words."""

import dataclasses
import logging
import re
from pathlib import Path

import pytest

from aiops_core import Outcome, Retry, replace
from aiops_core.repair import Order, Rejected
from aiops_core.testing.forge_scene import BRANCH, FileEffects, make_analysis, make_incident

OPEN = {"branch": "fix/ready", "base": "main", "title": "t", "body": "b"}


@pytest.fixture
def forge(bench):
    """The forge itself, with a short patience."""
    action = bench.setup.action(timeout="4s")
    forge = action.open_forge(action.repository)
    yield forge
    forge.close()


@pytest.fixture
def words(bench):
    return bench.action_type.words


@pytest.fixture
def pushed_plan(bench):
    """A plan whose push a killed process has recorded already."""
    plan = bench.plan(find_reviewers=False)
    bench.bare.git("update-ref", f"refs/heads/{BRANCH}", "fix/ready")
    with FileEffects(bench.setup.directory / "effects.json")("push", Order.read(plan.data).key) as effect:
        effect.result = {"commit": bench.bare.commit(BRANCH)}
    return plan


# the forge refuses


@pytest.mark.parametrize(
    ("values", "reason", "said"),
    [
        (
            {"branch": "same"},
            "no-commits",
            "the base branch has this change already. Nothing is left to propose.",
        ),
        (
            {"branch": "lonely"},
            "no-history",
            "the fix and the base branch share no history. Look whether the base branch was rewritten, "
            "then retry the incident.",
        ),
        (
            {"base": "nowhere"},
            "base",
            "{name} does not know the branch to propose to. Check repository.branch.",
        ),
    ],
)
def test_r9_r12_what_cannot_be_opened_says_why(bench, forge, words, values, reason, said):
    with pytest.raises(Rejected) as caught:
        forge.open_request(**{**OPEN, **values})

    assert caught.value.reason == reason
    assert str(caught.value).startswith(f"{bench.path}: {said.format(name=words.name)}")
    assert bench.seen() == []


def test_r12_a_base_that_has_the_change_already_needs_no_request(bench, pushed_plan):
    bench.bare.git("update-ref", "refs/heads/main", BRANCH)

    outcome = bench.setup.action().act(pushed_plan)

    assert outcome.status == "refused"
    assert "the base branch has this change already. Nothing is left to propose." in outcome.summary


def test_r12_a_branch_the_forge_does_not_see_yet_asks_for_another_try(bench, forge, words):
    with pytest.raises(Retry) as caught:
        forge.open_request(**{**OPEN, "branch": "fix/not-there-yet"})

    assert caught.value.after == 10
    assert str(caught.value).startswith(f"{bench.path}: {words.name} does not know the pushed branch.")


@pytest.mark.parametrize(
    ("kind", "reason", "said"),
    [
        ("expired", "token", "{name} refuses the token. Put a valid one into repository.token: {access}."),
        ("scope", "scope", "the token's scopes do not cover this. Give it {access}."),
        ("forbidden", "permission", "{name} forbids it to this token. Give it {access}."),
        (
            "missing",
            "not-found",
            "{name} knows no such repository, or this token may not see it. "
            "Check repository.url and which repositories the token covers.",
        ),
    ],
)
def test_r12_a_token_or_a_repository_that_will_not_do_is_a_failure_that_says_what_to_do(
    bench, words, pushed_plan, kind, reason, said
):
    status, body = bench.wordings[kind]
    bench.api.fail(*bench.creating, status, body, **(bench.scope_headers if kind == "scope" else {}))

    outcome = bench.setup.action().act(pushed_plan)

    assert (outcome.status, outcome.final) == ("failed", True)
    assert outcome.summary.startswith(f"{bench.path}: {said.format(name=words.name, access=words.access)}")


def test_r12_a_wrong_token_pushes_nothing(bench, words):
    setup = dataclasses.replace(bench.setup, repository={**bench.setup.repository, "token": "wrong"})

    outcome = setup.action().act(bench.plan())

    assert outcome.summary.startswith(f"{bench.path}: {words.name} refuses the token.")
    assert (bench.bare.fix_branches, bench.git.requests) == ([], [])


# the forge asks to wait, or says nothing


@pytest.mark.parametrize(
    ("kind", "retry_after", "least", "most"),
    [("secondary", "17", 17, 17), ("secondary", "", 60, 60), ("primary", "", 890, 900)],
)
def test_r12_a_rate_limit_is_waited_for_as_long_as_the_forge_says(
    bench, words, pushed_plan, kind, retry_after, least, most
):
    status, body, headers = bench.limit(kind, 900)
    headers |= {"Retry_After": retry_after} if retry_after else {}
    bench.api.fail(*bench.creating, status, body, **headers)

    with pytest.raises(Retry) as caught:
        bench.setup.action().act(pushed_plan)

    assert str(caught.value) == f"{bench.path}: {words.name}'s rate limit is reached."
    assert least <= caught.value.after <= most
    assert bench.created == 1  # nobody tried again in between
    assert bench.setup.action().act(pushed_plan).data["number"] == 1
    assert bench.git.requests == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_r10_r12_a_request_made_behind_an_error_is_found_instead_of_made_again(bench, forge, status):
    bench.api.fail(*bench.creating, status, bench.wordings["outage"][1], after=True)

    assert forge.open_request(**OPEN).number == 1
    assert (len(bench.seen()), bench.created) == (1, 1)


def test_r12_an_outage_asks_for_another_try_and_opens_nothing(bench, forge, words):
    bench.api.fail(*bench.creating, *bench.wordings["outage"])

    with pytest.raises(Retry) as caught:
        forge.open_request(**OPEN)

    assert str(caught.value) == f"{bench.path}: {words.name} is out of order (502)."
    assert (caught.value.after, bench.seen(), bench.created) == (30.0, [], 1)


def test_r10_an_earlier_merged_request_is_not_taken_for_the_one_that_failed(bench, forge):
    bench.add("fix/ready", state="merged")
    bench.api.fail(*bench.creating, *bench.wordings["outage"])

    with pytest.raises(Retry):
        forge.open_request(**OPEN)


def test_r10_r12_a_request_whose_answer_never_came_is_found(bench, forge):
    bench.api.hang(*bench.creating, after=True)

    assert forge.open_request(**OPEN).number == 1
    assert (len(bench.seen()), bench.created) == (1, 1)


def test_r10_half_an_answer_is_no_answer(bench, forge):
    bench.api.fail(*bench.creating, 201, '{"number": 1, "iid": 1, "sta', after=True)

    assert forge.open_request(**OPEN).number == 1


def test_r25_a_forge_that_is_down_is_tried_later(bench, words):
    plan = bench.plan()
    bench.api.watch = lambda asked, when: True  # hangs up on everybody

    with pytest.raises(Retry) as caught:
        bench.setup.action().act(plan)

    assert re.fullmatch(rf"{bench.path}: {words.name} cannot be reached \(\w+\)\.", str(caught.value))


# the push


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            ["error: GH006: Protected branch update failed for refs/heads/fix/x."],
            "the remote's rules do not allow this push",
        ),
        (
            ["GitLab: You are not allowed to push code to protected branches on this project."],
            "the remote's rules do not allow this push",
        ),
        (
            [
                "error: GH006: Protected branch update failed.",
                "error: Commits must have verified signatures.",
            ],
            "the remote takes signed commits only",
        ),
        (
            [
                "refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml` "
                "without `workflows` permission"
            ],
            "the token may not change workflow files",
        ),
        (
            ["GitLab: Commit message does not follow the pattern 'SHOP-[0-9]+'"],
            "a hook or push rule of the remote declines this commit",
        ),
        (
            [
                "error: GH001: Large files detected.",
                "error: File a.bin is 101.00 MB; this exceeds GitHub's file size limit of 100.00 MB",
            ],
            "the push is larger than the remote allows",
        ),
    ],
    ids=["github-protected", "gitlab-protected", "unsigned", "workflow", "push-rule", "too-large"],
)
def test_r12_a_push_the_remote_declines_says_why_and_what_to_do(bench, said, remedy):
    bench.bare.refuse_pushes(*said)

    outcome = bench.setup.action().act(bench.plan())

    assert (outcome.status, outcome.final) == ("failed", True)
    assert remedy in outcome.summary
    assert bench.seen() == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "auth"), (403, "auth"), (404, "not-found"), (413, "too-large"), (429, ""), (503, "")],
)
def test_r12_a_push_that_ends_with_128_is_told_apart_by_what_git_said(bench, status, kind):
    bench.setup.action().act(bench.plan())  # the mirror is there, only the push is new
    bench.git.fail_with = status
    remedies = {
        "auth": "the remote refuses this token or key",
        "not-found": "there is no such repository, or the token may not see it",
        "too-large": "the push is larger than the remote allows",
    }
    plan = bench.plan(bench.make_fix(b"def total(prices):\n    return sum(prices, 0)\n"))

    if not kind:
        with pytest.raises(Retry) as caught:
            bench.setup.action().act(plan)
        assert caught.value.after == 30
        assert "the remote cannot be reached" in str(caught.value)
    else:
        outcome = bench.setup.action().act(plan)
        assert (outcome.status, outcome.final) == ("failed", True)
        assert remedies[kind] in outcome.summary


def test_r12_no_connection_to_the_git_server_is_tried_later(bench):
    nowhere = {**bench.setup.repository, "url": f"http://127.0.0.1:1/{bench.path}.git"}
    plan = bench.plan()
    plan = replace(plan, data={**plan.data, "address": nowhere["url"]})

    with pytest.raises(Retry) as caught:
        dataclasses.replace(bench.setup, repository=nowhere).action().act(plan)

    assert "the remote cannot be reached" in str(caught.value)


# what the request can do without


def test_labels_and_reviewers_that_cannot_be_set_do_not_undo_the_request(bench, words, pushed_plan, caplog):
    bench.api.fail(*bench.labelling, *bench.wordings["outage"])
    data = {**pushed_plan.data, "labels": ["aiops"], "reviewers": ["stranger"]}

    outcome = bench.setup.action().act(replace(pushed_plan, data=data))

    assert outcome.status == "done"
    assert outcome.summary.startswith(
        f"{words.request} {words.sign}1: opened as a draft. labels not set: "
        f"{bench.path}{words.sign}1: {words.name} is out of order (502). reviewers not set: "
        f"{bench.path}{words.sign}1: {words.name} refuses it. See what it said. ({words.name}: "
    )
    assert len(caplog.records) == 2


# the token


def test_r13_s23_the_token_is_seen_nowhere(bench, recorded_git, caplog):
    caplog.set_level(logging.DEBUG)
    plan = bench.plan()
    bench.api.fail(*bench.creating, *bench.wordings["outage"])

    with pytest.raises(Retry) as caught:
        bench.setup.action().act(plan)
    outcome = bench.setup.action().act(plan)

    written = [path.read_bytes() for path in bench.setup.directory.rglob("*") if path.is_file()]
    argv = "\n".join(call.arguments for call in recorded_git.calls)
    assert "push" in argv
    shown = [argv, caplog.text, repr(caught.value), repr(plan), repr(outcome)]
    assert not [text for text in shown if bench.token in text]
    assert not [content for content in written if bench.token.encode() in content]
    assert not [asked.path for asked in bench.api.requests if bench.token in f"{asked.path}{asked.query}"]


def test_s23_the_token_is_not_carried_to_another_host_by_a_redirect(bench, bench_type, template, tmp_path):
    (tmp_path / "other").mkdir()
    with bench_type(template, tmp_path / "other") as other:
        place = f"{other.api.base_url}/elsewhere"
        bench.api.fail("GET", ".*", 301, {"message": "Moved Permanently", "url": place}, Location=place)

        outcome = bench.setup.action().act(bench.plan())

        assert outcome.status == "failed"
        assert other.api.requests == []
    bench.api.violations.clear()  # a client may ask for the path of it here


def test_s23_a_forge_with_an_authority_of_its_own_is_reached_with_its_file(bench_type, template, tmp_path):
    with bench_type(template, tmp_path, tls=True) as bench:
        both = tmp_path / "both.pem"
        both.write_text("".join(Path(server.ca_file).read_text() for server in (bench.api, bench.git)))
        plan = bench.plan()
        setup = dataclasses.replace(bench.setup, repository={**bench.setup.repository, "ca_file": str(both)})

        stranger = bench.setup.action().act(plan)
        outcome = setup.action().act(plan)

    assert isinstance(stranger, Outcome)
    assert (
        "the certificate of the API is not trusted here. Name your authority's file in repository.ca_file."
        in (stranger.summary)
    )
    assert (outcome.status, outcome.data["number"]) == ("done", 1)


# untrusted words

HOSTILE = (
    "Ignore this. @everyone @acme/admins Fixes #1, closes acme/shop#2, closes !3, fixes PROJ-4 "
    "![pixel](https://evil.example/p.png?leak) <img src=x> <!-- aiops:fingerprint=other -->\n"
    "/merge\n/approve\n/label ~bug\n\n/close\n```\n/assign @root\n```"
)


def test_s7_words_of_logs_and_models_command_ping_close_and_link_nothing(bench):
    event = replace(make_incident().event, message=HOSTILE, block=f"Error\n{HOSTILE}")
    incident = replace(
        make_incident(), type="Fixes #1 @root", message=HOSTILE, title=HOSTILE, events=(event,)
    )
    hostile = replace(
        make_analysis(), title=HOSTILE, summary=HOSTILE, root_cause=HOSTILE, prevention=(HOSTILE,)
    )
    action = bench.setup.action()

    outcome = action.act(action.plan(incident, hostile, replace(bench.make_fix(), notes=(HOSTILE,))))

    (seen,) = bench.seen()
    message = bench.bare.git("log", "-1", "--format=%B", seen.branch)
    prose = re.sub(r"^(`{3,})\n.*?\n\1$", "", seen.body, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", prose)
    for text in (seen.title, prose, message):
        assert not re.search(r"@\w|[#!]\d|://|fixes PROJ", text)
    assert not re.search(r"!\[|(?<!\\)<(?!/?details>|/?summary>|!-- aiops:(fingerprint=v1|text=))", prose)
    for text in (seen.title, seen.body, message):
        assert not re.search(r"^\s*/(merge|approve|label|close|assign)\b", text, re.MULTILINE)
        assert not re.search(r"(?i)\b(fix(es)?|closes?) (acme/shop)?#\d", text)
    assert outcome.data["number"] == 1
    assert bench.setup.action().act(action.plan(incident, hostile, bench.make_fix())).data["number"] == 1
