"""What every forge does with a change that reviewers asked for: one more commit, nothing replaced."""

import pytest

from aiops_core import replace
from aiops_core.repair import is_as_written
from aiops_core.repair.reproducing import UNREPRODUCED
from aiops_core.testing.forge_scene import BRANCH, DIFF, FIXED, FileEffects, make_analysis, make_incident

ASKED = b"def total(prices):\n    return sum(prices, 0)\n"


@pytest.fixture
def opened(bench):
    bench.setup.action().act(bench.plan(find_reviewers=False))
    return bench


def revision(bench, base="", reproduced_by=("test_total",), **settings):
    base = base or bench.bare.commit(BRANCH)
    change = replace(bench.make_fix(), base_commit=base, onto=BRANCH, reproduced_by=reproduced_by)
    files = (replace(change.files[0], content=ASKED),)
    change = replace(change, files=files, diff=DIFF.replace("sum(prices)\n", "sum(prices, 0)\n"))
    plan = bench.setup.action(**settings).plan(make_incident(), make_analysis(), change)
    assert plan is not None
    return plan


def commits(bench):
    return bench.bare.git("rev-list", "--reverse", f"main..{BRANCH}").split()


def test_r22_a_change_asked_for_is_one_more_commit_on_the_branch(opened):
    first = commits(opened)

    outcome = opened.setup.action().act(revision(opened))

    assert commits(opened)[:1] == first
    assert len(commits(opened)) == 2
    assert opened.bare.git("show", f"{BRANCH}:shop/cart.py").encode() == ASKED.strip()
    assert (outcome.status, outcome.final, outcome.data["commit"]) == ("done", True, commits(opened)[1])
    assert outcome.summary.endswith("1: changed as asked in review.")
    assert (opened.created, len(opened.seen())) == (1, 1)


def test_r22_a_plan_says_that_the_branch_gets_one_more_commit(opened):
    head = opened.bare.commit(BRANCH)

    plan = revision(opened)

    request = opened.action_type.words.request
    assert plan.title == f"Change the {request} from {BRANCH} in {opened.path}, as asked in review"
    assert plan.text.startswith(
        f"Push one more commit to branch {BRANCH} of {opened.path}, onto {head[:12]}\n1 file, +1 −1:\n"
    )


def test_r22_what_people_committed_meanwhile_is_kept(opened):
    opened.bare.add_commit(BRANCH, "docs/notes.txt", "by hand\n")
    before = commits(opened)

    outcome = opened.setup.action().act(revision(opened))

    assert outcome.status == "done"
    assert commits(opened)[:2] == before
    assert opened.bare.git("show", f"{BRANCH}:docs/notes.txt") == "by hand"


def test_r22_nothing_is_pushed_to_a_branch_that_moved_on(opened):
    plan = revision(opened)
    opened.bare.add_commit(BRANCH, "docs/notes.txt", "by hand\n")
    before = commits(opened)

    outcome = opened.setup.action().act(plan)

    assert outcome.status == "refused"
    assert "has moved on while the change was made" in outcome.summary
    assert commits(opened) == before


def test_r22_nothing_is_pushed_to_a_branch_that_is_gone(opened):
    plan = revision(opened)
    opened.bare.git("update-ref", "-d", f"refs/heads/{BRANCH}")

    outcome = opened.setup.action().act(plan)

    assert outcome.status == "refused"
    assert opened.bare.fix_branches == []


@pytest.mark.parametrize("state", ["closed", "merged"])
def test_r22_nothing_is_pushed_for_a_request_that_is_over(opened, state):
    plan = revision(opened)
    before = commits(opened)
    opened.change(1, state=state)

    outcome = opened.setup.action().act(plan)

    assert (outcome.status, commits(opened)) == ("refused", before)
    assert f"its {opened.action_type.words.request} is {state}" in outcome.summary


@pytest.mark.parametrize("point", ["push begun", "push done"])
def test_r22_after_a_crash_the_same_commit_is_pushed_once(opened, point):
    plan = revision(opened)

    class Killed(BaseException):
        pass

    def at(reached):
        if reached == point:
            raise Killed

    with pytest.raises(Killed):
        opened.setup.action(FileEffects(opened.setup.directory / "effects.json", at)).act(plan)

    outcome = opened.setup.action().act(plan)

    assert outcome.status == "done"
    assert len(commits(opened)) == 2


def test_r22_a_later_fix_does_not_replace_what_was_made_in_review(opened):
    opened.setup.action().act(revision(opened))
    before = commits(opened)

    outcome = opened.setup.action().act(opened.plan(opened.make_fix(FIXED + b"\n"), find_reviewers=False))

    assert "left as it is" in outcome.summary
    assert commits(opened) == before


@pytest.fixture
def unproven(bench):
    """A request that no test proves, opened as a draft for that alone."""
    fix = replace(bench.make_fix(), reproduced_by=(), notes=(UNREPRODUCED,))
    bench.setup.action().act(bench.plan(fix, find_reviewers=False, draft=False))
    (seen,) = bench.seen()
    assert (seen.draft, seen.labels) == (True, ["unverified"])
    assert "**none shows the error**" in seen.body and "no test fails without" in seen.body
    return bench


def test_r8_a_round_that_proves_the_fix_takes_the_marks_of_an_unproven_one_off(unproven):
    outcome = unproven.setup.action().act(revision(unproven, draft=False))

    (seen,) = unproven.seen()
    assert (seen.draft, seen.labels) == (False, [])
    assert outcome.data["proven"] is True
    assert "changed as asked in review. proven by a test now." in outcome.summary
    assert "a test fails without it and passes with it" in seen.body
    assert "Not verified" not in seen.body
    assert is_as_written(seen.title, seen.body)


def test_r8_a_round_that_proves_nothing_leaves_the_marks(unproven):
    outcome = unproven.setup.action().act(revision(unproven, draft=False, reproduced_by=()))

    (seen,) = unproven.seen()
    assert (seen.draft, seen.labels, outcome.data["proven"]) == (True, ["unverified"], False)


def test_r8_a_draft_that_is_one_by_the_settings_stays_a_draft(unproven):
    unproven.setup.action().act(revision(unproven))

    (seen,) = unproven.seen()
    assert (seen.draft, seen.labels) == (True, [])


def test_r8_a_text_that_people_changed_is_not_changed_by_a_proof(unproven):
    unproven.change(1, body="My own words.")

    unproven.setup.action().act(revision(unproven, draft=False))

    (seen,) = unproven.seen()
    assert (seen.draft, seen.labels, seen.body) == (False, [], "My own words.")


def test_r8_a_later_run_that_proves_the_fix_takes_the_marks_off(unproven):
    outcome = unproven.setup.action().act(unproven.plan(find_reviewers=False, draft=False))

    (seen,) = unproven.seen()
    assert (seen.draft, seen.labels) == (False, [])
    assert "proven by a test now" in outcome.summary


def test_r8_a_mark_that_cannot_be_taken_off_is_told_and_the_change_stands(unproven):
    plan = revision(unproven, draft=False)
    unproven.api.fail(*unproven.unlabelling, *unproven.wordings["forbidden"], times=9)

    outcome = unproven.setup.action().act(plan)

    assert (outcome.status, outcome.data["proven"]) == ("done", False)
    assert "mark of an unverified fix not set: " in outcome.summary
    assert len(commits(unproven)) == 2


def test_r9_a_branch_without_common_history_gets_no_commit(opened):
    lonely = opened.bare.commit("lonely")
    opened.bare.git("update-ref", f"refs/heads/{BRANCH}", lonely)

    outcome = opened.setup.action().act(revision(opened, lonely))

    assert outcome.status == "refused"
    assert "shares no history with main" in outcome.summary
    assert opened.bare.commit(BRANCH) == lonely
