"""When a block is closed because nobody adds to it."""

from aiops_core.ingest import committing, reading, streams
from aiops_core.testing.pipeline import run_pipeline

PIPELINE = """\
state: ./state
pipelines:
  p:
    sources: [{uses: "./slow.py:Halves"}]
    detectors: [{uses: python}, {uses: "./slow.py:Slow"}]
"""
SLOW = """
import time

from aiops_core import Event, LogBatch, LogDetector, Source

HALVES = (
    b'SLOW\\nTraceback (most recent call last):\\n  File "a.py", line 1, in f\\n',
    b'    g()\\n  File "a.py", line 2, in g\\nValueError: none\\n',
)


class Halves(Source):
    def source(self, positions):
        at = 0
        for half in HALVES:
            yield LogBatch("s", half, ((0, {"at": at}), (len(half), {"at": at + len(half)})), offset=at)
            at += len(half)


class Slow(LogDetector):
    triggers = ("^SLOW",)

    def detect(self, block):
        time.sleep(2)
        return Event(type="Slow")
"""


def test_lines_that_wait_while_others_are_read_are_no_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "SILENCE", 1.0)
    monkeypatch.setattr(reading, "LONGEST_GATHER", 0.0)
    monkeypatch.setattr(committing, "COMMIT_EVERY", 0.0)

    result = run_pipeline(PIPELINE, {"slow.py": SLOW}, tmp_path)

    assert sorted((event.type, event.message) for event in result.events) == [
        ("Slow", ""),
        ("ValueError", "none"),
    ]
