"""A whole `aiops run` that takes requests: what was answered 200 is counted, whatever happens."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

AIOPS = Path(sys.executable).parent / "aiops"
DEADLINE = 30.0
PIPELINE = """
state: ./state
pipelines:
  p:
    sources:
      - {{uses: http, with: {{listen: "127.0.0.1:{port}"}}}}
    detectors: [python]
"""


def trace(name):
    return f'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\n    fail()\n{name}: bad'


def wait_until(is_so, what):
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what()}"
        time.sleep(0.01)


class Run:
    """A running pipeline and what it has counted."""

    def __init__(self, directory):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.directory = directory
        (directory / "pipeline.yaml").write_text(PIPELINE.format(port=self.port))
        self.start()

    def start(self):
        with (self.directory / "run.log").open("wb") as log:
            self.process = subprocess.Popen(
                [AIOPS, "run", "pipeline.yaml"],
                cwd=self.directory,
                stdout=log,
                stderr=log,
                env=dict(os.environ),
            )
        wait_until(lambda: "watching" in self.log(), self.log)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0, self.log()

    def log(self):
        return (self.directory / "run.log").read_text()

    def counts(self):
        """Return how often each kind of error was counted."""
        database = sqlite3.connect(self.directory / "state" / "aiops.db", timeout=10)
        try:
            return dict(database.execute("select type, sum(count) from incidents group by type"))
        finally:
            database.close()

    def post(self, path, body, kind, key=""):
        """Return the status of the answer, 0 when there was none."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            client.request(
                "POST", path, body, {"Content-Type": kind} | ({"Idempotency-Key": key} if key else {})
            )
            answer = client.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            client.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("run"))
    yield run
    run.stop()


def test_case_66_an_error_is_one_event_in_every_form(running):
    otlp = {"body": {"stringValue": "it failed"}, "severityText": "ERROR", "attributes": []}
    otlp["attributes"].append({"key": "exception.stacktrace", "value": {"stringValue": trace("OtlpError")}})
    bodies = [
        ("/", trace("PlainError"), "text/plain"),
        ("/", json.dumps({"msg": "it failed", "exc_info": trace("JsonError")}), "application/x-ndjson"),
        ("/ndjson", json.dumps([{"message": trace("MessageError")}]), "application/json"),
        (
            "/v1/logs",
            json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [otlp]}]}]}),
            "application/json",
        ),
    ]

    statuses = [running.post(path, body.encode(), kind) for path, body, kind in bodies]

    assert statuses == [200] * 4
    counts = running.counts()
    assert [counts.get(name) for name in ("PlainError", "JsonError", "MessageError", "OtlpError")] == [1] * 4


def test_a_trace_in_one_request_does_not_run_into_the_next(running):
    half = trace("FirstError").rpartition("\n")[0]

    assert running.post("/", half.encode(), "text/plain") == 200
    assert running.post("/", trace("SecondError").encode(), "text/plain") == 200

    assert running.counts().get("SecondError") == 1


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.full)])
def test_case_3_what_was_answered_200_is_counted_once_after_kills(tmp_path, kills):
    running = Run(tmp_path)
    answered, ending = [], threading.Event()

    def send(worker):
        for number in range(1_000_000):
            name = f"Worker{worker}x{number}Error"
            body = json.dumps({"message": "it failed", "exc_info": trace(name)}).encode()
            while running.post("/", body, "application/x-ndjson", key=name) != 200:
                time.sleep(0.02)
            answered.append(name)
            if ending.is_set():
                return

    senders = [threading.Thread(target=send, args=(worker,), daemon=True) for worker in range(4)]
    for sender in senders:
        sender.start()
    for _ in range(kills):
        least = len(answered) + 20
        wait_until(lambda least=least: len(answered) >= least, running.log)
        running.kill()
        before = len(answered)
        running.start()
        wait_until(lambda before=before: len(answered) > before, running.log)
    ending.set()
    for sender in senders:
        sender.join(DEADLINE)
    running.kill()
    counted = running.counts()

    assert len(answered) > 20 * kills
    assert counted == dict.fromkeys(answered, 1)
