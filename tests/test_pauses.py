"""Time in which the process does not run is no silence of those who write."""

from collections import deque
from types import SimpleNamespace

import pytest

from aiops_core import Source
from aiops_core.ingest import pauses
from aiops_core.ingest.pauses import Pauses
from aiops_core.ingest.streams import SILENCE, Streams


class Clock:
    """Stand for the clock and for the event a run stops by: to wait takes as long as the next pause says."""

    def __init__(self, *waits):
        self.now, self._waits = 100.0, list(waits)

    def monotonic(self):
        return self.now

    def wait(self, seconds):
        if not self._waits:
            return True
        self.now += self._waits.pop(0)
        return False


@pytest.fixture
def listened(monkeypatch):
    def listen(*waits):
        clock = Clock(*waits)
        monkeypatch.setattr(pauses, "time", clock)
        found = Pauses()
        found._listen(clock)
        return found, clock

    return listen


def test_beats_in_time_are_no_pause(listened):
    found, clock = listened(0.25, 0.3, 0.7)

    clock.now += 0.7
    assert found.runs_since == 0.0


def test_a_beat_that_comes_late_ends_a_pause(listened):
    found, _ = listened(0.25, 30.0, 0.25)

    assert found.runs_since == 130.25


def test_while_no_beat_comes_it_is_not_sure_that_the_pause_ended(listened):
    found, clock = listened(0.25)

    clock.now += 30
    assert found.runs_since == clock.now


class Open:
    """A stream with a block to which something was added at a moment."""

    step = "shop"

    def __init__(self, at):
        self.opened, self.arrivals = at, deque([(at, 0)])


class Asking(Source):
    """A source that asks for lines now and then."""

    def source(self, checkpoint):
        yield from ()


def closed_at(monkeypatch, now, since=0.0, source=None):
    """Return whether a block to which something was added at 10.0 is closed by then."""
    step = SimpleNamespace(component=source) if source else None
    closed, stream = [], Open(10.0)
    streams = Streams(SimpleNamespace(step=lambda kind, name: step), None, None)
    streams._unclosed.add(stream)
    monkeypatch.setattr(streams, "_close_quiet", lambda stream, quiet_to: closed.append(stream))
    streams.close_silent(now, since)
    return closed == [stream]


@pytest.mark.parametrize(
    ("since", "is_closed"), [(0.0, True), (10.0 + SILENCE / 2, False), (10.0 - SILENCE, True)]
)
def test_a_block_is_closed_after_a_silence_that_was_heard_whole(monkeypatch, since, is_closed):
    assert closed_at(monkeypatch, 10.0 + SILENCE, since) is is_closed


@pytest.mark.parametrize(
    ("looked", "is_closed"),
    [
        pytest.param((10.0 + SILENCE, 12.0), True, id="it asked after a silence and had no more"),
        pytest.param((10.0 + SILENCE / 2, 12.0), False, id="it asked too soon to tell"),
        pytest.param((10.0 + SILENCE, 15.5), False, id="what it was given is not taken yet"),
    ],
)
def test_of_a_source_that_asks_silence_is_heard_by_asking(monkeypatch, looked, is_closed):
    source = Asking()
    source.looked = looked

    assert closed_at(monkeypatch, 15.0, source=source) is is_closed
