"""A whole `aiops run` that listens: what is sent to it becomes incidents."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

AIOPS = Path(sys.executable).parent / "aiops"
DEADLINE = 20.0
PIPELINE = """
state: ./state
pipelines:
  p:
    sources:
      - {{uses: syslog, with: {{listen: ["udp://127.0.0.1:{port}", "tcp://127.0.0.1:{port}"]}}}}
    detectors: [python]
"""


def trace(name):
    return [
        "Traceback (most recent call last):",
        '  File "/app/a.py", line 1, in f',
        f"    {name}()",
        f"{name}: bad",
    ]


def wait_until(is_so, what):
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what()}"
        time.sleep(0.02)


class Run:
    """A running pipeline and what it has counted."""

    def __init__(self, directory, port):
        self.directory, self.port = directory, port
        (directory / "pipeline.yaml").write_text(PIPELINE.format(port=port))
        with (directory / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                [AIOPS, "run", "pipeline.yaml"], cwd=directory, stdout=log, stderr=log, env=dict(os.environ)
            )
        wait_until(lambda: "watching" in self.log(), self.log)

    def log(self):
        return (self.directory / "run.log").read_text()

    def counts(self):
        """Return how often each kind of error was counted."""
        database = sqlite3.connect(self.directory / "state" / "aiops.db", timeout=10)
        try:
            return dict(database.execute("select type, sum(count) from incidents group by type"))
        finally:
            database.close()

    def wait_for(self, **counts):
        def is_so():
            found = self.counts()
            return {name: found.get(name) for name in counts} == counts

        wait_until(is_so, lambda: f"{counts}: {self.counts()} {self.log()}")

    def send(self, data):
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as client:
            client.sendall(data)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = Run(tmp_path_factory.mktemp("run"), port)
    yield run
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(10) == 0, run.log()


def test_a_trace_is_one_event_however_it_is_sent(running):
    new = "<11>1 2026-05-04T12:00:00Z web shop {pid} - - {line}"
    old = "<11>May  4 12:00:00 web shop[{pid}]: {line}"

    def lines(form, name, pid):
        return [form.format(pid=pid, line=line) for line in trace(name)]

    def counted(messages):
        return b"".join(b"%d %s" % (len(one), one.encode()) for one in messages)

    running.send("\n".join([*lines(new, "LinesError", 1), ""]).encode())
    running.send("\n".join([*lines(old, "OldLinesError", 2), ""]).encode())
    running.send(counted(lines(new, "CountedError", 3)))
    running.send(counted([new.format(pid=4, line="\n".join(trace("OneMessageError")))]))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for message in lines(new, "DatagramError", 5):
            client.sendto(message.encode(), ("127.0.0.1", running.port))
        client.sendto(
            "\n".join(lines(old, "OneDatagramError", 6)[:1] + trace("OneDatagramError")[1:]).encode(),
            ("127.0.0.1", running.port),
        )

    running.wait_for(
        LinesError=1, OldLinesError=1, CountedError=1, OneMessageError=1, DatagramError=1, OneDatagramError=1
    )


@pytest.mark.skipif(shutil.which("logger") is None, reason="logger (util-linux) is not here")
def test_case_52_a_trace_sent_line_by_line_by_logger_is_one_event(running):
    command = [
        "logger",
        "-n",
        "127.0.0.1",
        "-P",
        str(running.port),
        "-t",
        "shop",
        "--id=77",
        "-p",
        "user.err",
    ]

    for name, options in (
        ("FirstError", ["-T", "--octet-count"]),
        ("SecondError", ["-T"]),
        ("ThirdError", ["-d"]),
    ):
        subprocess.run([*command, *options], input="\n".join(trace(name)).encode(), check=True, timeout=10)

    running.wait_for(FirstError=1, SecondError=1, ThirdError=1)


def test_case_58_traces_of_two_processes_that_interleave_are_two_events(running):
    mixed = [
        f"<11>1 2026-05-04T12:00:00Z web shop {pid} - - {line}\n"
        for lines in zip(trace("OneError"), trace("OtherError"), strict=True)
        for pid, line in zip((7, 8), lines, strict=True)
    ]

    running.send("".join(mixed).encode())

    running.wait_for(OneError=1, OtherError=1)
