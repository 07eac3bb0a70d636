from datetime import timedelta

import pytest

from aiops_core.errors import UserError
from aiops_core.records import Receipt, RecipientResult, Report

MINUTE = timedelta(minutes=1)


@pytest.fixture
def report(store, incident_id):
    return Report("r1", "incident", "shop", "a title", incident=store.incidents.get(incident_id))


@pytest.fixture
def delivery_id(store, report, incident_id, run_id):
    return store.deliveries.plan(run_id, incident_id, "mail", report, "r1", max_attempts=3)


def delivery_jobs(store):
    return [job for job in store.queue.jobs() if job.kind == "deliver"]


def planned(store, key, target="mail", severity="error", **options):
    report = Report(key, "fault", "shop", "t", severity=severity)
    return store.deliveries.plan(None, None, target, report, key, **options)


def test_a_delivery_is_planned_once_and_its_target_has_one_job(
    store, report, delivery_id, incident_id, run_id, clock
):
    assert store.deliveries.plan(run_id, incident_id, "mail", report, "r1") == delivery_id
    planned(store, "another")

    row = store.deliveries.get(delivery_id)
    assert (row.pipeline, row.target, row.key, row.state) == ("shop", "mail", "r1", "waiting")
    assert (row.run_id, row.incident_id, row.report, row.receipts) == (run_id, incident_id, report, ())
    [job] = delivery_jobs(store)
    assert (job.key, job.payload) == ("deliver:shop:mail", {"pipeline": "shop", "target": "mail"})
    assert job.due_at == clock()


def test_a_report_of_a_fault_belongs_to_no_incident(store):
    delivery = store.deliveries.plan(None, None, "mail", Report("f", "fault", "shop", "t"), "f")

    assert store.deliveries.get(delivery).incident_id is None


def test_a_failed_delivery_is_tried_again_until_it_is_sent(store, delivery_id, clock):
    receipt = Receipt(("id 1",), (RecipientResult("ann@acme.example", True, "250 ok"),))
    store.deliveries.begin([delivery_id])
    store.deliveries.failed([delivery_id], "451 later", clock() + 5 * MINUTE)
    failed = store.deliveries.get(delivery_id)
    assert (failed.state, failed.error, failed.attempts) == ("failed", "451 later", 1)
    clock.advance(300)

    store.deliveries.begin([delivery_id])
    store.deliveries.sent([delivery_id], receipt)

    sent = store.deliveries.get(delivery_id)
    assert (sent.state, sent.error, sent.attempts, sent.receipts) == ("sent", "", 2, (receipt,))
    assert sent.updated_at == sent.created_at + timedelta(seconds=300)


def test_what_is_due_comes_by_severity_and_then_by_age(store, clock):
    for key, severity in (("a", "error"), ("b", "info"), ("c", "critical"), ("d", "error")):
        planned(store, key, severity=severity)
    planned(store, "later", severity="critical", due_at=clock() + MINUTE)
    planned(store, "elsewhere", "hook")

    assert [row.key for row in store.deliveries.due("shop", "mail")] == ["c", "a", "d", "b"]


def test_what_was_bound_into_one_message_stays_one_message(store, clock):
    ids = [planned(store, key) for key in "abc"]

    store.deliveries.begin(ids[:2])

    assert [(row.id, row.batch) for row in store.deliveries.begun("shop", "mail")] == [(1, 1), (2, 1)]
    assert [row.id for row in store.deliveries.due("shop", "mail")] == [3]


def test_messages_to_a_target_are_counted_those_sent_as_one_once(store, clock):
    ids = [planned(store, key) for key in "abcd"]
    for batch in (ids[:2], ids[2:3], ids[3:]):
        clock.advance(60)
        store.deliveries.begin(batch)
        store.deliveries.sent(batch, Receipt())

    sent = store.deliveries.sent_since("shop", "mail", clock() - 2 * MINUTE, 10)

    assert sent == [clock(), clock() - MINUTE]


def test_a_target_that_is_away_is_not_asked_for_a_new_message(store, clock):
    planned(store, "a")
    store.queue.rest(store.queue.lease(["deliver"], "me", 10), clock() + 5 * MINUTE, "away")

    planned(store, "b", severity="critical")

    [job] = delivery_jobs(store)
    assert job.due_at == clock() + 5 * MINUTE


def test_a_message_that_may_go_earlier_than_all_others_wakes_its_target(store, clock):
    planned(store, "a", due_at=clock() + 5 * MINUTE)
    planned(store, "b", due_at=clock() + MINUTE)

    [job] = delivery_jobs(store)
    assert job.due_at == clock() + MINUTE == store.deliveries.next_due("shop", "mail")


def test_what_waits_for_one_thing_is_released_when_it_is_there(store, clock):
    held, other = (
        planned(store, key, due_at=clock() + 5 * MINUTE, held=key) for key in ("storm", "silence 1")
    )

    assert store.deliveries.release("storm") == 1

    assert [row.id for row in store.deliveries.due("shop", "mail")] == [held]
    assert store.deliveries.get(other).held == "silence 1"
    assert delivery_jobs(store)[0].due_at == clock()


def test_targets_whose_job_is_gone_or_dead_are_looked_at_again(store, clock):
    planned(store, "a")
    planned(store, "b", "hook")
    store.queue.drop(delivery_jobs(store)[0].id)
    store.queue.bury(store.queue.lease(["deliver"], "me", 10), "a bug")

    store.deliveries.recover()

    assert sorted((job.key, job.state) for job in delivery_jobs(store)) == [
        ("deliver:shop:hook", "ready"),
        ("deliver:shop:mail", "ready"),
    ]


def test_deliveries_are_listed_by_state_the_last_one_first(store, report, delivery_id):
    other = store.deliveries.plan(None, None, "hook", report, "r1")
    store.deliveries.give_up([delivery_id], "no")

    assert [row.id for row in store.deliveries.list()] == [other, delivery_id]
    assert [row.id for row in store.deliveries.list("dead")] == [delivery_id]
    assert [row.id for row in store.deliveries.list(limit=1)] == [other]


def test_a_dead_delivery_is_due_again_by_itself_with_all_its_attempts_when_asked(store, delivery_id, clock):
    store.deliveries.begin([delivery_id, planned(store, "b")])
    store.deliveries.give_up([delivery_id], "refused")
    store.queue.rest(store.queue.lease(["deliver"], "me", 10), clock() + 5 * MINUTE, "away")
    clock.advance(60)

    store.deliveries.retry(delivery_id)

    row = store.deliveries.get(delivery_id)
    assert (row.state, row.attempts, row.batch, row.updated_at) == ("waiting", 0, 0, clock())
    [job] = delivery_jobs(store)
    assert (job.state, job.attempts, job.due_at) == ("ready", 0, clock())


def test_a_finished_delivery_is_sent_again_when_asked(store, delivery_id):
    store.deliveries.sent([delivery_id], Receipt())
    store.queue.finish(store.queue.lease(["deliver"], "me", 10))

    store.deliveries.retry(delivery_id)

    assert [job.state for job in delivery_jobs(store)] == ["ready"]


def test_a_target_somebody_works_on_is_left_to_him(store, delivery_id):
    job = store.queue.lease(["deliver"], "me", 10)

    store.deliveries.retry(delivery_id)

    store.queue.finish(job)


def test_an_unknown_delivery_is_said_to_be_unknown(store):
    expected = r"^delivery 9: there is none\. `aiops deliveries list` shows those that are\.$"
    for ask in (
        lambda: store.deliveries.get(9),
        lambda: store.deliveries.retry(9),
        lambda: store.deliveries.give_up([9], "x"),
    ):
        with pytest.raises(UserError, match=expected):
            ask()


def test_a_planned_delivery_is_undone_with_the_transaction_around_it(store, report):
    with pytest.raises(OSError, match="stop"), store.transaction():
        store.deliveries.plan(None, None, "mail", report, "r1")
        assert len(store.deliveries.list()) == 1
        raise OSError("stop")

    assert store.deliveries.list() == []
    assert delivery_jobs(store) == []
