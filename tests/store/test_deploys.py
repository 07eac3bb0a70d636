"""Which release an incident came up with."""

import pytest

from aiops_core.store import Deploy


@pytest.fixture
def happen(store, event, clock):
    """Record an event of a problem, a minute after the one before; return its incident."""

    def record(fingerprint, pipeline="shop", **attributes):
        clock.advance(60)
        (change, *_) = store.record(
            pipeline, [(event(fingerprint, attributes=attributes), True)], [], {}
        ) or [None]
        found = [one for one in store.incidents.list() if one.fingerprint == fingerprint]
        assert change is None or change.incident_id == found[0].id
        return store.incidents.get(found[0].id)

    return record


def test_what_comes_up_after_a_release_came_is_new_with_it(store, happen):
    happen("old", version="1.4.1")
    first = happen("first", version="1.4.2")
    for number in range(30):
        happen(f"more {number}", version="1.4.2")
    last = happen("last", version="1.4.2")

    expected = Deploy("version 1.4.2", first.first_seen, "version 1.4.1")
    assert [store.deploys.of(one) for one in (first, last)] == [expected, expected]


def test_what_was_there_before_is_not_new_with_a_release(store, happen):
    happen("old", version="1.4.1")
    happen("other", version="1.4.2")
    assert store.deploys.of(happen("old", version="1.4.2")) is None


def test_the_first_release_and_one_nobody_names_are_no_deploys(store, happen):
    assert store.deploys.of(happen("first", version="1.4.1")) is None
    assert store.deploys.of(happen("second", version="1.4.1")) is None
    assert store.deploys.of(happen("third")) is None


def test_releases_of_other_services_pipelines_and_kinds_do_not_count(store, happen):
    happen("a", service="pay", version="7")
    happen("b", pipeline="other", service="cart", version="7")
    happen("c", service="cart", image="cart:7")

    assert store.deploys.of(happen("d", service="cart", version="8")) is None
    assert store.deploys.of(happen("e", service="pay", version="8")).before == "version 7"
