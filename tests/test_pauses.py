"""Time in which the process does not run is no silence of those who write."""

from collections import deque

import pytest

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

    def __init__(self, at):
        self.opened, self.arrivals = at, deque([(at, 0)])


@pytest.mark.parametrize(
    ("since", "is_closed"), [(0.0, True), (10.0 + SILENCE / 2, False), (10.0 - SILENCE, True)]
)
def test_a_block_is_closed_after_a_silence_that_was_heard_whole(monkeypatch, since, is_closed):
    closed, streams, stream = [], Streams(None, None, None), Open(10.0)
    streams._unclosed.add(stream)
    monkeypatch.setattr(streams, "_close_quiet", lambda stream, quiet_to: closed.append(stream))

    streams.close_silent(10.0 + SILENCE, since)

    assert closed == [stream] * is_closed
