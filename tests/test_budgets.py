"""Every call of a model is reserved before it is made: budgets hold, whatever the workers and the kills."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from spending_scene import Scene, names

from aiops_core.budget import Amount, AtMost
from aiops_core.cli import cli
from aiops_core.records import Usage
from aiops_core.store import Cap, Shortage, Store
from aiops_core.testing.pipeline import run_pipeline

AIOPS = Path(sys.executable).with_name("aiops")


@pytest.fixture
def quick_disk(tmp_path):
    """Return a directory whose disk is memory, where there is one: each incident is many transactions."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as directory:
        yield Path(directory)


@pytest.mark.parametrize("count", [60, pytest.param(1_000, marks=pytest.mark.full)])
def test_r23_a_budget_of_seven_calls_lets_seven_calls_through_and_every_incident_is_told(quick_disk, count):
    scene = Scene(quick_disk, "budget: {per_day: 7 calls}", workers=8)

    done = scene.run(count, timeout=600)

    answered = [report for report in done.reports if report.analysis.is_answered]
    assert (len(scene.calls), len(answered)) == (7, 7)
    assert len({report.incident.id for report in done.reports}) == len(done.reports) == count


def test_r23_money_is_reserved_at_its_most_and_settled_at_what_was_taken(tmp_path):
    scene = Scene(tmp_path, "budget: {per_day: 1 USD}")

    scene.run(20)

    assert len(scene.calls) == 8  # 0.7 taken, and 0.3 for the next
    with scene.store() as store:
        assert store.spending.taken("shop") == Amount(pytest.approx(0.8), 400, 8)
        assert store.spending.taken() == store.spending.taken("shop")


def test_a_used_up_budget_is_told_once_and_every_report_says_which_setting_would_change_it(tmp_path):
    scene = Scene(tmp_path, "budget: {per_day: '1 USD, 1 call'}")

    done = scene.run(4)

    told = [report for report in done.reports if not report.analysis.is_answered]
    text = (
        "asked: the budget of 24 hours (1 USD, 1 call) is used up: 0.1 USD, 1 call are taken or reserved, "
        "the call may take 0.3 USD, 1 call"
    )
    assert len(told) == 3
    assert [(one.rule, one.text, one.setting) for one in told[0].decisions[:1]] == [
        ("budget", text, "policy.budget.per_day")
    ]
    assert text in told[0].analysis.summary
    assert [report.text for report in done.fault_reports] == [
        "the budget of 24 hours (1 USD, 1 call) is used up: until some of it is 24 hours old errors are told "
        "without analysis, which follows then. Raise policy.budget.per_day"
    ]


def test_after_a_day_there_is_money_again(tmp_path):
    scene = Scene(tmp_path, "budget: {per_day: 2 calls}")
    scene.run(3)

    scene.run(5, after=timedelta(hours=25))

    assert len(scene.calls) == 4


def test_what_was_refused_for_want_of_money_is_analysed_when_there_is_some_again(tmp_path):
    scene = Scene(tmp_path, "budget: {per_day: 2 calls}")

    first = scene.run(3)
    with scene.store() as store:
        [waits] = [job for job in store.queue.jobs() if job.kind == "run"]
    soon = scene.run(3, after=timedelta(hours=1))
    then = scene.run(3, after=timedelta(hours=23, minutes=30))

    assert [report.analysis.is_answered for report in first.reports] == [True, True, False]
    assert (
        timedelta(hours=23) < waits.due_at - scene.now + timedelta(hours=24, minutes=30) < timedelta(hours=25)
    )
    assert (len(soon.reports), len(then.reports)) == (0, 1)
    assert then.reports[0].analysis.is_answered
    assert then.reports[0].incident.id == first.reports[2].incident.id
    assert len(scene.calls) == 3
    assert (
        "the analysis follows when the budget allows it"
        in scene.decided(first.reports[2].incident.id, "postponed")[0]
    )


def test_what_was_refused_for_want_of_money_is_analysed_when_the_budget_is_raised(tmp_path):
    Scene(tmp_path, "budget: {per_day: 2 calls}").run(4)

    done = Scene(tmp_path, "budget: {per_day: 3 calls}").run(4)

    assert [report.analysis.is_answered for report in done.reports] == [True]


@pytest.mark.parametrize(
    ("policy", "setting"),
    [
        ("budget: {per_run: 250 tokens}", "policy.budget.per_run"),
        ("budget: {per_incident: 250 tokens}", "policy.budget.per_incident"),
    ],
)
def test_a_run_and_an_incident_have_budgets_of_their_own(tmp_path, policy, setting):
    scene = Scene(tmp_path, policy, settings="calls: 9")

    done = scene.run(2)

    assert len(scene.calls) == 8  # 150 tokens taken, and 100 for the fourth call of each
    assert [report.decisions[0].setting for report in done.reports] == [setting] * 2
    assert done.fault_reports == ()


def test_all_pipelines_together_have_a_budget(tmp_path):
    scene = Scene(tmp_path, top="budget: {per_day: 3 calls}")

    done = scene.run(5)

    assert len(scene.calls) == 3
    assert done.reports[-1].decisions[0].setting == "budget.per_day"


def test_a_model_of_unknown_price_is_counted_by_tokens_and_calls_and_that_is_said(tmp_path):
    settings = "most: null, real: null"
    scene = Scene(tmp_path, "budget: {per_day: '0.01 USD, 250 tokens'}", settings=settings)

    done = scene.run(6)

    assert len(scene.calls) == 4
    assert done.reports[0].decisions[0].text == (
        "asked: the price of pretended is not known, only its tokens and calls are counted"
    )


def test_tokens_nobody_knows_before_are_all_that_are_left(tmp_path):
    scene = Scene(tmp_path, "budget: {per_day: 120 tokens}", settings="tokens: null")

    scene.run(6)

    assert len(scene.calls) == 3


def test_workers_that_ask_together_never_get_more_than_there_is(tmp_path):
    Scene(tmp_path).run(1)
    caps = [Cap("all", Amount(usd=1.0), "budget.per_day")]
    with Store.open(tmp_path / "state") as store:
        found = []

        def reserve():
            for _ in range(10):
                found.append(store.spending.reserve(1, "asked", AtMost("m", 10, 0.1), caps))

        workers = [threading.Thread(target=reserve) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert sum(isinstance(one, int) for one in found) == 9  # 0.1 was taken before
        assert all(one.in_flight for one in found if isinstance(one, Shortage))
        assert store.spending.taken() == Amount(pytest.approx(1.0), 140, 10)


def test_what_calls_in_flight_may_leave_is_waited_for(tmp_path):
    scene = Scene(tmp_path, "budget: {per_day: 0.5 USD}", workers=4, settings="slow: 0.2")
    files = {**scene.files, "sent": names(6)}

    done = run_pipeline(scene.text, files, tmp_path)

    assert len(scene.calls) == 3  # 0.1 for each, and 0.3 for the next is too much then
    assert len(done.reports) == 6
    with scene.store() as store:
        decided = [one.rule for number in range(1, 7) for one in store.incidents.decisions(number)]
    assert "reserved" in decided


def test_a_call_nothing_worked_on_costs_nothing_and_stays_a_call(tmp_path):
    Scene(tmp_path).run(1)
    with Store.open(tmp_path / "state") as store:
        found = store.spending.reserve(1, "asked", AtMost("m", 1_000, 5.0), [])
        store.spending.settle(found, None)
        unknown = store.spending.reserve(1, "asked", AtMost("m", 1_000, 5.0), [])
        store.spending.settle(unknown, Usage("m", 1, 2))

        assert store.spending.taken() == Amount(pytest.approx(5.1), 53, 3)


def kill_at(scene, place):
    """Run the scene's pipeline over one error, and kill it at a place."""
    for name, text in {**scene.files, "sent": names(1), "pipeline.yaml": scene.text}.items():
        (scene.directory / name).write_text(text)
    killed = subprocess.run(
        [AIOPS, "run", "--once", "pipeline.yaml"],
        cwd=scene.directory,
        env={**os.environ, "AIOPS_FAILPOINT": place},
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL


def test_r23_a_kill_in_a_call_frees_no_budget(tmp_path):
    scene = Scene(tmp_path, "budget: {per_day: 1 call}")
    kill_at(scene, "call_reserved")

    done = run_pipeline(scene.text, {}, tmp_path)

    with scene.store() as store:
        (decision,) = [one for one in store.incidents.decisions(1) if "did not end" in one.text]
        assert store.spending.taken() == Amount(0.3, 100, 1)
    assert scene.calls == []
    assert [report.analysis.is_answered for report in done.reports] == [False]
    assert decision.text == (
        "asked: a call of run 1 did not end, it counts at its most: 0.3 USD, 100 tokens, 1 call"
    )


@pytest.mark.parametrize("place", ["call_settled:1", "call_settled:3", "call_reserved:3", "step_done:2"])
def test_r23_what_a_model_said_before_a_kill_is_not_asked_again(tmp_path, place):
    scene = Scene(tmp_path, settings="calls: 3")
    kill_at(scene, place)

    done = run_pipeline(scene.text, {}, tmp_path)

    lost = 1 if "reserved" in place else 0
    assert len(scene.calls) == 3
    assert [report.analysis.summary for report in done.reports] == ["said 0 said 1 said 2"]
    with scene.store() as store:
        assert store.spending.taken().calls == 3 + lost
        assert store.spending.said(1, 1, "asked", "") == []


def test_a_call_that_broke_off_counts_at_its_most_and_nobody_waits_for_its_end(tmp_path):
    scene = Scene(tmp_path, "budget: {per_day: 0.5 USD}", settings="cut: true")

    done = scene.run(2)

    assert len(scene.calls) == 1
    with scene.store() as store:
        assert store.spending.taken() == Amount(0.3, 100, 1)
    assert scene.decided(2, "reserved") == []
    assert "is used up" in scene.decided(2, "budget")[0]
    assert [report.analysis.is_answered for report in done.reports] == [False, False]


def test_why_names_the_budget_that_was_used_up(tmp_path, runner):
    scene = Scene(tmp_path, "budget: {per_day: 1 call}")
    scene.run(2)

    said = runner.invoke(cli, ["why", "2", "--state", str(tmp_path / "state")]).output

    assert "the budget of 24 hours (1 call) is used up: 1 call are taken" in said
    assert "setting: policy.budget.per_day" in said


@pytest.fixture
def runner():
    from click.testing import CliRunner

    return CliRunner()


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("5 USD", Amount(usd=5.0)),
        ("0.5usd", Amount(usd=0.5)),
        ("200k tokens", Amount(tokens=200_000)),
        ("1.5M tokens, 7 calls", Amount(tokens=1_500_000, calls=7)),
        ("1 call, 2 USD", Amount(usd=2.0, calls=1)),
    ],
)
def test_an_amount_is_read_as_people_write_it(tmp_path, written, amount):
    from aiops_core.settings import Budget

    assert Budget.model_validate({"per_day": written}).per_day == amount


@pytest.mark.parametrize("written", ["5", "5 EUR", "-1 USD", "1 USD, 2 USD", "", "a call"])
def test_what_is_no_amount_is_refused_with_an_example(tmp_path, written):
    done = run_pipeline(
        Scene(tmp_path, f"budget: {{per_day: '{written}'}}").text,
        Scene(tmp_path).files,
        tmp_path,
    )

    assert f"policy.budget.per_day: '{written}' is no amount: write USD, tokens or calls" in done.error
