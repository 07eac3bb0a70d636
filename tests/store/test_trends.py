from datetime import timedelta


def test_occurrences_are_counted_by_the_minute_over_batches(store, event, clock):
    start = clock().replace(minute=58)
    times = [start, start + timedelta(seconds=59), start + timedelta(minutes=1), start + timedelta(minutes=5)]
    for occurred in times:
        store.record("shop", [(event(occurred_at=occurred), True)], [], {})
    store.record("shop", [(event("f2", occurred_at=start), True)] * 2, [], {})

    assert store.trends.since(start) == {
        1: {start: 2, start + timedelta(minutes=1): 1, start + timedelta(minutes=5): 1},
        2: {start: 1},
    }
    assert store.trends.since(start + timedelta(minutes=1), [1]) == {
        1: {start + timedelta(minutes=1): 1, start + timedelta(minutes=5): 1}
    }
    assert store.trends.since(start, [99]) == {}
