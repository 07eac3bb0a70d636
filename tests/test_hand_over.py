"""The queue between sources and ingest: bounded, in order, and with room again when half of it is taken."""

import queue
import threading

import pytest

from aiops_core.ingest.sources import HandOver


@pytest.fixture
def full():
    line = HandOver(maxsize=4)
    for number in range(4):
        line.put(number)
    return line


def test_what_was_handed_over_comes_in_order(full):
    assert [full.get() for _ in range(4)] == [0, 1, 2, 3]


def test_nothing_comes_of_an_empty_one():
    with pytest.raises(queue.Empty):
        HandOver().get(timeout=0.01)
    with pytest.raises(queue.Empty):
        HandOver().get(block=False)


def test_a_full_one_takes_no_more(full):
    with pytest.raises(queue.Full):
        full.put(4, timeout=0.01)


def test_who_comes_when_one_was_taken_has_room(full):
    full.get()

    full.put(4, block=False)

    assert [full.get() for _ in range(4)] == [1, 2, 3, 4]


def test_who_waits_for_room_gets_it(full):
    giver = threading.Thread(target=full.put, args=(4,))
    giver.start()

    taken = [full.get(timeout=30) for _ in range(5)]

    giver.join(30)
    assert taken == [0, 1, 2, 3, 4]


def test_several_givers_and_all_that_they_give(full):
    givers = [threading.Thread(target=lambda: [full.put(9) for _ in range(200)]) for _ in range(3)]
    for giver in givers:
        giver.start()

    taken = [full.get(timeout=30) for _ in range(604)]

    for giver in givers:
        giver.join(30)
    assert sorted(taken) == [0, 1, 2, 3, *[9] * 600]
