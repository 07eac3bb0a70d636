"""A Loki on loopback, and a source that reads from it in simulated time."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiops_source_loki import LokiConfig, LokiSource

sys.path.insert(0, str(Path(__file__).parent))  # the stub's module

from loki_api import Entry, LokiApi

from aiops_core.testing.polling import PolledReader, SimulatedTime

BEGIN = datetime(2026, 11, 21, 7, tzinfo=UTC)
EPOCH = int(BEGIN.timestamp()) * 10**9


class Scene:
    """One Loki, and readers of it."""

    def __init__(self, directory):
        self.directory = directory
        self.time = SimulatedTime(BEGIN, BEGIN + timedelta(seconds=120))
        self.api = LokiApi(clock=self.time)

    def add(self, line=None, *, at=-30.0, nanoseconds=0, arrival=None, metadata=None, **labels):
        """Send a line, by default of half a minute ago."""
        time = EPOCH + int(at * 1000) * 10**6 + nanoseconds
        arrives = None if arrival is None else BEGIN + timedelta(seconds=arrival)
        line = line or f"m{len(self.api.entries)}"
        self.api.entries.append(Entry(labels or {"app": "shop"}, time, line, arrives, metadata or {}))

    def begin_anew(self):
        """Empty Loki and set the clock back."""
        self.api.entries.clear()
        self.time.now = BEGIN

    def reader(self, *, once=True, seconds=120, **settings):
        config = LokiConfig(**{"url": self.api.url, "query": '{app=~".+"}', **settings})
        self.time.go_on(seconds)
        return PolledReader(
            lambda context: LokiSource(config, context), self.time, once=once, directory=self.directory
        )

    def lines(self, **settings):
        """Return what one run reads."""
        one = self.reader(**settings)
        one.read()
        return one.text.decode().splitlines()


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    with made.api:
        yield made
