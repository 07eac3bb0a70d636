import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from aiops_action_local_branch import LocalBranch

from aiops_core import (
    Analysis,
    Change,
    ChangedFile,
    Context,
    Event,
    Incident,
    Repository,
    Retry,
    UserError,
    replace,
)
from aiops_core.testing.git_repository import GitRepository

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ANALYSIS = Analysis("Free items end the checkout", "summary", "No price.", confidence=0.9, analyzer="claude")
INCIDENT = Incident(
    id=1,
    pipeline="shop",
    fingerprint="v1:3f2a9c01d4b7e8f9",
    title="KeyError: 'price'",
    type="KeyError",
    message="'price'",
    language="python",
    severity="error",
    state="new",
    count=3,
    first_seen=NOW,
    last_seen=NOW,
    events=(Event("KeyError", "'price'"),),
)
BRANCH = "fix/key-error-3f2a9c01d4b7"
DIFF = "diff --git a/app.py b/app.py\n--- a/app.py\n+++ b/app.py\n@@ -1,1 +1,1 @@\n-one\n+two\n"


class Effects:
    """The store's memory of effects, kept in a dictionary."""

    def __init__(self):
        self.known = {}
        self.begun = []

    @contextmanager
    def __call__(self, name, key):
        class Effect:
            result = self.known.get((name, key))
            is_uncertain = (name, key) in self.begun

        effect = Effect()
        self.begun.append((name, key))
        yield effect
        if effect.result is not None:
            self.known[name, key] = effect.result


@pytest.fixture
def shop(tmp_path):
    repository = GitRepository(tmp_path / "origin")
    repository.commit({"app.py": "one\n"})
    return repository


@pytest.fixture
def change(shop):
    return Change(shop.git("rev-parse", "HEAD"), "main", (ChangedFile("app.py", b"two\n"),), DIFF)


@pytest.fixture
def action(shop, tmp_path):
    context = Context(
        repository=Repository(url=str(shop.remote)),
        scratch=tmp_path / "scratch",
        mirrors=tmp_path / "mirrors",
        effects=Effects(),
    )
    return LocalBranch(context=context)


def test_without_a_change_there_is_nothing_to_do(action):
    assert action.plan(INCIDENT, ANALYSIS, None) is None


def test_a_plan_names_branch_files_and_remote_and_does_nothing(action, change, shop):
    plan = action.plan(
        INCIDENT, ANALYSIS, replace(change, notes=("not verified: repository.test is not set",))
    )

    assert plan.title == f"Push branch {BRANCH}"
    assert plan.text == (
        f"Push branch {BRANCH} to {shop.remote}, from commit {change.base_commit[:12]} of main:\n"
        "  fix(app): Free items end the checkout\n"
        "  app.py +1 −1\n"
        "  not verified: repository.test is not set"
    )
    assert list(shop.branches()) == ["main"]


def test_the_outcome_tells_how_to_review_and_the_command_works(action, change, shop, tmp_path):
    outcome = action.act(action.plan(INCIDENT, ANALYSIS, change))

    commit = shop.branches()[BRANCH]
    assert outcome.status == "done"
    assert not outcome.final
    assert outcome.summary == (
        f"pushed branch {BRANCH}, commit {commit[:12]}. Review it in a clone: "
        f"git fetch {shop.remote} {BRANCH} && git diff {change.base_commit[:12]}...FETCH_HEAD"
    )
    assert outcome.data == {
        "branch": BRANCH,
        "commit": commit,
        "base": change.base_commit,
        "remote": str(shop.remote),
        "base_branch": "main",
        "state": "open",
    }
    command = outcome.summary.partition("clone: ")[2]
    shown = subprocess.run(["sh", "-c", command], cwd=shop.path, check=True, capture_output=True, text=True)
    assert "-one\n+two\n" in shown.stdout


def test_acting_again_after_a_crash_changes_nothing(action, change, shop):
    plan = action.plan(INCIDENT, ANALYSIS, change)
    first = action.act(plan)
    remembered = action.act(plan)
    action.context.effects.known.clear()

    looked_again = action.act(plan)

    assert first == remembered == looked_again
    assert len(shop.branches()) == 2


def test_r10_a_later_fix_of_the_same_incident_takes_the_place_of_the_first(action, change, shop):
    first = action.act(action.plan(INCIDENT, ANALYSIS, change))
    later = replace(change, files=(ChangedFile("app.py", b"three\n"),))

    outcome = action.act(action.plan(INCIDENT, ANALYSIS, later))

    assert outcome.status == "done"
    assert outcome.data["commit"] == shop.branches()[BRANCH] != first.data["commit"]


def test_a_plan_survives_json(action, change):
    import json

    plan = action.plan(INCIDENT, ANALYSIS, change)

    again = replace(plan, data=json.loads(json.dumps(plan.data)))

    assert again.hash == plan.hash
    assert action.act(again).status == "done"


def test_a_remote_out_of_reach_is_tried_again_later(action, change):
    action.context.repository = Repository(url="http://127.0.0.1:9/shop.git")
    plan = action.plan(INCIDENT, ANALYSIS, change)

    with pytest.raises(Retry) as caught:
        action.act(plan)

    assert caught.value.after == 60
    assert "cannot be reached" in str(caught.value)


def test_a_remote_that_is_not_there_is_a_failure_with_advice(action, change, tmp_path):
    action.context.repository = Repository(url=str(tmp_path / "gone.git"))
    plan = action.plan(INCIDENT, ANALYSIS, change)

    outcome = action.act(plan)

    assert outcome.status == "failed"
    assert "Check repository.url and what repository.token gives access to." in outcome.summary


@pytest.mark.parametrize("repository", [None, Repository(url="https://ann:s3cret@git.example/shop.git")])
def test_a_pipeline_that_cannot_push_does_not_start(repository):
    with pytest.raises(UserError) as caught:
        LocalBranch(context=Context(repository=repository)).start()

    assert str(caught.value).startswith("repository")
    assert "s3cret" not in str(caught.value)


def test_r28_a_branch_is_followed_until_its_commit_is_in_the_base(action, change, shop):
    pushed = action.act(action.plan(INCIDENT, ANALYSIS, change))
    while_open = action.follow(pushed)
    shop.on_remote("update-ref", "refs/heads/main", BRANCH)

    outcome = action.follow(pushed)

    commit = pushed.data["commit"]
    assert while_open is None
    assert (outcome.status, outcome.final) == ("done", True)
    assert outcome.summary == f"branch {BRANCH}, commit {commit[:12]}, was merged into main"
    assert (outcome.data["state"], outcome.data["merge_commit"]) == ("merged", commit)


@pytest.mark.parametrize("is_deleted", [True, False])
def test_r28_a_squashed_merge_is_seen_by_its_change(action, change, shop, is_deleted):
    pushed = action.act(action.plan(INCIDENT, ANALYSIS, change))
    shop.commit({"other.py": "x\n"})
    squashed = shop.commit({"app.py": "two\n", "notes.txt": "and more\n"}, "fix, squashed with another")
    shop.commit({"app.py": "two\nthree\n"})
    if is_deleted:
        shop.on_remote("update-ref", "-d", f"refs/heads/{BRANCH}")

    outcome = action.follow(pushed)

    assert (outcome.status, outcome.final, outcome.data["merge_commit"]) == ("done", True, squashed)
    assert outcome.summary.endswith(f"was merged into main as {squashed[:12]}")


def test_r28_a_squashed_merge_of_the_fix_and_what_people_added_is_seen(action, change, shop):
    pushed = action.act(action.plan(INCIDENT, ANALYSIS, change))
    shop.git("fetch", "-q", "origin", BRANCH)
    shop.git("checkout", "-q", "-b", "review", "FETCH_HEAD")
    shop.commit({"app.py": "two\nand a half\n", "test_app.py": "x = 1\n"})
    shop.git("push", "-q", "origin", f"HEAD:refs/heads/{BRANCH}")
    shop.git("checkout", "-q", "main")
    squashed = shop.commit({"app.py": "two\nand a half\n", "test_app.py": "x = 1\n"}, "squashed")

    outcome = action.follow(pushed)

    assert (outcome.data["state"], outcome.data["merge_commit"]) == ("merged", squashed)


def test_r28_another_change_of_the_same_file_is_no_merge(action, change, shop):
    pushed = action.act(action.plan(INCIDENT, ANALYSIS, change))
    shop.commit({"app.py": "zero\n"})

    assert action.follow(pushed) is None


def test_r28_a_branch_that_people_deleted_was_refused(action, change, shop):
    pushed = action.act(action.plan(INCIDENT, ANALYSIS, change))
    shop.on_remote("update-ref", "-d", f"refs/heads/{BRANCH}")

    outcome = action.follow(pushed)

    assert (outcome.status, outcome.final, outcome.data["state"]) == ("refused", True, "closed")
    assert outcome.summary == f"branch {BRANCH} was deleted without being merged"
