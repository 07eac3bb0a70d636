"""Under `mode: ask` an action waits for people, and does exactly what they approved."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from response_scene import FIXED, answer, fix_branches, pipeline, shop, trace

from aiops_core.cli import cli
from aiops_core.errors import UserError
from aiops_core.store import Store
from aiops_core.testing.pipeline import run_pipeline

AIOPS = Path(sys.executable).parent / "aiops"
CRASH = 'Traceback (most recent call last):\n  File "/app/a.py", line 7, in total\nValueError: no price\n'
PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./*.log]}}]
    detectors: [python]
    actions:
      - {uses: './mark.py:Mark', name: first, mode: ask}
"""
SECOND = "      - {uses: './mark.py:Mark', name: second, mode: ask}\n"
MARK = """\
from pathlib import Path
from aiops_core import Action, Outcome, Plan

class Mark(Action):
    def plan(self, incident, analysis, change):
        return Plan(f"mark {incident.id}", "a mark\\nbeside the log", {"mark": f"{self.context.name}.mark"})

    def act(self, plan):
        with Path(self.context.directory, plan.data["mark"]).open("a") as mark:
            mark.write(f"{plan.hash}\\n")
        return Outcome("done", "marked")
"""


@pytest.fixture
def typed(tmp_path, capsys):
    """Return a function that types an aiops command over the state of this test."""

    def type_(*arguments: str) -> str:
        cli.main([*arguments, "--state", str(tmp_path / "state")], "aiops", standalone_mode=False)
        return capsys.readouterr().out

    return type_


def run(directory: Path, text: str = PIPELINE):
    done = run_pipeline(text, {"shop.log": CRASH, "mark.py": MARK}, directory)
    assert (done.error, done.faults) == ("", ())
    return done


def marks(directory: Path) -> dict[str, list[str]]:
    return {path.stem: path.read_text().split() for path in directory.glob("*.mark")}


def plan_hash(directory: Path, action: str = "first", run_id: int = 1) -> str:
    with Store.open(directory / "state") as store:
        return store.runs.plan(run_id, action).plan.hash


def states(directory: Path, run_id: int = 1) -> tuple[str, dict[str, str]]:
    """Return the state of a run and of what its actions do."""
    with Store.open(directory / "state") as store:
        steps = {step.name: step.state for step in store.runs.steps(run_id)}
        return store.runs.get(run_id).state, {
            n: s for n, s in steps.items() if n.startswith(("act", "notify "))
        }


def rules(directory: Path) -> list[str]:
    with Store.open(directory / "state") as store:
        return [decision.rule for decision in store.incidents.decisions(1)]


def test_a_plan_that_waits_is_shown_with_its_hash_and_how_to_answer(tmp_path, typed):
    (report,) = run(tmp_path).reports

    shown = typed("incidents", "show", "1").splitlines()

    short = plan_hash(tmp_path)[:12]
    assert states(tmp_path) == ("waiting", {"act first": "waiting"})
    assert [line for line in shown if line.startswith("  plan") or line.startswith("  waits")] == [
        f"  plan {short} of first: mark 1",
        f"  waits: aiops approvals show {short}",
    ]
    assert "  | beside the log" in shown
    assert f"aiops approvals approve {short}" in report.decisions[-1].text
    assert marks(tmp_path) == {}


def test_an_approved_plan_is_carried_out_by_the_next_run_and_told(tmp_path, typed):
    first = run(tmp_path)
    approved = plan_hash(tmp_path)

    said = typed("approvals", "approve", approved[:12])
    second = run_pipeline(PIPELINE, {}, tmp_path)
    third = run_pipeline(PIPELINE, {}, tmp_path)

    assert said == f"incident 1: approved plan {approved[:12]} of first\n  mark 1\n"
    assert marks(tmp_path) == {"first": [approved]}
    assert states(tmp_path) == ("done", {"act first": "done", "notify first": "done"})
    assert rules(tmp_path)[-2:] == ["ask", "approved"]
    told = [
        (report.key.rpartition("/")[2], bool(report.plans)) for report in (*first.reports, *second.reports)
    ]
    assert told == [("run-1", True), ("first", False)]
    assert [outcome.summary for outcome in second.reports[0].outcomes] == ["marked"]
    assert third.reports == ()


def test_an_approved_fix_becomes_a_branch(tmp_path, typed):
    repository = shop(tmp_path / "git")
    text = pipeline(repository, mode="ask")
    run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)
    assert fix_branches(repository) == []

    typed("approvals", "approve", plan_hash(tmp_path, "local_branch"))
    run_pipeline(text, {}, tmp_path)

    (branch,) = fix_branches(repository)
    assert FIXED in repository.on_remote("show", f"{branch}:shop.py")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text.replace("max_age: 3650d", "max_age: 3650d, stop_at: patch"), "stop-level"),
        (lambda text: text.replace("uses: local_branch", "uses: local_branch, name: renamed"), "no-action"),
    ],
)
def test_an_approved_plan_that_the_pipeline_has_left_no_room_for_is_dropped(tmp_path, typed, change, rule):
    repository = shop(tmp_path / "git")
    text = pipeline(repository, mode="ask")
    run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)
    typed("approvals", "approve", plan_hash(tmp_path, "local_branch"))

    (told,) = run_pipeline(change(text), {}, tmp_path).reports

    assert fix_branches(repository) == []
    assert states(tmp_path)[1]["act local_branch"] == "skipped"
    assert rule in rules(tmp_path)
    assert told.key.endswith("/local_branch")
    assert rule in [decision.rule for decision in told.decisions]


def test_an_approved_plan_is_never_carried_out_on_another_remote(tmp_path, typed):
    repository, other = shop(tmp_path / "git"), shop(tmp_path / "other")
    text = pipeline(repository, mode="ask")
    run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)
    typed("approvals", "approve", plan_hash(tmp_path, "local_branch"))

    done = run_pipeline(text.replace(str(repository.remote), str(other.remote)), {}, tmp_path)

    assert fix_branches(repository) == fix_branches(other) == []
    (outcome,) = done.reports[-1].outcomes
    assert outcome.summary.startswith(f"repository.url: the plan is for {repository.remote}, the pipeline's")


def test_a_few_characters_are_no_name_of_a_plan(tmp_path, typed):
    run(tmp_path)

    with pytest.raises(UserError, match="write at least 6 characters of its hash"):
        typed("approvals", "approve", plan_hash(tmp_path)[:5])


def test_an_approval_reaches_a_run_that_is_up_within_a_second(tmp_path, typed):
    text = PIPELINE.replace("[./*.log]", "[./*.log], start: beginning")
    for name, content in (("pipeline.yaml", text), ("mark.py", MARK), ("shop.log", CRASH + "well\n")):
        (tmp_path / name).write_text(content)
    up = subprocess.Popen([AIOPS, "run"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: (tmp_path / "state" / "aiops.db").exists())
        wait_until(lambda: waits(tmp_path))
        typed("approvals", "approve", plan_hash(tmp_path))
        began = time.monotonic()
        wait_until(lambda: marks(tmp_path))
        took = time.monotonic() - began
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(60)

    assert took < 5  # half a second of polling, the rest for a busy machine


def waits(directory: Path) -> bool:
    with Store.open(directory / "state") as store:
        return bool(store.runs.unanswered())


def wait_until(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_rejected_plan_is_never_carried_out(tmp_path, typed):
    run(tmp_path)

    said = typed("approvals", "reject", plan_hash(tmp_path))
    again = run_pipeline(PIPELINE, {}, tmp_path)

    assert said == f"incident 1: rejected plan {plan_hash(tmp_path)[:12]} of first\n  mark 1\n"
    assert (marks(tmp_path), again.reports) == ({}, ())
    assert states(tmp_path) == ("done", {"act first": "refused"})
    assert rules(tmp_path)[-1] == "rejected"
    short = plan_hash(tmp_path)[:12]
    assert refusal(typed, "approve", short).startswith(f"plan {short}: rejected by ")


def test_of_several_plans_each_is_answered_by_its_name(tmp_path, typed):
    text = PIPELINE + SECOND
    run(tmp_path, text)

    typed("approvals", "approve", plan_hash(tmp_path, "second"))
    (after_one,) = run_pipeline(text, {}, tmp_path).reports
    between = states(tmp_path)[0]
    typed("approvals", "reject", plan_hash(tmp_path, "first"))

    assert list(marks(tmp_path)) == ["second"]
    assert ([plan.action for plan in after_one.plans], between) == (["first"], "waiting")
    assert states(tmp_path) == (
        "done",
        {"act first": "refused", "act second": "done", "notify second": "done"},
    )


def test_an_approval_of_another_plan_than_the_present_one_is_refused(tmp_path, typed):
    run(tmp_path)
    seen = plan_hash(tmp_path)[:12]
    typed("incidents", "retry", "1")
    run_pipeline(PIPELINE, {"mark.py": MARK.replace("a mark", "another mark")}, tmp_path)

    told = refusal(typed, "approve", seen)
    run_pipeline(PIPELINE, {}, tmp_path)

    present = plan_hash(tmp_path, run_id=2)[:12]
    assert told == (
        f"plan {seen}: stale: run 2 made plan {present} since. "
        "'aiops approvals list' shows the plans that wait"
    )
    assert marks(tmp_path) == {}


def test_an_approval_that_meets_a_worker_on_the_run_is_not_lost(tmp_path, typed):
    run(tmp_path)
    with Store.open(tmp_path / "state") as store:
        store.runs.resume(1)
        job = store.queue.lease(("run",), "another worker", 60)
        typed("approvals", "approve", plan_hash(tmp_path))
        assert [one.state for one in store.queue.jobs()] == ["leased"]
        store.queue.release(job)

    run_pipeline(PIPELINE, {}, tmp_path)

    assert list(marks(tmp_path)) == ["first"]


def test_an_approval_while_the_run_is_still_telling_is_carried_out_by_that_run(tmp_path):
    approving = (
        "import subprocess\nfrom pathlib import Path\nfrom aiops_core import Extension\n\n\nclass Hasty(Extension):\n"
        "    def step_finished(self, incident, step, state):\n        if step == 'notify':\n"
        "            from aiops_core.store import Store\n"
        f"            with Store.open(Path('{tmp_path}/state')) as store:\n"
        "                (one,) = store.runs.unanswered()\n"
        f"            command = [{str(AIOPS)!r}, 'approvals', 'approve', one.stored.plan.hash]\n"
        f"            command += ['--state', '{tmp_path}/state']\n"
        "            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)\n"
    )

    done = run_pipeline(
        PIPELINE + "    extensions: ['./hasty.py:Hasty']\n",
        {"shop.log": CRASH, "mark.py": MARK, "hasty.py": approving},
        tmp_path,
    )

    assert (done.error, done.faults, list(marks(tmp_path))) == ("", (), ["first"])
    assert len(done.reports) == 2


def test_what_was_approved_is_left_and_told_when_its_mode_forbids_it_now(tmp_path, typed):
    run(tmp_path)
    typed("approvals", "approve", plan_hash(tmp_path))
    text = PIPELINE.replace("mode: ask", "mode: dry_run")

    (told,) = run_pipeline(text, {}, tmp_path).reports
    again = run_pipeline(text, {}, tmp_path)

    assert marks(tmp_path) == {}
    assert states(tmp_path) == ("done", {"act first": "skipped", "notify first": "done"})
    assert told.decisions[-1].text == "first: not done, its mode is dry_run by now"
    assert again.reports == ()


def test_what_nobody_approved_is_left_in_silence_when_its_mode_forbids_it_now(tmp_path):
    run(tmp_path)
    with Store.open(tmp_path / "state") as store:
        store.runs.resume(1)

    done = run_pipeline(PIPELINE.replace("mode: ask", "mode: dry_run"), {}, tmp_path)

    assert states(tmp_path) == ("done", {"act first": "skipped"})
    assert done.reports == ()


def test_an_incident_that_people_closed_is_acted_on_when_they_approve(tmp_path, typed):
    run(tmp_path)
    typed("incidents", "resolve", "1")

    typed("approvals", "approve", plan_hash(tmp_path))
    run_pipeline(PIPELINE, {}, tmp_path)

    assert list(marks(tmp_path)) == ["first"]


@pytest.mark.full
def test_an_approved_action_killed_in_its_middle_is_told_once(tmp_path, typed):
    slow = MARK.replace('return Outcome("done"', 'import time; time.sleep(1.5); return Outcome("done"')
    keep = (
        "import json\nfrom pathlib import Path\nfrom aiops_core import Notifier, Receipt\n\n\n"
        "class Keep(Notifier):\n    def notify(self, report):\n        with Path('told').open('a') as told:\n"
        "            told.write(json.dumps(report.key) + '\\n')\n        return Receipt()\n"
    )
    files = {"pipeline.yaml": PIPELINE + "    notifiers: ['./keep.py:Keep']\n", "mark.py": slow}
    for name, content in {**files, "keep.py": keep, "shop.log": CRASH}.items():
        (tmp_path / name).write_text(content)
    once = [AIOPS, "run", "--once"]
    subprocess.run(once, cwd=tmp_path, check=True, timeout=60)
    typed("approvals", "approve", plan_hash(tmp_path))

    for _ in range(2):
        killed = subprocess.Popen(once, cwd=tmp_path, env=dict(os.environ))
        before = len(marks(tmp_path).get("first", []))
        wait_until(lambda before=before: len(marks(tmp_path).get("first", [])) > before)
        killed.kill()
        killed.wait()
    subprocess.run(once, cwd=tmp_path, check=True, timeout=60)

    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert [key.rpartition("/")[2] for key in told] == ["run-1", "first"]


def refusal(typed, *arguments: str) -> str:
    with pytest.raises(UserError) as raised:
        typed("approvals", *arguments)
    return str(raised.value)
