from datetime import timedelta


def test_a_fault_is_told_once_a_day_and_counted_always(store, clock):
    first = clock()
    assert store.fault("shop", "file: unreadable", "a.log: denied")
    clock.advance(60)
    assert not store.fault("shop", "file: unreadable", "b.log: denied")
    assert store.fault("bank", "file: unreadable", "c.log: denied")
    clock.advance(24 * 3600 - 61)
    assert not store.fault("shop", "file: unreadable", "b.log: denied")
    clock.advance(1)

    assert store.fault("shop", "file: unreadable", "d.log: denied")

    last, other = store.faults()
    assert (last.pipeline, last.cause, last.text, last.count) == (
        "shop",
        "file: unreadable",
        "d.log: denied",
        4,
    )
    assert (last.first_at, last.last_at, last.told_at) == (first, clock(), first + timedelta(days=1))
    assert (other.pipeline, other.count) == ("bank", 1)
