"""What a stop leaves uncommitted is read again: nothing that was read after it is committed without it."""

import logging
import threading

import pytest

from aiops_core.errors import StoreError
from aiops_core.ingest.sources import Sources
from aiops_core.pipeline import Surroundings, load
from aiops_core.runner import Runner
from aiops_core.store import Store

PIPELINE = """\
state: ./state
pipelines:
  p:
    sources: [{uses: file, with: {paths: [./app.log], start: beginning}}]
    detectors: [python]
"""
CRASH = 'Traceback (most recent call last):\n  File "/srv/a.py", line 1, in f\n{}: no\nwell\n'


def counts(directory):
    with Store.open(directory / "state") as store:
        return {store.incidents.get(one.id).events[0].type: one.count for one in store.incidents.list()}


def run(directory, stop_when):
    surroundings = Surroundings(logger=logging.getLogger(str(directory)))
    loaded = load(directory / "pipeline.yaml", surroundings=surroundings)
    runner = Runner(loaded, surroundings.stopping, ballast=0, logger=surroundings.logger)
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    try:
        stop_when()
    finally:
        surroundings.stopping.set()
        thread.join(15)


@pytest.mark.parametrize("is_in_time", [True, False])
def test_what_could_not_be_committed_before_a_stop_is_read_again(tmp_path, monkeypatch, is_in_time):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    log = tmp_path / "app.log"
    log.write_text(CRASH.format("FirstError"))
    refused, handed, is_over = threading.Event(), threading.Event(), threading.Event()

    def refuse(store, pipeline, events, *given, then=Store.record, **named):
        is_first = any(event.type == "FirstError" for event, _ in events)
        if is_first and not (is_over.is_set() and is_in_time):
            refused.set()
            raise StoreError("no space is left on the disk")
        return then(store, pipeline, events, *given, **named)

    def hand_over(sources, step, signal, then=Sources._hand_over):
        then(sources, step, signal)
        if b"SecondError" in getattr(signal, "data", b""):
            handed.set()

    def read_on_while_nothing_is_committed():
        assert refused.wait(30)
        with log.open("a") as file:
            file.write(CRASH.format("SecondError"))
        assert handed.wait(30)
        is_over.set()  # the disk has room again, and the run is started anew at once

    monkeypatch.setattr(Store, "record", refuse)
    monkeypatch.setattr(Sources, "_hand_over", hand_over)
    run(tmp_path, read_on_while_nothing_is_committed)

    is_in_time, again = True, threading.Event()
    run(tmp_path, lambda: [again.wait(0.1) for _ in range(100) if len(counts(tmp_path)) < 2])

    assert counts(tmp_path) == {"FirstError": 1, "SecondError": 1}
