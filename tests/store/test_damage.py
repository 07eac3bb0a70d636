"""Records that the disk has damaged: something that says so stands in their place, and the rest goes on."""

import random
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from aiops_core.errors import StoreError
from aiops_core.notices import Match
from aiops_core.policy import holds, incident_matter
from aiops_core.records import Analysis, Evidence, Plan, Receipt, Report
from aiops_core.store import Checkpoint, Notice, Store


@pytest.fixture
def damaged(directory, store, event, clock):
    """Fill a store, change bytes of a column on the disk, and open it again."""
    store.record(
        "shop",
        [(event(attributes={"service": "pay"}), True)],
        [Checkpoint("file", "a.log", {"offset": 7}), Checkpoint("file", "b.log", {"offset": 9})],
        {"file": {"seen": 1}},
    )
    for name in ("mail", "chat"):
        store.deliveries.plan(1, 1, name, Report("k", "incident", "shop", "broken"), "k")
    store.close()
    opened = []

    def damage(table, column, which="1 = 1", flip=0x80):
        with closing(sqlite3.connect(directory / "aiops.db")) as connection, connection:
            text = connection.execute(f"SELECT {column} FROM {table} WHERE {which}").fetchone()[0].encode()
            place = random.Random(3).randrange(len(text) - 9)
            bad = text[:place] + bytes([text[place] ^ flip]) + text[place + 1 :]
            update = f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE {which}"
            assert connection.execute(update, [bad]).rowcount >= 1
        opened.append(Store.open(directory, clock=clock))
        return opened[-1]

    yield damage
    for one in opened:
        one.close()


@pytest.mark.parametrize("flip", [0x80, 0x01])
def test_a_damaged_event_keeps_its_incident_readable_and_lets_nothing_happen_by_itself(damaged, flip):
    store = damaged("events", "event", flip=flip)

    incident = store.incidents.get(1)

    assert incident.title == "ValueError: bad amount 1"
    assert incident.event.block == "[the stored event is damaged: 'aiops db check' says what else is damaged]"
    assert incident.event.unauthenticated
    assert [one.id for one in store.incidents.opened()] == [1]
    assert list(store.retention.damaged()) == ["events, row 1: event is not as it was written"]


def test_a_damaged_message_is_told_as_one_and_those_behind_it_go_on(damaged):
    store = damaged("deliveries", "report", "target = 'mail'")

    (row,) = store.deliveries.due("shop", "mail")
    (other,) = store.deliveries.due("shop", "chat")

    assert (row.report.title, row.report.key, row.report.pipeline) == (
        "A message whose record is damaged", "k", "shop",
    )  # fmt: skip
    assert other.report.title == "broken"


@pytest.mark.parametrize(
    ("key", "payload"),
    [("run:1", {"run": 1}), ("deliver:shop:mail", {"pipeline": "shop", "target": "mail"})],
)
def test_a_damaged_job_is_what_its_key_says_and_keeps_no_other_waiting(damaged, clock, key, payload):
    store = damaged("jobs", "payload", f"key = '{key}'")
    clock.advance(60)

    taken = [store.queue.lease((kind,), "me", 60) for kind in ("run", "deliver", "deliver")]

    assert {job.key: job.payload for job in taken}[key] == payload
    assert len(taken) == 3


def test_a_stream_whose_position_is_damaged_is_one_never_seen_and_the_others_go_on(damaged):
    store = damaged("checkpoints", "position", "stream = 'a.log'")

    assert store.checkpoints("shop", "file").keys() == {"b.log"}


def test_a_component_whose_state_is_damaged_begins_anew(damaged):
    assert damaged("component_states", "state", "step = 'file'").states("shop") == {"file": {}}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("trends", "minutes"), ("silences", "match"), ("notices", "targets"), ("notices", "news"),
        ("analyses", "analysis"), ("evidence", "evidence"), ("receipts", "receipt"),
    ],
)  # fmt: skip
def test_whatever_is_damaged_errors_are_recorded_told_and_looked_after(damaged, event, clock, table, column):
    with damaged("component_states", "state", "step = 'file'") as store:
        store.silences.add(Match(service=["cart"]), clock() + timedelta(hours=1), "deploy", "ann")
        store.notices.save(Notice(1, "new", "error", clock(), 1, targets=("mail",), news={"new": "now"}))
        store.runs.save_analysis(1, Analysis("t", "s", "r", analyzer="claude"))
        store.runs.save_evidence(1, [Evidence("note", "t", "x", id="E1")])
        (row,) = store.deliveries.due("shop", "mail")
        store.deliveries.sent([row.id], Receipt(("id",)))
    store = damaged(table, column)

    store.record("shop", [(event(), True)], [], {})

    assert store.incidents.get(1).count == 2
    assert store.trends.since(clock() - timedelta(hours=1))[1][clock()] >= 1
    assert [one.count for one in store.silences.active()] == [0]
    assert store.notices.get(1).state == "new"
    assert store.runs.analysis(1).confidence == 0
    assert [one.kind for one in store.runs.evidence(1)] == ["note"]
    assert [one.state for one in store.deliveries.of_incident(1)] == ["sent", "waiting"]


def test_a_damaged_silence_hides_nothing(damaged, clock):
    with damaged("component_states", "state", "step = 'file'") as store:
        store.silences.add(Match(service=["cart"]), clock() + timedelta(hours=1), "deploy", "ann")
    store = damaged("silences", "match")

    (silence,) = store.silences.active()
    assert not holds(silence.match, incident_matter(store.incidents.get(1)))


def test_what_nothing_can_stand_for_is_refused(damaged):
    with damaged("component_states", "state", "step = 'file'") as store:
        store.runs.save_plan(1, "act", Plan("a plan", "to do it"))

    with pytest.raises(StoreError, match="a row is damaged"):
        damaged("plans", "plan").runs.plan(1, "act")
