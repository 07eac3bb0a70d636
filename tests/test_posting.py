"""How fast a target is told, whatever the order in which messages come."""

import random
import threading
import time

import pytest

from aiops_core import HttpNotifier, HttpRequest, Pace, address_of, origin_of


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_what_fits_passes_at_once_and_the_rest_gets_places_one_after_the_other(clock):
    pace = Pace(2, 60.0, clock)

    assert [pace.wait(key) for key in "abcde"] == [0.0, 0.0, 60.0, 60.0, 120.0]


def test_who_comes_back_at_its_time_passes(clock):
    pace = Pace(1, 60.0, clock)
    assert [pace.wait(key) for key in "abc"] == [0.0, 60.0, 120.0]

    clock.now += 60
    assert (pace.wait("b"), pace.wait("c")) == (0.0, 60.0)


def test_who_comes_early_keeps_its_place(clock):
    pace = Pace(1, 60.0, clock)
    pace.wait("a")
    pace.wait("b")

    clock.now += 10
    assert pace.wait("b") == 50.0


def test_a_closed_target_is_left_alone_and_places_move_behind(clock):
    pace = Pace(1, 60.0, clock)
    pace.wait("a")
    pace.wait("b")

    pace.close(600.0)

    assert [pace.wait("b"), pace.wait("c")] == [600.0, 660.0]


@pytest.mark.parametrize("seed", range(5))
def test_no_window_ever_sees_more_than_is_allowed(clock, seed):
    chance = random.Random(seed)
    pace, passed = Pace(5, 60.0, clock), []
    waiting = {f"m{number}": clock.now for number in range(60)}

    while waiting:
        key = min(waiting, key=waiting.get)
        clock.now = max(clock.now, waiting[key] + chance.choice((0, 0, 0.5, 5, 70)))
        wait = pace.wait(key)
        if wait:
            waiting[key] = clock.now + wait
        else:
            passed.append(clock.now)
            del waiting[key]

    passed.sort()
    assert all(later - earlier >= 60 for earlier, later in zip(passed, passed[5:], strict=False))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://h/x", "no web address"),
        ("https://", "no web address"),
        ("http://chat.example.org/x", "clear text"),
        ("https://user:pass@h/x", "a login in the address"),
        ("https://h/a b", "signs that no address has"),
    ],
)
def test_an_address_that_may_not_carry_a_secret_is_refused(url, problem):
    with pytest.raises(ValueError, match=problem):
        address_of(url)


def test_an_address_is_named_by_its_origin_alone():
    assert origin_of("https://h.example:8443/robot/send?access_token=geheim") == "https://h.example:8443"
    assert address_of("http://localhost:1/x") == "http://localhost:1/x"


class Ping(HttpNotifier):
    service = "ping"
    rate = (1, 60.0)

    def compose(self, report):
        return HttpRequest("http://127.0.0.1:1/", b"")


def test_threads_that_send_first_at_the_same_time_share_one_pace(monkeypatch):
    made = []

    def slow(most, period):
        time.sleep(0.1)
        made.append(Pace(most, period))
        return made[-1]

    monkeypatch.setattr("aiops_core.posting.notifier.Pace", slow)
    ping, both = Ping(), threading.Barrier(2)
    threads = [threading.Thread(target=lambda: (both.wait(), ping._pace)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made == [ping._pace]
