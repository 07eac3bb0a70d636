from datetime import timedelta

import pytest

from aiops_core.records import Analysis, Decision, Receipt, Report
from aiops_core.store import Cut

REPORT = Report(key="k", pipeline="shop", kind="incident", title="t", text="x", severity="error")


@pytest.fixture
def prune(store, clock):
    """Forget what is older than so many days, in batches to the end; return how many rows went."""

    def run(days):
        at = clock() - timedelta(days=days)
        return sum(iter(lambda: store.retention.prune(Cut(at, at, at)), 0))

    return run


def answer(store, run_id, key):
    store.runs.start(run_id)
    store.runs.begin_step(run_id, "analyze")
    store.runs.end_step(run_id, "analyze", "done")
    store.runs.save_analysis(run_id, Analysis("t", "s", "r", analyzer="claude"))
    store.incidents.decide(1, run_id, Decision("budget", "spent"))
    delivery = store.deliveries.plan(run_id, 1, "console", REPORT, key)
    store.runs.finish(run_id, "done")
    return delivery


def done(store, kind="run"):
    while (job := store.queue.lease([kind], "test", 60)) is not None:
        store.queue.finish(job)


def test_of_many_old_events_the_first_and_the_last_stay_and_the_count(store, event, prune, clock):
    store.record("shop", [(event(), True) for _ in range(15)], [], {})
    clock.advance(8 * 86400)

    assert prune(9) == 0
    gone = prune(7)

    incident = store.incidents.get(1)
    assert [one.key for one in incident.events] == ["key 1", "key 15"]
    assert (incident.count, gone) == (15, 13 + 2)  # and the trend of that hour, and its release


def test_an_old_run_goes_with_all_it_made_and_the_last_one_stays(store, incident_id, run_id, prune, clock):
    delivery = answer(store, run_id, "one")
    store.deliveries.sent([delivery], Receipt())
    again = store.runs.create(incident_id, "retry")
    answer(store, again, "two")
    clock.advance(31 * 86400)
    done(store)
    done(store, "deliver")

    assert prune(30) > 5

    assert [run.id for run in store.runs.of_incident(incident_id)] == [again]
    assert store.runs.analysis(again) is not None
    assert store.runs.analysis(run_id) is None
    assert [row.run_id for row in store.deliveries.list()] == [again]
    assert [one.rule for one in store.incidents.decisions(incident_id)] == ["state", "budget"]
    assert store.check() == []
    assert prune(30) == 0


@pytest.mark.parametrize("waits", ["run", "follow", "deliver"])
def test_what_something_still_waits_for_stays(store, incident_id, run_id, prune, clock, waits):
    answer(store, run_id, "one")
    store.runs.create(incident_id, "retry")
    if waits == "follow":
        store.queue.enqueue("follow", f"follow:{run_id}:local_branch", {})
    clock.advance(31 * 86400)
    for kind in {"run", "deliver"} - {waits}:
        done(store, kind)

    prune(30)

    assert run_id in [run.id for run in store.runs.of_incident(incident_id)]


def test_rows_and_size_are_told(store, incident_id):
    assert store.retention.rows()["events"] == 1
    assert 10_000 < store.retention.size() < 1_000_000
