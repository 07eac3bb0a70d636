from datetime import timedelta

import pytest

from aiops_core.errors import LeaseLost, UserError


@pytest.fixture
def queue(store):
    return store.queue


def test_the_greatest_priority_goes_first_and_then_the_earliest(queue, clock):
    queue.enqueue("a", "late", None, due_at=clock() - timedelta(seconds=1))
    queue.enqueue("a", "early", None, due_at=clock() - timedelta(seconds=2))
    queue.enqueue("b", "urgent", None, priority=5)
    queue.enqueue("c", "of another kind", None, priority=9)

    leased = [queue.lease(["a", "b"], "me", 10) for _ in range(4)]

    assert [job and job.key for job in leased] == ["urgent", "early", "late", None]


def test_a_job_is_not_leased_before_it_is_due(queue, clock):
    queue.enqueue("a", "k", {"n": [1]}, due_at=clock() + timedelta(seconds=5))
    assert queue.lease(["a"], "me", 10) is None
    assert queue.next_due(["a"]) == clock() + timedelta(seconds=5)
    assert queue.next_due(["b"]) is None
    assert queue.next_due([]) is None

    clock.advance(5)

    job = queue.lease(["a"], "me", 10)
    assert (job.payload, job.owner, job.attempts, job.state) == ({"n": [1]}, "me", 1, "leased")
    assert job.lease_until == clock() + timedelta(seconds=10)


def test_a_key_is_queued_once_until_it_is_finished(queue):
    assert queue.enqueue("a", "k", 1)
    assert not queue.enqueue("a", "k", 2)
    job = queue.lease(["a"], "me", 10)
    assert not queue.enqueue("a", "k", 3)

    queue.finish(job)

    assert queue.jobs() == []
    assert queue.enqueue("a", "k", 4)
    assert queue.lease(["a"], "me", 10).payload == 4


def test_a_lease_that_ran_out_is_taken_over_and_the_old_holder_is_refused(queue, clock):
    queue.enqueue("a", "k", None)
    old = queue.lease(["a"], "me", 10)
    assert queue.lease(["a"], "you", 10) is None
    assert queue.next_due(["a"]) == clock() + timedelta(seconds=10)
    clock.advance(10)

    new = queue.lease(["a"], "you", 10)

    assert (new.owner, new.attempts, new.token) == ("you", 2, old.token + 1)
    for act in (
        lambda: queue.finish(old),
        lambda: queue.heartbeat(old, 10),
        lambda: queue.retry(old, "x", clock()),
        lambda: queue.release(old),
        lambda: queue.bury(old, "x"),
    ):
        with pytest.raises(LeaseLost, match=r"^job 1 \(k\): another worker took it over, or it was dropped$"):
            act()
    queue.finish(new)


def test_a_finished_job_cannot_be_finished_by_its_old_holder_under_the_same_key(queue, clock):
    queue.enqueue("a", "k", None)
    old = queue.lease(["a"], "me", 10)
    queue.finish(old)
    queue.enqueue("a", "k", None)
    queue.lease(["a"], "you", 10)

    with pytest.raises(LeaseLost):
        queue.finish(old)


def test_a_heartbeat_keeps_the_lease(queue, clock):
    queue.enqueue("a", "k", None)
    job = queue.lease(["a"], "me", 10)
    clock.advance(8)

    queue.heartbeat(job, 10)

    clock.advance(8)
    assert queue.lease(["a"], "you", 10) is None


def test_a_failing_job_is_tried_again_later_and_then_is_a_dead_letter(queue, clock):
    queue.enqueue("a", "k", None, max_attempts=2)
    job = queue.lease(["a"], "me", 10)
    assert queue.retry(job, "first", clock() + timedelta(seconds=30))
    assert queue.lease(["a"], "me", 10) is None
    clock.advance(30)
    job = queue.lease(["a"], "me", 10)
    assert (job.attempts, job.error) == (2, "first")

    assert not queue.retry(job, "second", clock())

    [dead] = queue.jobs("dead")
    assert (dead.key, dead.error, dead.attempts) == ("k", "second", 2)
    assert queue.next_due(["a"]) is None
    assert not queue.enqueue("a", "k", None)


def test_a_job_that_kills_its_workers_ends_as_a_dead_letter(queue, clock):
    queue.enqueue("a", "k", None, max_attempts=3)
    for _ in range(3):
        assert queue.lease(["a"], "me", 10) is not None
        clock.advance(11)

    assert queue.lease(["a"], "me", 10) is None

    [dead] = queue.jobs("dead")
    assert dead.error == "its worker ended without an answer, 3 times"


def test_a_released_job_keeps_its_attempts(queue):
    queue.enqueue("a", "k", None, max_attempts=1)
    for _ in range(3):
        job = queue.lease(["a"], "me", 10)
        assert job.attempts == 1
        queue.release(job)

    assert [job.state for job in queue.jobs()] == ["ready"]


def test_a_buried_job_is_dead_at_once(queue):
    queue.enqueue("a", "k", None)

    queue.bury(queue.lease(["a"], "me", 10), "hopeless")

    assert [(job.state, job.error) for job in queue.jobs()] == [("dead", "hopeless")]


def test_a_new_runner_frees_the_leases_of_one_that_is_gone(queue):
    queue.enqueue("a", "k", None)
    queue.lease(["a"], "gone", 600)

    assert queue.recover() == 1

    assert queue.lease(["a"], "me", 10).attempts == 2


def test_a_dead_job_is_requeued_with_all_its_attempts(queue, clock):
    queue.enqueue("a", "k", None, max_attempts=1)
    queue.retry(queue.lease(["a"], "me", 10), "broken", clock())

    queue.requeue(1)

    job = queue.lease(["a"], "me", 10)
    assert (job.attempts, job.error) == (1, "broken")
    with pytest.raises(UserError, match=r"^job 1: is not waiting or dead\. "):
        queue.requeue(1)


def test_a_dropped_job_is_gone_for_its_holder_too(queue):
    queue.enqueue("a", "k", None)
    job = queue.lease(["a"], "me", 10)

    queue.drop(1)

    with pytest.raises(LeaseLost):
        queue.finish(job)
    with pytest.raises(UserError, match=r"^job 1: there is none\. "):
        queue.drop(1)


def test_a_dead_run_is_seen_as_such(store, event, clock, incident_id, run_id):
    store.runs.start(run_id)
    clock.advance(2)

    store.queue.bury(store.queue.lease(["run"], "me", 10), "its worker died")

    assert store.runs.get(run_id).state == "failed"


def test_a_job_that_rests_has_all_its_attempts_again(queue, clock):
    queue.enqueue("a", "x", None)
    queue.rest(queue.lease(["a"], "me", 10), clock() + timedelta(seconds=60), "away")
    assert queue.lease(["a"], "me", 10) is None
    clock.advance(60)

    job = queue.lease(["a"], "me", 10)
    assert (job.attempts, job.error) == (1, "away")
    queue.rest(job, None)
    assert queue.jobs() == []


def test_a_job_finished_by_a_stale_worker_leaves_no_trace_of_its_writes(store, clock, run_id):
    clock.advance(2)
    stale = store.queue.lease(["run"], "me", 10)
    clock.advance(11)
    current = store.queue.lease(["run"], "you", 10)

    for guarded, error in ((store.guarded(stale), LeaseLost), (store.guarded(current), None)):
        if error:
            with pytest.raises(error):
                guarded.runs.begin_step(run_id, "evidence")
            assert store.runs.steps(run_id) == []
        else:
            guarded.runs.begin_step(run_id, "evidence")

    assert [step.name for step in store.runs.steps(run_id)] == ["evidence"]
