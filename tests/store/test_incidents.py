from datetime import timedelta

import pytest

from aiops_core.errors import UserError
from aiops_core.records import Analysis, Decision


def test_an_incident_comes_with_its_events_as_they_were(store, event):
    first = event(attributes={"host": "a"}, context_before=("b",), position={"n": 1})
    store.record("shop", [(first, True)], [], {})

    incident = store.incidents.get(1)

    assert incident.events == (first,)
    assert (incident.pipeline, incident.fingerprint, incident.type) == ("shop", "f1", "ValueError")


def test_an_unknown_incident_is_said_to_be_unknown(store):
    expected = r"^incident 7: there is none\. `aiops incidents list` shows those that are\.$"

    for ask in (
        lambda: store.incidents.get(7),
        lambda: store.incidents.set_state(7, "ignored"),
        lambda: store.incidents.alias(7, "f"),
        lambda: store.incidents.find("7"),
        lambda: store.runs.create(7, "retry"),
    ):
        with pytest.raises(UserError, match=expected):
            ask()
    with pytest.raises(UserError):
        store.incidents.find("")


def test_an_incident_is_found_by_id_or_by_the_start_of_its_fingerprint(store, event):
    for fingerprint in ("abc1", "abd2", "77e0"):
        store.record("shop", [(event(fingerprint), True)], [], {})

    assert store.incidents.find("2").fingerprint == "abd2"
    assert store.incidents.find("abc").id == 1
    assert store.incidents.find("77").id == 3
    with pytest.raises(UserError, match=r"^incident ab: several fingerprints start so \(incidents 1, 2\)\. "):
        store.incidents.find("ab")
    with pytest.raises(UserError, match="there is none"):
        store.incidents.find("%")


def test_incidents_are_listed_by_state_and_pipeline_the_last_seen_first(store, event, clock):
    for pipeline, fingerprint in (("shop", "a"), ("shop", "b"), ("bank", "a")):
        clock.advance(1)
        store.record(pipeline, [(event(fingerprint), True)], [], {})
    store.incidents.set_state(1, "resolved")

    assert [one.id for one in store.incidents.list()] == [3, 2, 1]
    assert [one.id for one in store.incidents.list("new")] == [3, 2]
    assert [one.id for one in store.incidents.list(pipeline="shop", limit=1)] == [2]
    assert store.incidents.list()[0].events == ()


def test_similar_incidents_are_of_the_same_place_message_or_type(store, event):
    def record(fingerprint, pipeline="shop", **fields):
        store.record(pipeline, [(event(fingerprint, **fields), True)], [], {})

    elsewhere = {"exceptions": ()}
    record("asked", message="no amount 17 in 'x'", line=7)
    record("type", message="other", **elsewhere)
    record("message", message="no amount 3 in 'yz'", type="KeyError", **elsewhere)
    record("place", message="unlike", line=8)
    record("nothing", message="other", type="OSError", **elsewhere)
    record("place", pipeline="bank")
    store.runs.save_analysis(4, Analysis("t", "s", "old cause"))
    store.runs.save_analysis(4, Analysis("t", "s", "cause"))

    found = store.incidents.similar(store.incidents.get(1))

    assert [(one.fingerprint, why and why.root_cause) for one, why in found] == [
        ("place", "cause"),
        ("message", None),
        ("type", None),
    ]
    assert len(store.incidents.similar(store.incidents.get(1), limit=1)) == 1


def test_an_incident_of_which_nothing_is_known_resembles_none(store, event):
    store.record("shop", [(event("a", type="", message="", exceptions=()), True)], [], {})
    store.record("shop", [(event("b", type="", message="", exceptions=()), True)], [], {})

    assert list(store.incidents.similar(store.incidents.get(1))) == []


def test_what_events_before_an_incident_say_of_themselves_is_known(store, event, clock):
    for number, (fingerprint, service) in enumerate(
        [("a", "cart"), ("b", "web"), ("c", "cart"), ("d", "cart")]
    ):
        clock.advance(60)
        store.record(
            "shop",
            [(event(fingerprint, attributes={"service": service, "release": str(number)}), True)],
            [],
            {},
        )
    store.record("bank", [(event("x", attributes={"service": "cart"}), True)], [], {})

    found = store.incidents.attributes_before(store.incidents.get(4))

    assert [one["release"] for one in found] == ["2", "0"]
    assert store.incidents.attributes_before(store.incidents.get(1)) == []


def test_decisions_are_kept_in_order_with_their_time(store, incident_id, run_id, clock):
    earlier = clock() - timedelta(hours=1)
    store.incidents.decide(incident_id, None, Decision("max_age", "too old", "policy.max_age", earlier))
    store.incidents.decide(incident_id, run_id, Decision("budget", "spent"))

    assert store.incidents.decisions(incident_id) == [
        Decision("state", "new: seen for the first time", "", clock()),
        Decision("max_age", "too old", "policy.max_age", earlier),
        Decision("budget", "spent", "", clock()),
    ]
    assert store.incidents.decisions(99) == []
