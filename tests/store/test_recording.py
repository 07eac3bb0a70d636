import time
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy.event import listen
from sqlalchemy.exc import StatementError

from aiops_core.errors import LeaseLost
from aiops_core.store import (
    Checkpoint,
    Counted,
    IncidentChange,
    Store,
    minute_of,
    until_count,
    until_release,
    until_time,
)


def test_a_new_incident_gets_a_run_and_its_job_in_one_commit(store, event, clock):
    changes = store.record("shop", [(event(), True)], [], {})

    assert changes == [IncidentChange(1, "", "new", 1)]
    run = store.runs.get(1)
    assert (run.incident_id, run.pipeline, run.reason, run.state) == (1, "shop", "new", "waiting")
    [job] = store.queue.jobs()
    assert (job.kind, job.key, job.payload) == ("run", "run:1", {"run": 1})
    assert job.due_at == clock() + timedelta(seconds=1)


def test_counts_are_exact_and_the_worst_severity_stays(store, event, clock):
    early, late = clock() - timedelta(hours=2), clock() - timedelta(hours=1)
    store.record("shop", [(event(occurred_at=late), True), (event(severity="critical"), True)], [], {})
    store.record("shop", [(event(occurred_at=early, severity="info"), True)] * 1, [], {})

    incident = store.incidents.get(1)

    assert (incident.count, incident.severity) == (3, "critical")
    assert (incident.first_seen, incident.last_seen) == (early, clock())
    assert incident.title == "ValueError: bad amount 1"


def test_one_fingerprint_in_two_pipelines_is_two_incidents(store, event):
    store.record("shop", [(event(), True)], [], {})
    store.record("bank", [(event(), True)], [], {})

    assert [(one.pipeline, one.count) for one in store.incidents.list()] == [("bank", 1), ("shop", 1)]


def test_an_incident_seen_again_is_ongoing_and_gets_no_second_run(store, event):
    store.record("shop", [(event(), True)], [], {})

    changes = store.record("shop", [(event(), True)], [], {})

    assert changes == [IncidentChange(1, "new", "ongoing", None)]
    assert store.record("shop", [(event(), True)], [], {}) == []
    assert len(store.runs.of_incident(1)) == 1


def test_an_old_event_is_counted_and_only_a_young_one_is_answered(store, event):
    assert store.record("shop", [(event(), False)], [], {}) == [IncidentChange(1, "", "new", None)]
    assert store.queue.jobs() == []

    changes = store.record("shop", [(event(), True)], [], {})

    assert changes == [IncidentChange(1, "new", "ongoing", 1)]
    assert store.runs.get(1).reason == "new"
    assert store.incidents.get(1).count == 2


def test_a_resolved_incident_that_fires_again_regresses_and_is_answered_again(store, event, incident_id):
    assert store.incidents.set_state(incident_id, "resolved") == "new"
    store.runs.start(1)

    changes = store.record("shop", [(event(), True), (event(), True)], [], {})

    assert changes == [IncidentChange(incident_id, "resolved", "regressed", 2)]
    assert store.runs.get(2).reason == "regressed"


def test_an_incident_that_comes_back_before_anybody_took_it_up_is_answered_once(store, event, incident_id):
    for _ in range(9):
        store.record("shop", [(event(status="resolved"), True)], [], {})
        store.record("shop", [(event(), True)], [], {})

    assert [run.reason for run in store.runs.of_incident(incident_id)] == ["new"]
    assert store.incidents.get(incident_id).state == "regressed"


def is_back(store, record, until):
    """Ignore incident 1 until something; return which of the records then bring it back."""
    store.incidents.set_state(1, "ignored", until=until)
    found = []
    for each in record:
        each()
        found.append(store.incidents.get(1).state)
    return found


def test_an_incident_that_is_ignored_for_a_time_comes_back_with_the_first_event_after_it(store, event, clock):
    store.record("shop", [(event(), True)], [], {})
    store.runs.start(1)

    def later(seconds):
        clock.advance(seconds)
        store.record("shop", [(event(), True)], [], {})

    until = until_time(clock() + timedelta(hours=1))
    found = is_back(store, [lambda: later(3_599), lambda: later(1), lambda: later(1)], until)

    assert found == ["ignored", "regressed", "regressed"]
    assert [run.reason for run in store.runs.of_incident(1)] == ["new", "regressed"]
    assert store.incidents.decisions(1)[-1].text == "regressed: it came on beyond what it was ignored for"


def test_an_incident_that_is_ignored_for_so_many_events_comes_back_with_the_one_after(store, event):
    store.record("shop", [(event(), True)], [], {})

    one = [lambda: store.record("shop", [(event(), True)], [], {})] * 3

    assert is_back(store, one, until_count(3)) == ["ignored", "regressed", "regressed"]


def test_an_incident_that_is_ignored_for_a_release_comes_back_with_another_one(store, event):
    def of(**release):
        store.record("shop", [(event(attributes=release), True)], [], {})

    of(release="1.0")
    until = until_release(store.incidents.releases(1))

    found = is_back(store, [lambda: of(release="1.0"), of, lambda: of(release="1.1")], until)

    assert found == ["ignored", "ignored", "regressed"]


def test_an_incident_that_people_open_again_before_that_waits_for_nothing(store, event):
    store.record("shop", [(event(), True)], [], {})
    store.incidents.set_state(1, "ignored", until=until_count(100))
    store.incidents.set_state(1, "ongoing")

    assert store.record("shop", [(event(), True)], [], {}) == []


def test_an_ignored_incident_is_counted_and_never_answered(store, event):
    store.record("shop", [(event(), False)], [], {})
    store.incidents.set_state(1, "ignored")

    assert store.record("shop", [(event(), True)], [], {}) == []
    assert store.record("shop", [(event(status="resolved"), True)], [], {}) == []

    incident = store.incidents.get(1)
    assert (incident.state, incident.count) == ("ignored", 2)
    assert store.queue.jobs() == []


def test_an_incident_reopened_before_it_was_answered_is_answered(store, event):
    store.record("shop", [(event(), False)], [], {})
    store.incidents.set_state(1, "ignored")
    store.incidents.set_state(1, "ongoing")

    assert store.record("shop", [(event(), True)], [], {}) == [IncidentChange(1, "ongoing", "ongoing", 1)]


def test_an_event_that_says_resolved_ends_the_incident_and_is_not_counted(store, event, incident_id):
    changes = store.record("shop", [(event(status="resolved"), True)], [], {})

    assert changes == [IncidentChange(incident_id, "new", "resolved", None)]
    assert store.incidents.get(incident_id).count == 1


def test_an_event_that_says_resolved_of_nothing_known_is_dropped(store, event):
    assert store.record("shop", [(event(status="resolved"), True)], [], {}) == []
    assert store.incidents.list() == []


def test_what_fires_and_is_resolved_in_one_batch_causes_no_run(store, event):
    changes = store.record("shop", [(event(), True), (event(status="resolved"), True)], [], {})

    assert changes == [IncidentChange(1, "", "resolved", None)]
    assert store.queue.jobs() == []


def test_the_first_twenty_events_are_stored_and_then_those_at_powers_of_two(store, event):
    batch = [event() for _ in range(100)]
    store.record("shop", [(one, True) for one in batch[:30]], [], {})
    store.record("shop", [(one, True) for one in batch[30:]], [], {})

    incident = store.incidents.get(1)

    assert incident.count == 100
    assert list(incident.events) == [*batch[:20], batch[31], batch[63]]


def test_the_event_that_regresses_is_stored_but_never_more_than_a_hundred(store, event):
    store.record("shop", [(event(), False) for _ in range(25)], [], {})
    again = [
        (event(message=f"again {n}", status=s), False) for n in range(200) for s in ("resolved", "firing")
    ]

    store.record("shop", again[:2], [], {})
    assert store.incidents.get(1).events[-1].message == "again 0"

    store.record("shop", again[2:], [], {})
    incident = store.incidents.get(1)
    assert (incident.count, len(incident.events)) == (225, 100)


def test_events_that_are_only_counted_leave_what_single_ones_leave(store, event, clock):
    early, late = clock() - timedelta(minutes=2), clock()
    times = [early, *[late] * 69]
    store.record("shop", [(event("f1", occurred_at=time), True) for time in times], [], {})
    some = [event("f1", occurred_at=time) for time in times]
    minutes = Counter(map(minute_of, times))
    many = Counted("f1", "error", 70, early, late, "", lambda: iter(some), minutes)
    store.record("bank", [], [], {}, counted=[(many, True)])

    one, other = store.incidents.get(1), store.incidents.get(2)

    assert (other.count, other.first_seen, other.last_seen) == (one.count, one.first_seen, one.last_seen)
    assert (other.type, other.severity, other.state) == (one.type, one.severity, one.state)
    assert len(other.events) == len(one.events) == 22
    assert store.runs.get(2).reason == "new"
    assert store.trends.since(early - timedelta(minutes=1)) == {1: minutes, 2: minutes}


def test_of_counted_events_none_is_stored_twice(store, event, clock):
    some, minutes = [event(), event()], {minute_of(clock()): 2}
    store.record("shop", [(some[0], True)], [], {})

    store.record(
        "shop",
        [],
        [],
        {},
        counted=[(Counted("f1", "error", 2, clock(), clock(), "", lambda: iter(some), minutes), True)],
    )

    incident = store.incidents.get(1)
    assert (incident.count, list(incident.events)) == (3, some)


def test_a_key_that_is_stored_is_not_counted_twice(store, event):
    first, second = event(), event()
    store.record("shop", [(first, True), (first, True)], [], {})

    store.record("shop", [(first, True), (second, True)], [], {})

    assert store.incidents.get(1).count == 2


def test_an_alias_counts_on_the_old_incident(store, event, incident_id):
    store.incidents.alias(incident_id, "f2")

    store.record("shop", [(event("f2"), True), (event("f1"), True)], [], {})

    assert [(one.fingerprint, one.count) for one in store.incidents.list()] == [("f1", 3)]


def test_checkpoints_come_back_by_stream_and_only_the_last(store):
    first = Checkpoint("file", "inode 1", {"offset": 3}, ("k1", "k2"))
    other = Checkpoint("file", "inode 2", {"offset": 9})
    store.record("shop", [], [first, other], {})
    moved = Checkpoint("file", "inode 1", {"offset": 30, "more": [1, None]}, ())
    store.record("shop", [], [moved], {})

    assert store.checkpoints("shop", "file") == {"inode 1": moved, "inode 2": other}
    assert store.checkpoints("shop", "journald") == store.checkpoints("bank", "file") == {}


def test_component_states_come_back_by_step(store):
    store.record("shop", [], [], {"file": {"seen": 1}, "levels": {"b": [2]}})
    store.record("shop", [], [], {"file": {"seen": 2}})

    assert store.states("shop") == {"file": {"seen": 2}, "levels": {"b": [2]}}
    assert store.states("other") == {}


def test_lines_after_an_event_come_by_a_second_write(store, event):
    first, second = event(context_after=("early",)), event()
    store.record("shop", [(first, True), (second, True)], [], {})

    store.add_context_after({first.key: ("a", "b"), "of no row": ("c",)})
    store.add_context_after({})

    after = [one.context_after for one in store.incidents.get(1).events]
    assert after == [("a", "b"), ()]


def test_nothing_of_a_batch_is_kept_when_one_part_fails(store, event):
    state = {"secret": {"hunter2"}}
    with pytest.raises(StatementError, match="not JSON serializable") as raised:
        store.record("shop", [(event(), True)], [Checkpoint("file", "s", {"offset": 1})], {"file": state})

    assert "hunter2" not in str(raised.value)
    assert store.incidents.list() == []
    assert store.checkpoints("shop", "file") == {}
    assert store.queue.jobs() == []


def test_text_that_is_no_unicode_stops_nothing(store, event):
    odd = event(
        message="half \ud83d of a pair", type="T\udcff", block="\x00\udc80", attributes={"a": "\udc80"}
    )
    at = Checkpoint("file", "caf\udce9.log", {"path": "caf\udce9.log"}, ("k\udce9",))

    store.record("shop", [(odd, True)], [at], {"file": {"path": "\udce9"}})

    assert store.checkpoints("shop", "file") == {"caf\udce9.log": at}
    assert store.states("shop")["file"] == {"path": "\udce9"}
    incident = store.incidents.get(1)
    assert incident.message == odd.message
    assert incident.event.block == "\x00\\udc80"


def test_a_time_without_a_zone_is_taken_as_utc(store, event, clock):
    store.record("shop", [(event(occurred_at=datetime(2026, 11, 21, 8)), True), (event(), True)], [], {})

    assert store.incidents.get(1).first_seen == clock() - timedelta(hours=4)


def test_ten_thousand_events_of_fifty_problems_are_one_quick_commit(store, event):
    batch = [(event(f"f{number % 50}"), True) for number in range(10_000)]
    store.record("shop", [(event(), True)], [], {})
    before = time.process_time()

    changes = store.record("bank", batch, [], {})

    assert time.process_time() - before < 5
    assert len(changes) == 50
    assert {one.count for one in store.incidents.list(pipeline="bank")} == {200}


def test_many_problems_at_once_are_all_kept(store, event):
    batch = [(event(f"f{number}"), True) for number in range(6_000)]

    changes = store.record("shop", batch, [], {})

    assert len({change.run_id for change in changes}) == 6_000
    assert len(store.queue.jobs(limit=10_000)) == 6_000


def test_what_was_committed_is_there_after_opening_again(directory, event):
    with Store.open(directory) as store:
        store.record("shop", [(event(), True)], [Checkpoint("file", "s", {"offset": 1})], {})

    with Store.open(directory) as store:
        assert store.incidents.get(1).count == 1
        assert store.checkpoints("shop", "file")["s"].position == {"offset": 1}


def test_a_guarded_store_records_nothing_once_the_lease_is_lost(store, event, clock):
    store.queue.enqueue("run", "r", {"run": 1})
    job = store.queue.lease(["run"], "me", 5)
    clock.advance(6)
    store.queue.lease(["run"], "you", 5)

    with pytest.raises(LeaseLost):
        store.guarded(job).record("shop", [(event(), True)], [], {})

    assert store.incidents.list() == []


def test_a_stream_whose_source_needs_it_no_more_is_forgotten(store):
    kept, ended = (Checkpoint("file", name, {"offset": 3}) for name in ("kept", "ended"))
    store.record("shop", [], [kept, ended], {})

    store.record("shop", [], [Checkpoint("file", "ended", {})], {})

    assert store.checkpoints("shop", "file") == {"kept": kept}


def test_recording_never_reads_a_whole_table(store, event):
    """What was read of a whole table for every batch would take ever longer."""
    scans = []

    def explain(connection, cursor, statement, parameters, context, many):
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            one = parameters[0] if many else parameters
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", one).fetchall()
            scans.extend(row[3] for row in plan if row[3].startswith("SCAN") and "CONSTANT" not in row[3])

    found = [(event(f"f{number}"), True) for number in range(20)]
    store.record("shop", found, [Checkpoint("file", "a", {"offset": 1})], {})
    listen(store._database._writer, "before_cursor_execute", explain)

    found = [(event(f"f{number}"), True) for number in range(40)]
    store.record("shop", found, [Checkpoint("file", "a", {"offset": 2})], {})

    assert scans == []
