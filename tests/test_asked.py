"""What people are asked, what they see before they answer, and how long their answer is waited for."""

import getpass
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from response_scene import FIXED, answer, fix_branches, pipeline, shop, trace

from aiops_core.cli import cli
from aiops_core.context import utc_now
from aiops_core.errors import UserError
from aiops_core.store import Store
from aiops_core.testing.pipeline import run_pipeline

AIOPS = Path(sys.executable).parent / "aiops"
STRAY = """\
- match: {type: KeyError}
  answer:
    title: Orders without a count fail
    summary: s
    root_cause: r
    repair_steps: [STEP]
    confidence: 0.9
    edits:
      - {kind: replace, path: shop.py, search: 'return order["price"] * order["count"]',
         replace: 'return order["price"] * order.get("count", 1)'}
      - {kind: create, path: other.py, replace: "x = 1\\n"}
"""


@pytest.fixture
def typed(tmp_path, capsys):
    """Return a function that types an aiops command over the state of this test."""

    def type_(*arguments: str) -> str:
        capsys.readouterr()
        cli.main([*arguments, "--state", str(tmp_path / "state")], "aiops", standalone_mode=False)
        return capsys.readouterr().out

    return type_


@pytest.fixture
def repository(tmp_path):
    return shop(tmp_path / "git")


def respond(repository, directory: Path, *, mode: str = "ask", recorded: str = "", policy: str = "", **how):
    text = pipeline(repository, mode=mode).replace("max_age: 3650d", f"max_age: 3650d{policy}")
    done = run_pipeline(text, {"shop.log": trace(), "answer.yaml": recorded or answer()}, directory, **how)
    assert (done.error, done.faults) == ("", ())
    return done


def waiting(directory: Path):
    with Store.open(directory / "state") as store:
        return store.runs.unanswered()


def test_a_waiting_plan_is_listed_with_its_hash_incident_action_and_end(tmp_path, repository, typed):
    respond(repository, tmp_path)

    (one,) = waiting(tmp_path)
    first, second = typed("approvals", "list").splitlines()

    assert first.startswith(f"{one.stored.plan.hash[:12]}  incident 1  local_branch  until 20")
    assert second == f"  {one.stored.plan.title}"
    assert one.stored.expires_at - one.stored.created_at >= timedelta(days=7) - timedelta(seconds=9)


def test_what_is_shown_of_a_plan_is_its_target_its_text_and_its_whole_diff(tmp_path, repository, typed):
    respond(repository, tmp_path)
    (one,) = waiting(tmp_path)

    shown = typed("approvals", "show", one.stored.plan.hash[:8]).splitlines()

    data = one.stored.plan.data
    assert shown[0] == f"plan {one.stored.plan.hash}"
    assert shown[1].startswith("  waits since 20") and ", until 20" in shown[1]
    assert f"branch: {data['branch']}" in shown
    assert any(str(repository.remote) in line for line in shown)
    assert [line for line in shown if line.startswith("  | +")] == ["  | +++ b/shop.py", f"  | +    {FIXED}"]
    assert {f"  | {line}" for line in data["message"].splitlines()} <= set(shown)


def test_who_approved_and_when_is_kept_and_shown(tmp_path, repository, typed):
    respond(repository, tmp_path)
    (one,) = waiting(tmp_path)
    typed("approvals", "approve", one.stored.plan.hash)

    shown = typed("approvals", "show", one.stored.plan.hash).splitlines()

    assert shown[1].startswith(f"  approved by {getpass.getuser()}@")
    assert typed("approvals", "list") == "no plan waits for an approval\n"


def test_a_beginning_that_means_no_plan_is_told(typed, tmp_path, repository):
    respond(repository, tmp_path)

    with pytest.raises(UserError) as raised:
        typed("approvals", "show", "zzzzzz")

    assert str(raised.value) == (
        "plan zzzzzz: there is none, it may have changed since you saw it. "
        "'aiops approvals list' shows the plans that wait"
    )


def test_a_plan_nobody_approved_in_time_is_never_carried_out(tmp_path, repository, typed):
    respond(repository, tmp_path, policy=", approve_within: 2h")
    (one,) = waiting(tmp_path)
    late = {"clock": lambda: utc_now() + timedelta(hours=3)}
    with Store.open(tmp_path / "state", **late) as store, pytest.raises(UserError, match="or expired since"):
        store.runs.approve(1, "local_branch", one.stored.plan.hash, "ann")

    respond(repository, tmp_path, policy=", approve_within: 2h", **late)

    with pytest.raises(UserError, match=r"nobody approved plan \w+ within 2h"):
        typed("approvals", "approve", one.stored.plan.hash)
    with Store.open(tmp_path / "state") as store:
        assert store.runs.get(1).state == "done"
        assert store.incidents.decisions(1)[-1].rule == "expired"
    assert fix_branches(repository) == []


def test_an_approval_given_in_time_counts_after_the_time(tmp_path, repository, typed):
    respond(repository, tmp_path, policy=", approve_within: 2h")
    (one,) = waiting(tmp_path)
    typed("approvals", "approve", one.stored.plan.hash)

    respond(repository, tmp_path, policy=", approve_within: 2h", clock=lambda: utc_now() + timedelta(hours=3))

    assert len(fix_branches(repository)) == 1


def test_r15_a_file_the_trace_does_not_lead_to_needs_a_person_under_auto_too(tmp_path, repository, typed):
    (report,) = respond(repository, tmp_path, mode="auto", recorded=STRAY).reports
    before = fix_branches(repository)
    (one,) = waiting(tmp_path)
    typed("approvals", "approve", one.stored.plan.hash)
    respond(repository, tmp_path, mode="auto", recorded=STRAY)

    why = "it changes files that the trace does not lead to: other.py"
    assert (before, one.stored.why) == ([], why)
    assert report.decisions[-1].setting == "policy.ask_for"
    assert why in report.decisions[-1].text
    assert len(fix_branches(repository)) == 1


@pytest.mark.parametrize(
    ("recorded", "policy"),
    [
        (answer(), ""),
        (STRAY.replace("STEP", "Add other.py beside it."), ""),
        (STRAY.replace("other.py", "test_other.py"), ""),
        (STRAY, ", ask_for: []"),
    ],
)
def test_r15_what_trace_plan_or_setting_cover_needs_nobody(tmp_path, repository, recorded, policy):
    respond(repository, tmp_path, mode="auto", recorded=recorded, policy=policy)

    assert len(fix_branches(repository)) == 1
    assert waiting(tmp_path) == []


GONE = STRAY.replace("STEP", "Drop unused.py and add other.py.").replace(
    '{kind: create, path: other.py, replace: "x = 1\\n"}', "{kind: delete, path: unused.py}"
)


def test_r17_a_fix_that_deletes_a_file_needs_a_person_under_auto_too(tmp_path, repository, typed):
    repository.commit({"unused.py": "x = 1\n"})
    respond(repository, tmp_path, mode="auto", recorded=GONE)
    before = fix_branches(repository)
    (one,) = waiting(tmp_path)
    typed("approvals", "approve", one.stored.plan.hash)
    respond(repository, tmp_path, mode="auto", recorded=GONE)

    (branch,) = fix_branches(repository)
    assert (before, one.stored.why) == ([], "it deletes unused.py")
    assert "unused.py" in repository.on_remote("ls-tree", "--name-only", "main").split()
    assert "unused.py" not in repository.on_remote("ls-tree", "--name-only", branch).split()


@pytest.mark.parametrize("point", ["step_begun", "before_effect", "after_effect", "step_done", "step_ended"])
def test_an_approved_plan_killed_on_its_way_is_carried_out_once(tmp_path, repository, typed, point):
    respond(repository, tmp_path)
    (one,) = waiting(tmp_path)
    typed("approvals", "approve", one.stored.plan.hash)
    once = [AIOPS, "run", "--once"]

    killed = subprocess.run(once, cwd=tmp_path, env={**os.environ, "AIOPS_FAILPOINT": point}, timeout=60)
    subprocess.run(once, cwd=tmp_path, check=True, timeout=60)

    assert killed.returncode == -signal.SIGKILL
    (branch,) = fix_branches(repository)
    assert repository.on_remote("rev-list", "--count", f"main..{branch}").strip() == "1"
    with Store.open(tmp_path / "state") as store:
        assert store.runs.outcomes(1)["local_branch"].status == "done"
