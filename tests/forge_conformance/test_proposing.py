"""What every forge does with a fix: one incident, one branch, one request."""

import json
import threading

import pytest

from aiops_core import Outcome, Retry, replace
from aiops_core.repair import Order
from aiops_core.testing.forge_scene import (
    BRANCH,
    FIXED,
    MARK,
    TITLE,
    FileEffects,
    make_analysis,
    make_incident,
)

BETTER = b"def total(prices):\n    return sum(prices, 0)\n"


@pytest.fixture
def word(bench):
    """Return how the forge calls its first request."""
    return f"{bench.action_type.words.request} {bench.action_type.words.sign}1"


@pytest.fixture
def pushed_plan(bench):
    """A plan whose push a killed process has recorded already."""
    plan = bench.plan(labels=["aiops"], reviewers=["ann"])
    bench.bare.git("update-ref", f"refs/heads/{BRANCH}", "fix/ready")
    with FileEffects(bench.setup.directory / "effects.json")("push", Order.read(plan.data).key) as effect:
        effect.result = {"commit": bench.bare.commit(BRANCH)}
    return plan


# plan


def test_without_a_fix_there_is_nothing_to_plan(bench):
    assert bench.setup.action().plan(make_incident(), make_analysis(), None) is None


def test_a_plan_says_what_will_be_pushed_and_asked_for(bench):
    request = bench.action_type.words.request

    plan = bench.plan(labels=["aiops"], reviewers=["ann", "bob"])

    assert plan.title == f"Draft {request} in {bench.path}: {TITLE}"
    assert plan.text == (
        f"Push branch {BRANCH} to {bench.path} and open a draft {request} into main: {TITLE}\n"
        "1 file, +1 −1:\n"
        "  shop/cart.py +1 −1\n"
        "Labels: aiops\n"
        "Reviewers: ann, bob"
    )
    assert "Reviewers: whom CODEOWNERS names for these files, else who last" in bench.plan().text
    assert "Reviewers" not in bench.plan(find_reviewers=False).text


def test_planning_touches_nothing(bench):
    bench.plan()

    assert (bench.api.requests, bench.git.requests) == ([], [])


def test_a_plan_survives_the_store(bench):
    plan = bench.plan()

    assert json.loads(json.dumps(plan.data)) == plan.data
    assert MARK in plan.data["body"]


def test_r8_what_no_test_proves_is_a_draft_labelled_unverified_whatever_the_setting(bench):
    unproven = replace(bench.make_fix(), reproduced_by=())

    told = bench.plan(unproven, draft=False, labels=["aiops"]).data
    proven = bench.plan(draft=False, labels=["aiops"]).data

    assert (told["draft"], told["labels"]) == (True, ["aiops", "unverified"])
    assert (proven["draft"], proven["labels"]) == (False, ["aiops"])


def test_r26_a_fix_that_stops_at_draft_is_a_draft_whatever_the_setting(bench):
    capped = replace(bench.make_fix(), may_reach="draft")

    assert bench.plan(capped, draft=False).data["draft"] is True


# create


def test_r10_the_fix_is_pushed_and_its_request_opened(bench, word):
    plan = bench.plan(labels=["aiops", "two words"], reviewers=["ann"])

    outcome = bench.setup.action().act(plan)

    commit = bench.bare.commit(BRANCH)
    assert outcome == Outcome(
        "done",
        f"{word}: opened as a draft.",
        bench.number_url(1),
        {"number": 1, "branch": BRANCH, "commit": commit, "state": "open"},
        final=False,
    )
    (seen,) = bench.seen()
    assert (seen.branch, seen.base, seen.title, seen.draft) == (BRANCH, "main", TITLE, True)
    assert (seen.labels, seen.reviewers) == (["aiops", "two words"], ["ann"])
    assert seen.body == plan.data["body"]
    assert bench.bare.git("show", f"{BRANCH}:shop/cart.py").encode() == FIXED.strip()
    assert bench.bare.git("rev-list", "--count", f"main..{BRANCH}") == "1"


def test_s29_the_commit_carries_the_bot_and_the_incident(bench):
    bench.setup.action().act(bench.plan())

    said = bench.bare.git("log", "-1", "--format=%an <%ae>%n%s%n%(trailers:key=Incident,valueonly)", BRANCH)
    assert said == "aiops <aiops@localhost>\nfix(cart): total adds one\nv1:0123456789abcdef"


def test_a_request_may_be_ready_for_review_at_once(bench, word):
    outcome = bench.setup.action().act(bench.plan(draft=False))

    assert outcome.summary == f"{word}: opened."
    assert bench.seen()[0].draft is False


# adopt


def test_r10_the_same_plan_again_changes_nothing(bench, pushed_plan):
    first = bench.setup.action().act(pushed_plan)

    again = bench.setup.action().act(pushed_plan)

    assert again == first
    assert bench.git.requests == []
    assert (bench.created, bench.seen()[0].labels) == (1, ["aiops"])


def test_r10_a_branch_pushed_before_a_crash_gets_its_request(bench, word):
    plan = bench.plan()
    bench.api.fail(*bench.creating, *bench.wordings["outage"])
    with pytest.raises(Retry):
        bench.setup.action().act(plan)
    (bench.setup.directory / "effects.json").unlink()  # the record of the push is lost

    outcome = bench.setup.action().act(plan)

    assert (outcome.summary, bench.bare.fix_branches) == (f"{word}: opened as a draft.", [BRANCH])
    assert len(bench.seen()) == 1


def test_r10_a_request_that_was_not_recorded_is_adopted(bench, word):
    plan = bench.plan(labels=["aiops"])
    bench.setup.action().act(plan)
    (bench.setup.directory / "effects.json").unlink()
    pushes = len(bench.git.requests)

    outcome = bench.setup.action().act(plan)

    assert outcome.summary == f"{word}: open already for this incident, with this very fix."
    assert (len(bench.seen()), bench.created) == (1, 1)
    assert not [line for line in bench.git.requests[pushes:] if "git-receive-pack" in line]


def test_r10_two_workers_at_once_open_one_request(bench, tmp_path):
    plan = bench.plan(find_reviewers=False)
    together = threading.Barrier(2)
    outcomes = []

    def work(number):
        action = bench.setup.action(FileEffects(tmp_path / f"worker{number}.json"))
        together.wait(5)
        outcomes.append(action.act(plan))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)

    assert [outcome.data["number"] for outcome in outcomes] == [1, 1]
    assert (len(bench.seen()), bench.bare.fix_branches) == (1, [BRANCH])


@pytest.mark.parametrize("fork", [False, True])
def test_r12_already_exists_adopts_the_request_there_is_unless_a_forks(bench, word, fork):
    plan = bench.plan()

    def somebody_is_faster(asked, when):
        if when == "before" and bench.created and not bench.seen():
            bench.add(BRANCH, fork=fork)
        return False

    bench.api.watch = somebody_is_faster
    bench.api.fail(*bench.creating, *bench.wordings["exists"])

    if fork:
        with pytest.raises(Retry):
            bench.setup.action().act(plan)
    else:
        assert bench.setup.action().act(plan).data["number"] == 1
    assert len(bench.seen()) == 1


def test_r10_a_request_from_a_fork_is_not_ours(bench):
    bench.add(BRANCH, fork=True, body=MARK)

    assert bench.setup.action().act(bench.plan()).data["number"] == 2


def test_r10_a_request_is_found_by_its_mark_when_its_branch_has_another_name(bench, word):
    plan = bench.plan()
    bench.setup.action().act(plan)
    bench.bare.git("branch", "-m", BRANCH, "fix/older-name")
    bench.change(1, branch="fix/older-name")
    (bench.setup.directory / "effects.json").unlink()

    outcome = bench.setup.action().act(plan)

    assert outcome.summary == f"{word}: open already for this incident, with this very fix."
    assert bench.bare.fix_branches == ["fix/older-name"]


def test_a_request_of_a_person_that_quotes_the_mark_is_left_as_it_is(bench, word):
    bench.add("same", body=MARK)

    outcome = bench.setup.action(labels=["aiops"]).act(bench.plan(labels=["aiops"]))

    assert outcome.summary == f"{word}: open already for this incident and left as it is."
    assert (outcome.status, outcome.final) == ("done", False)
    assert (len(bench.seen()), bench.seen()[0].labels, bench.bare.fix_branches) == (1, [], [])


# update


def test_r10_a_better_fix_updates_branch_and_request_and_doubles_neither(bench, word):
    bench.setup.action().act(bench.plan(labels=["aiops"]))
    first = bench.bare.commit(BRANCH)
    better = replace(bench.make_fix(BETTER), notes=("not sure of it",))

    outcome = bench.setup.action().act(bench.plan(better, labels=["aiops"]))

    (seen,) = bench.seen()
    assert outcome.summary == f"{word}: open already for this incident, and brought up to date."
    assert (outcome.data["commit"], outcome.final) == (bench.bare.commit(BRANCH), False)
    assert bench.bare.commit(BRANCH) != first
    assert bench.bare.git("show", f"{BRANCH}:shop/cart.py").encode() == BETTER.strip()
    assert bench.bare.git("rev-list", "--count", f"main..{BRANCH}") == "1"
    assert "- not sure of it" in seen.body
    assert (seen.title, seen.draft, seen.labels) == (TITLE, True, ["aiops"])


def test_r11_what_people_commit_is_never_overwritten_and_they_are_told_once(bench, word):
    bench.setup.action().act(bench.plan())
    human = bench.bare.add_commit(BRANCH, "shop/cart.py", "mine\n")
    plan = bench.plan(bench.make_fix(BETTER))

    outcome = bench.setup.action().act(plan)
    bench.setup.action().act(plan)

    assert outcome.summary == f"{word}: others have committed to its branch, so it was left as it is."
    assert (outcome.status, outcome.final) == ("done", False)
    assert bench.bare.commit(BRANCH) == human
    (comment,) = bench.seen()[0].comments
    assert "\nThere is a new fix for this incident, and it was not pushed: this branch holds" in comment


def test_r11_a_text_people_changed_stays(bench, word):
    bench.setup.action().act(bench.plan())
    bench.change(1, body=bench.seen()[0].body + "\nSee also what Ann said.")
    text = bench.seen()[0].body

    outcome = bench.setup.action().act(bench.plan(bench.make_fix(BETTER)))

    assert outcome.summary == (
        f"{word}: open already for this incident, and brought up to date. "
        "its text was changed by people and stays."
    )
    assert bench.seen()[0].body == text


def test_r11_a_branch_of_others_without_a_request_is_left_alone(bench):
    bench.bare.git("update-ref", f"refs/heads/{BRANCH}", "fix/ready")

    outcome = bench.setup.action().act(bench.plan())

    assert outcome.status == "refused"
    assert f"branch {BRANCH} of" in outcome.summary and "It is never overwritten" in outcome.summary
    assert bench.bare.commit(BRANCH) == bench.bare.commit("fix/ready")
    assert bench.seen() == []


# closed and merged


def test_r11_closed_means_no(bench, word):
    bench.add(BRANCH, state="closed")

    outcome = bench.setup.action().act(bench.plan())

    assert (outcome.status, outcome.final) == ("refused", True)
    assert outcome.summary == (
        f"{word}: closed without merging, and closed means no. Reopen it to go on with this incident."
    )
    assert (len(bench.seen()), bench.bare.fix_branches) == (1, [])


def test_an_open_request_counts_before_a_newer_closed_one(bench):
    bench.setup.action().act(bench.plan())
    bench.add(BRANCH, state="closed")

    assert bench.setup.action().act(bench.plan(bench.make_fix(BETTER))).data["number"] == 1


def test_of_closed_requests_the_newest_counts(bench):
    bench.add(BRANCH, state="closed")
    bench.add(BRANCH, state="merged")

    assert bench.setup.action().act(bench.plan()).data["number"] == 3


def test_r28_after_a_merge_a_later_fix_gets_a_request_of_its_own(bench, pushed_plan):
    bench.setup.action().act(pushed_plan)
    bench.bare.git("update-ref", "refs/heads/main", BRANCH)
    bench.bare.git("update-ref", "-d", f"refs/heads/{BRANCH}")
    bench.change(1, state="merged")

    outcome = bench.setup.action().act(bench.plan())

    assert outcome.data["number"] == 2
    assert bench.bare.git("rev-list", "--count", f"main..{BRANCH}") == "1"


def test_r10_a_request_merged_before_it_was_recorded_is_not_opened_again(bench, word, pushed_plan):
    bench.add(BRANCH, state="merged")

    outcome = bench.setup.action().act(pushed_plan)

    assert (outcome.summary, outcome.final) == (f"{word}: merged.", True)
    assert len(bench.seen()) == 1


@pytest.mark.parametrize(
    ("state", "status", "summary"),
    [("merged", "done", "merged."), ("closed", "refused", "closed without merging.")],
)
def test_r28_what_becomes_of_the_request_is_followed_to_its_end(bench, word, state, status, summary):
    opened = bench.setup.action().act(bench.plan())
    assert bench.setup.action().follow(opened) is None
    bench.change(1, state=state)

    outcome = bench.setup.action().follow(opened)

    assert (outcome.status, outcome.summary, outcome.final) == (status, f"{word}: {summary}", True)
    assert outcome.data["state"] == state
    assert bool(outcome.data.get("merge_commit")) is (state == "merged")


@pytest.mark.parametrize(
    ("of", "was"), [("repository", "acme/old"), ("address", "https://elsewhere.example/acme/shop.git")]
)
def test_a_plan_for_another_repository_or_another_host_is_refused(bench, of, was):
    plan = bench.plan()
    now = bench.path if of == "repository" else plan.data["address"]

    outcome = bench.setup.action().act(replace(plan, data={**plan.data, of: was}))

    assert outcome == Outcome(
        "refused",
        f"repository.url: the plan is for {was}, the pipeline's repository is now {now}. "
        "Retry the incident for a new plan.",
    )
    assert (bench.api.requests, bench.git.requests) == ([], [])


def merged(bench):
    opened = bench.setup.action().act(bench.plan())
    bench.change(1, state="merged")
    return bench.setup.action().follow(opened)


def test_r28_what_is_to_be_said_of_a_merged_fix_is_said_once_below_its_request(bench):
    outcome = merged(bench)

    for _ in range(2):
        bench.setup.action().remark(outcome, "verified", "0 in 24 h (was 312/day).")
    bench.setup.action().remark(outcome, "regressed", "It is back.")

    assert bench.seen()[0].comments == ["0 in 24 h (was 312/day).", "It is back."]


def test_r28_a_remark_that_was_not_recorded_is_not_said_again(bench):
    outcome = merged(bench)
    effects = bench.setup.directory / "effects.json"

    def die(point):
        if point == "remark done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.setup.action(FileEffects(effects, die)).remark(outcome, "verified", "0 in 24 h.")
    bench.setup.action().remark(outcome, "verified", "0 in 24 h.")

    assert bench.seen()[0].comments == ["0 in 24 h."]
