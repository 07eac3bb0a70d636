"""A run watches itself: canaries come through unseen, and what is wrong is told once."""

import json
import logging
import re
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from aiops_core.ingest import Ingest
from aiops_core.pipeline import Surroundings, load
from aiops_core.respond import Responder
from aiops_core.runner import Runner
from aiops_core.store import Store
from aiops_core.store.queue import Queue
from aiops_core.testing.messages_api import MessagesApi
from aiops_core.watch import selfwatch

PIPELINE = """\
serve: 127.0.0.1:{port}
watch: {{{watch}}}
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log], start: beginning}}}}{sources}]
    detectors: [python]
    analyzers: [{analyzer}]
    notifiers: [{{uses: file, with: {{path: ./told.jsonl}}}}]
    policy: {{max_age: 3650d}}
"""


class Scene:
    def __init__(self, directory):
        self.directory = directory
        (directory / "shop.log").touch()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    @contextmanager
    def running(self, watch="canary: 2s", analyzer="knowledge", sources=""):
        text = PIPELINE.format(port=self.port, watch=watch, analyzer=analyzer, sources=sources)
        (self.directory / "pipeline.yaml").write_text(text)
        surroundings = Surroundings(logger=logging.getLogger(str(self.directory)))
        loaded = load(self.directory / "pipeline.yaml", surroundings=surroundings)
        runner = Runner(loaded, surroundings.stopping, ballast=0, logger=surroundings.logger)
        thread = threading.Thread(target=runner.run, daemon=True)
        thread.start()
        try:
            self.wait_until(lambda: self.get("/healthz")[0] == 200)
            yield runner
        finally:
            surroundings.stopping.set()
            thread.join(15)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def told(self):
        path = self.directory / "told.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def wait_until(self, is_so, longest=60):
        deadline = time.monotonic() + longest
        while not (found := is_so()):
            assert time.monotonic() < deadline, (self.told(), self.get("/readyz"))
            time.sleep(0.05)
        return found


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setattr(selfwatch, "_TURN", 0.05)
    monkeypatch.setattr(selfwatch, "_LOOK", 0.2)
    return Scene(tmp_path)


def test_a_canary_comes_through_every_stage_and_nobody_sees_it(scene, monkeypatch):
    kinds, handle = [], Responder.handle
    monkeypatch.setattr(
        Responder, "handle", lambda self, job: (kinds.append((job.key, job.kind)), handle(self, job))
    )
    with scene.running():
        arrived = re.compile(r'aiops_canary_arrived_timestamp_seconds\{pipeline="shop"\} \S+')
        scene.wait_until(lambda: arrived.search(scene.get("/metrics")[1]))
        assert scene.get("/readyz") == (200, '{\n  "ready": true,\n  "problems": {}\n}\n')
    assert (
        {key for key, kind in kinds if kind == "canary"}
        >= {key for key, kind in kinds if kind == "deliver"}
        != set()
    )

    with Store.open(scene.directory / "state") as store:
        assert (store.incidents.list(), store.faults(), scene.told()) == ([], [], [])


def test_canaries_that_do_not_come_through_are_told_once_and_the_run_is_not_ready(scene, monkeypatch):
    monkeypatch.setattr(Ingest, "_sing", lambda self, canary: None)
    with scene.running("canary: 200ms"):
        [report] = scene.wait_until(scene.told)
        assert scene.get("/readyz")[0] == 503
        scene.wait_until(lambda: "aiops_ready 0.0" in scene.get("/metrics")[1])

        monkeypatch.undo()
        scene.wait_until(lambda: scene.get("/readyz")[0] == 200)

    assert report["title"] == "aiops itself: canary shop"
    assert "canaries did not come through" in report["text"]
    assert len(scene.told()) == 1


def test_workers_that_take_nothing_up_are_told_once(scene, monkeypatch):
    lease = Queue.lease
    monkeypatch.setattr(
        Queue, "lease", lambda self, kinds, *rest: None if "run" in kinds else lease(self, kinds, *rest)
    )
    with scene.running("canary: 500ms"):
        [report] = scene.wait_until(lambda: [one for one in scene.told() if "workers" in one["title"]])

    assert report["title"] == "aiops itself: workers shop"
    assert re.match(
        r"no worker took the last \d+ canaries: errors are noticed, and answered late", report["text"]
    )


HANGS = """\
import threading
from aiops_core import Source

class Hanging(Source):
    def source(self, positions):
        if not self.context.stopping.is_set():
            threading.Event().wait(30)
        yield from ()
"""


def test_a_source_that_looks_at_nothing_any_more_is_told_once_and_the_run_is_not_ready(scene, monkeypatch):
    monkeypatch.setattr(selfwatch, "_LONGEST_SILENCE", 2.0)
    (scene.directory / "hangs.py").write_text(HANGS)
    with scene.running("canary: 200ms", sources=", './hangs.py:Hanging'"):
        [report] = scene.wait_until(lambda: [one for one in scene.told() if "shop.hangs" in one["title"]])
        assert scene.get("/readyz")[0] == 503

    assert report["title"] == "aiops itself: source shop.hangs"
    assert "the source has not been heard of for " in report["text"]


def test_disks_of_the_state_and_of_a_log_with_little_space_are_told_once(scene):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        disks = len({Path(place).stat().st_dev for place in (elsewhere, scene.directory)})
        log = f", {{uses: file, name: other, with: {{paths: [{elsewhere}]}}}}"
        with scene.running("disk: 1000000GB", sources=log):
            reports = scene.wait_until(lambda: len(found := scene.told()) >= disks and found)
            time.sleep(0.5)

    for report in reports:
        assert re.search(r"of disk are left, fewer than .*\. Free some, or lower watch\.disk", report["text"])
    assert len(scene.told()) == len(reports) == disks


def test_jobs_that_wait_too_long_in_too_great_a_number_are_told(scene):
    with Store.open(scene.directory / "state") as store:
        for number in range(3):
            store.queue.enqueue("nobody does this", f"job {number}", {})

    with scene.running("queue: 2"):
        [report] = scene.wait_until(scene.told)

    assert "more than 2 jobs wait that are due. Raise 'workers', or watch.queue" in report["text"]


def test_a_model_that_cannot_be_reached_twice_is_told_and_its_key_is_not(scene, monkeypatch):
    monkeypatch.setenv("KEY", "sk-ant-dummy-00000000000000000000")
    with MessagesApi(key="another") as api:
        analyzer = f'{{uses: claude, with: {{api_key: "${{env:KEY}}", base_url: "{api.url}"}}}}'
        with scene.running("probe: 200ms", analyzer):
            [report] = scene.wait_until(scene.told)

        assert len(api.requests) >= 2
    assert "claude cannot be used: claude: api_key: the key was refused" in report["text"]
    assert "sk-ant-dummy" not in json.dumps(scene.told())


_SENT = re.compile(r'aiops_deliveries\{(state="sent",target="file"|target="file",state="sent")\} 1')


def test_figures_name_pipelines_and_states_and_nothing_that_grows(scene):
    text = "2026-11-21 03:00:00,000 ERROR shop: x\nTraceback (most recent call last):\n"
    text += "  File \"/srv/shop.py\", line 2, in total\n    return 1\nKeyError: 'count'\n2026-11-21 03:00:01,000 INFO ok\n"
    (scene.directory / "shop.log").write_text(text)
    with scene.running():
        scene.wait_until(lambda: any(one["kind"] == "incident" for one in scene.told()))
        time.sleep(0.1)
        page = scene.wait_until(lambda: (p := scene.get("/metrics")[1]) and _SENT.search(p) and p)

    assert 'aiops_events_total{pipeline="shop"} 1.0' in page
    assert 'aiops_incidents{pipeline="shop",state="new"} 1.0' in page
    assert "KeyError" not in page
