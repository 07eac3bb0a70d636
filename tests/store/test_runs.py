from datetime import timedelta

import pytest

from aiops_core.errors import LeaseLost, UserError
from aiops_core.plain import from_text, to_text
from aiops_core.records import Analysis, Change, ChangedFile, Edit, Evidence, Outcome, Plan, TestRun, Usage


def test_a_run_is_created_with_its_job_and_lives_through_its_states(store, incident_id, run_id, clock):
    again = store.runs.create(incident_id, "retry")
    assert [job.key for job in store.queue.jobs()] == [f"run:{again}", f"run:{run_id}"]
    assert [run.id for run in store.runs.of_incident(incident_id)] == [run_id, again]
    assert store.runs.latest(incident_id).reason == "retry"
    started = clock()

    store.runs.start(again)
    assert store.runs.get(again).state == "running"
    clock.advance(5)
    store.runs.finish(again, "done")

    run = store.runs.get(again)
    assert (run.state, run.started_at, run.finished_at) == ("done", started, clock())


def test_a_run_that_starts_again_keeps_the_time_of_its_first_start(store, run_id, clock):
    started = clock()
    store.runs.start(run_id)
    store.runs.finish(run_id, "waiting")
    assert store.runs.get(run_id).finished_at is None
    clock.advance(60)

    store.runs.start(run_id)

    assert store.runs.get(run_id).started_at == started


def test_an_unknown_run_is_said_to_be_unknown(store):
    assert store.runs.latest(1) is None
    with pytest.raises(
        UserError, match=r"^run 3: there is none\. `aiops incidents show` lists those of an in"
    ):
        store.runs.get(3)


def test_a_step_is_recorded_from_its_begin_to_its_end(store, run_id, clock):
    assert store.runs.step(run_id, "analyze") is None
    store.runs.begin_step(run_id, "evidence")
    store.runs.begin_step(run_id, "analyze", "claude")
    assert not store.runs.step(run_id, "analyze").is_finished
    began = clock()
    clock.advance(3)

    store.runs.end_step(run_id, "analyze", "failed", error="no answer")
    store.runs.end_step(run_id, "evidence", "done", result='["E1"]')

    first, second = store.runs.steps(run_id)
    assert (first.name, first.state, first.result, first.is_finished) == ("evidence", "done", '["E1"]', True)
    assert (second.component, second.state, second.error) == ("claude", "failed", "no answer")
    assert (second.started_at, second.finished_at) == (began, clock())


def test_a_step_that_begins_again_after_a_crash_keeps_its_place(store, run_id):
    store.runs.begin_step(run_id, "evidence")
    store.runs.begin_step(run_id, "analyze")

    store.runs.begin_step(run_id, "evidence")

    assert [(step.name, step.state) for step in store.runs.steps(run_id)] == [
        ("evidence", "running"),
        ("analyze", "running"),
    ]


def test_a_result_travels_as_text_of_its_record():
    analysis = Analysis("t", "s", "c", edits=(Edit("create", "a.py", replace="x"),), usage=Usage("m", 3))

    assert from_text(Analysis, to_text(analysis)) == analysis


def test_evidence_is_kept_in_order_and_replaced_as_a_whole(store, run_id):
    store.runs.save_evidence(run_id, [Evidence("note", "old", "old")])
    found = [Evidence("source", "cart.py", "def", "E1", "cart.py", 3), Evidence("log", "tail", "x", "E2")]

    store.runs.save_evidence(run_id, found)
    assert store.runs.evidence(run_id) == found

    store.runs.save_evidence(run_id, [])
    assert store.runs.evidence(run_id) == []


def test_the_last_analysis_is_the_runs_and_every_one_counts_as_usage(store, incident_id, run_id, clock):
    assert store.runs.analysis(run_id) is None
    first, second = Usage("big", 10, 20, 3, 4, 0.5), Usage("big", 1, 2)
    store.runs.save_analysis(run_id, Analysis("a", "s", "c", analyzer="claude", usage=first))
    clock.advance(60)
    store.runs.save_analysis(run_id, Analysis("b", "s", "c", analyzer="claude", usage=second))
    store.runs.save_analysis(run_id, Analysis("c", "s", "c", analyzer="knowledge"))

    assert store.runs.analysis(run_id).title == "c"
    rows = store.runs.usage(clock() - timedelta(hours=1))
    assert [row.usage for row in rows] == [first, second, Usage()]
    assert (rows[0].run_id, rows[0].incident_id, rows[0].analyzer) == (run_id, incident_id, "claude")
    assert len(store.runs.usage(clock())) == 2
    assert store.runs.usage(clock(), pipeline="bank") == []


def test_a_change_comes_back_with_its_bytes(store, run_id):
    files = (ChangedFile("a.py", b"\xff\x00\n"), ChangedFile("gone.py", None))
    change = Change("abc", "main", files, "diff", after=TestRun("pytest", 0, 1.5))
    assert store.runs.change(run_id) is None

    store.runs.save_change(run_id, Change("old", "main", (), ""))
    store.runs.save_change(run_id, change)

    assert store.runs.change(run_id) == change


def test_an_approval_is_bound_to_the_plan_it_was_given_for(store, run_id, clock):
    plan, other = Plan("push", "a branch", {"branch": "fix/1"}), Plan("push", "another", {"branch": "fix/2"})
    assert store.runs.plan(run_id, "local_branch") is None
    store.runs.save_plan(run_id, "local_branch", plan)
    assert not store.runs.plan(run_id, "local_branch").is_approved

    store.runs.approve(run_id, "local_branch", plan.hash, "ann")

    stored = store.runs.plan(run_id, "local_branch")
    assert (stored.plan, stored.is_approved, stored.approved_by) == (plan, True, "ann")
    assert stored.approved_at == clock()
    store.runs.save_plan(run_id, "local_branch", other)
    assert not store.runs.plan(run_id, "local_branch").is_approved


def test_a_plan_that_changed_cannot_be_approved_by_its_old_hash(store, run_id):
    plan = Plan("push", "a branch")
    store.runs.save_plan(run_id, "push", Plan("push", "another branch"))

    with pytest.raises(UserError) as raised:
        store.runs.approve(run_id, "push", plan.hash, "ann")

    assert str(raised.value) == (
        f"run {run_id}, step push: has no plan {plan.hash} that may be approved, it may have changed "
        "or expired since. Look at the plan again and approve that."
    )


def test_the_last_outcome_of_each_step_counts(store, run_id):
    opened, merged = Outcome("done", "opened", final=False), Outcome("done", "merged", url="http://x")
    store.runs.save_outcome(run_id, "request", opened)
    store.runs.save_outcome(run_id, "branch", Outcome("failed", "no"))
    store.runs.save_outcome(run_id, "request", merged)

    assert store.runs.outcomes(run_id) == {"branch": Outcome("failed", "no"), "request": merged}


def test_an_effect_that_succeeded_is_not_made_again(store, incident_id, run_id):
    with store.runs.effects(run_id, "push")("push", "fix/1") as effect:
        assert (effect.result, effect.is_uncertain) == (None, False)
        effect.result = {"commit": "abc"}
    later = store.runs.create(incident_id, "retry")

    with store.runs.effects(later, "push")("push", "fix/1") as effect:
        assert (effect.result, effect.is_uncertain) == ({"commit": "abc"}, False)
    with store.runs.effects(later, "push")("push", "fix/2") as effect:
        assert effect.result is None


def test_an_effect_that_never_reported_is_uncertain_until_it_does(store, run_id):
    effects = store.runs.effects(run_id, "push")
    with pytest.raises(OSError, match="gone"), effects("push", "fix/1"):
        raise OSError("gone")
    with effects("push", "fix/1") as effect:
        assert effect.is_uncertain

    with effects("push", "fix/1") as effect:
        assert effect.is_uncertain
        effect.result = 0

    with effects("push", "fix/1") as effect:
        assert (effect.result, effect.is_uncertain) == (0, False)


def test_an_effect_begins_only_while_the_lease_holds(store, run_id, clock):
    clock.advance(2)
    job = store.queue.lease(["run"], "me", 10)
    effects = store.guarded(job).runs.effects(run_id, "push")
    clock.advance(11)
    store.queue.lease(["run"], "you", 10)

    with pytest.raises(LeaseLost), effects("push", "fix/1"):
        raise AssertionError("the effect began")

    with store.runs.effects(run_id, "push")("push", "fix/1") as effect:
        assert not effect.is_uncertain


def test_what_is_critical_is_answered_before_errors_and_warnings_after_them(store, event, clock):
    for name in ("warning", "critical", "error", "info"):
        store.record("shop", [(event(name, severity=name), True)], [], {})
    clock.advance(2)

    order = []
    while (job := store.queue.lease(["run"], "me", 60)) is not None:
        run = store.runs.get(job.payload["run"])
        order.append(store.incidents.get(run.incident_id).fingerprint)

    assert order == ["critical", "error", "warning", "info"]
