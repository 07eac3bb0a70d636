from datetime import timedelta

import pytest

from aiops_core.errors import UserError
from aiops_core.records import Receipt, RecipientResult, Report


@pytest.fixture
def report(store, incident_id):
    return Report("r1", "incident", "shop", "a title", incident=store.incidents.get(incident_id))


@pytest.fixture
def delivery_id(store, report, incident_id, run_id):
    return store.deliveries.plan(run_id, incident_id, "mail", report, "r1", max_attempts=3)


def delivery_jobs(store):
    return [job for job in store.queue.jobs() if job.kind == "deliver"]


def test_a_delivery_is_planned_once_with_its_job(store, report, delivery_id, incident_id, run_id, clock):
    assert store.deliveries.plan(run_id, incident_id, "mail", report, "r1") == delivery_id

    row = store.deliveries.get(delivery_id)
    assert (row.pipeline, row.target, row.key, row.state) == ("shop", "mail", "r1", "waiting")
    assert (row.run_id, row.incident_id, row.report, row.receipts) == (run_id, incident_id, report, ())
    [job] = delivery_jobs(store)
    assert (job.key, job.payload, job.max_attempts) == (
        f"deliver:{delivery_id}",
        {"delivery": delivery_id},
        3,
    )
    assert job.due_at == clock()


def test_a_report_of_a_fault_belongs_to_no_incident(store):
    delivery = store.deliveries.plan(None, None, "mail", Report("f", "fault", "shop", "t"), "f")

    assert store.deliveries.get(delivery).incident_id is None


def test_a_failed_delivery_is_tried_again_until_it_is_sent(store, delivery_id, clock):
    receipt = Receipt(("id 1",), (RecipientResult("ann@acme.example", True, "250 ok"),))
    store.deliveries.failed(delivery_id, "451 later", final=False)
    failed = store.deliveries.get(delivery_id)
    assert (failed.state, failed.error, failed.attempts) == ("failed", "451 later", 1)
    clock.advance(300)

    store.deliveries.sent(delivery_id, receipt)

    sent = store.deliveries.get(delivery_id)
    assert (sent.state, sent.error, sent.attempts, sent.receipts) == ("sent", "", 2, (receipt,))
    assert sent.updated_at == sent.created_at + timedelta(seconds=300)


def test_deliveries_are_listed_by_state_the_last_one_first(store, report, delivery_id):
    other = store.deliveries.plan(None, None, "hook", report, "r1")
    store.deliveries.failed(delivery_id, "no", final=True)

    assert [row.id for row in store.deliveries.list()] == [other, delivery_id]
    assert [row.id for row in store.deliveries.list("dead")] == [delivery_id]
    assert [row.id for row in store.deliveries.list(limit=1)] == [other]


def test_a_dead_delivery_is_due_again_with_all_its_attempts_when_asked(store, delivery_id, clock):
    for _ in range(3):
        clock.advance(1)
        job = store.queue.lease(["deliver"], "me", 10)
        store.queue.retry(job, "refused", clock())
    assert store.deliveries.get(delivery_id).state == "dead"
    clock.advance(60)

    store.deliveries.retry(delivery_id)

    row = store.deliveries.get(delivery_id)
    assert (row.state, row.attempts, row.updated_at) == ("waiting", 0, clock())
    [job] = delivery_jobs(store)
    assert (job.state, job.attempts, job.due_at) == ("ready", 0, clock())


def test_a_finished_delivery_is_sent_again_when_asked(store, delivery_id):
    store.deliveries.sent(delivery_id, Receipt())
    store.queue.finish(store.queue.lease(["deliver"], "me", 10))

    store.deliveries.retry(delivery_id)

    assert [(job.state, job.max_attempts) for job in delivery_jobs(store)] == [("ready", 3)]


def test_a_delivery_somebody_works_on_is_left_to_him(store, delivery_id):
    job = store.queue.lease(["deliver"], "me", 10)

    store.deliveries.retry(delivery_id)

    store.queue.finish(job)


def test_an_unknown_delivery_is_said_to_be_unknown(store):
    expected = r"^delivery 9: there is none\. `aiops deliveries list` shows those that are\.$"
    for ask in (
        lambda: store.deliveries.get(9),
        lambda: store.deliveries.retry(9),
        lambda: store.deliveries.failed(9, "x", final=True),
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
