import pytest

from aiops_core.errors import UserError
from aiops_core.records import Frame, RaisedException


@pytest.fixture
def record(store, event):
    def make(fingerprint, pipeline="shop", *, names=("main", "total"), type_="ValueError"):
        raised = RaisedException(type_, "x", tuple(Frame("a.py", 1, name) for name in names))
        found = event(fingerprint, type=type_, exceptions=(raised,))
        store.record(pipeline, [(found, True)], [], {})

    return make


def counts(store):
    return {one.fingerprint: one.count for one in store.incidents.list()}


def test_events_of_a_merged_incident_count_on_the_other(store, record):
    record("a")
    record("b")

    store.merging.merge(2, into=1)
    record("b")

    assert counts(store) == {"a": 2, "b": 1}
    assert store.merging.merged([1, 2]) == {2: 1}
    assert (list(store.merging.members(1)), list(store.merging.members(2))) == ([2], [])
    assert "incident 2 merged into this one" in [one.text for one in store.incidents.decisions(1)]
    assert "merged into incident 1" in [one.text for one in store.incidents.decisions(2)]


def test_an_unmerged_incident_counts_its_own_events_again(store, record):
    record("a")
    record("b")
    store.merging.merge(2, into=1)

    assert store.merging.unmerge(2) == 1
    record("b")

    assert counts(store) == {"a": 1, "b": 2}
    assert store.merging.merged([1, 2]) == {}


def test_a_merge_outlives_the_process(directory, store, record):
    record("a")
    record("b")
    store.merging.merge(2, into=1)
    store.close()

    with type(store).open(directory, clock=store.clock) as again:
        assert again.merging.merged([2]) == {2: 1}


def test_what_was_merged_before_goes_along(store, record):
    for fingerprint in "abc":
        record(fingerprint)
    store.merging.merge(3, into=2)

    store.merging.merge(2, into=1)
    record("c")

    assert counts(store) == {"a": 2, "b": 1, "c": 1}
    assert list(store.merging.members(1)) == [2, 3]


@pytest.mark.parametrize(
    ("one", "into", "message"),
    [
        (1, 1, "incident 1: cannot be merged into itself. Name two incidents."),
        (1, 4, "incident 1: is of pipeline shop, 4 of bank. Merge incidents of one pipeline."),
        (1, 3, "incident 3: is merged into 2. Name that one, or first `aiops incidents unmerge 3`."),
        (3, 1, "incident 3: is merged into 2. Name that one, or first `aiops incidents unmerge 3`."),
        (9, 1, "incident 9: there is none. `aiops incidents list` shows those that are."),
    ],
)
def test_what_cannot_be_merged_is_said(store, record, one, into, message):
    for fingerprint in "abc":
        record(fingerprint)
    record("d", "bank")
    store.merging.merge(3, into=2)

    with pytest.raises(UserError) as caught:
        store.merging.merge(one, into=into)

    assert str(caught.value) == message


def test_what_is_not_merged_cannot_be_unmerged(store, record):
    record("a")

    with pytest.raises(UserError) as caught:
        store.merging.unmerge(1)

    assert str(caught.value) == "incident 1: is not merged into another. Nothing was changed."


def test_near_identical_incidents_are_found_the_most_alike_first(store, record):
    record("asked", names=("main", "shop", "total"))
    record("near", names=("main", "shop", "total", "tax"))
    record("nearer", names=("main", "shop", "total", "total"))
    record("far", names=("login", "check"))
    record("other type", names=("login",), type_="KeyError")
    record("elsewhere", "bank", names=("main", "shop", "total"))

    found = store.merging.near(store.incidents.get(1))

    assert [(round(likeness, 2), other) for likeness, other, _ in found] == [(1.0, 3), (0.85, 2)]
    assert len(store.merging.near(store.incidents.get(1), limit=1)) == 1


def test_merged_incidents_are_no_longer_called_similar(store, record):
    record("asked")
    record("near")
    store.merging.merge(2, into=1)

    assert list(store.merging.near(store.incidents.get(1))) == []
    assert list(store.merging.near(store.incidents.get(2))) == []
