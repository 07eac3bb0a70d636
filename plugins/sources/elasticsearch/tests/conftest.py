"""A cluster on loopback, and a source that reads from it in simulated time."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiops_source_elasticsearch import ElasticsearchConfig, ElasticsearchSource

sys.path.insert(0, str(Path(__file__).parent))  # the stub's module

from elasticsearch_api import Document, ElasticsearchApi

from aiops_core.testing.polling import PolledReader, SimulatedTime

BEGIN = datetime(2026, 11, 21, 7, tzinfo=UTC)


class Scene:
    """One cluster, and readers of it."""

    def __init__(self, directory):
        self.directory = directory
        self.time = SimulatedTime(BEGIN, BEGIN + timedelta(seconds=120))
        self.api = ElasticsearchApi(clock=self.time)

    def add(self, source=None, *, at=-30.0, arrival=None, **fields):
        """Index a document, by default of half a minute ago."""
        time = (BEGIN + timedelta(seconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        number = len(self.api.documents)
        arrives = None if arrival is None else BEGIN + timedelta(seconds=arrival)
        self.api.documents.append(
            Document(
                f"id-{number}",
                {"@timestamp": time, "message": f"m{number}", **(source or {}), **fields},
                arrives,
            )
        )

    def begin_anew(self):
        """Empty the cluster and set the clock back."""
        self.api.documents.clear()
        self.time.now = BEGIN

    def reader(self, *, once=True, seconds=120, **settings):
        config = ElasticsearchConfig(**{"urls": self.api.url, "index": "logs-*", **settings})
        self.time.go_on(seconds)
        return PolledReader(
            lambda context: ElasticsearchSource(config, context),
            self.time,
            once=once,
            directory=self.directory,
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
