"""A run reads its pipeline file again: the old one stays where the new one is wrong, and no event is lost."""

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

AIOPS = Path(sys.executable).parent / "aiops"
WRITER = Path(__file__).parent / "kill_writer.py"
PIPELINE = """\
state: ./state
pipelines:
  p:
    sources:
      - {{uses: file, with: {{paths: [./logs/app.log], start: beginning}}}}
    detectors: [python]
    notifiers: [{notifiers}]
    policy: {{max_age: 3650d}}
"""
LISTENING = """\
  heard:
    sources:
      - {{uses: syslog, with: {{listen: ["udp://127.0.0.1:{port}"]}}}}
    detectors: [levels]
"""
MESSAGE = b"<11>1 2026-11-21T03:00:00Z shop app - - - ERROR order failed\n"
TRACE = """\
2026-11-21 03:00:00,000 ERROR app: failed
Traceback (most recent call last):
  File "/srv/app/shop.py", line 3, in serve
    raise {name}
{name}
2026-11-21 03:00:00,000 INFO app: goes on
"""


class Service:
    """A pipeline file, its log, and the run that follows them."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "logs").mkdir()
        self.write(PIPELINE.format(notifiers="console"))

    def write(self, text):
        (self.directory / "pipeline.yaml").write_text(text)

    @contextmanager
    def running(self):
        before = self.log.count("watching")
        with (self.directory / "run.log").open("ab") as log:
            run = subprocess.Popen([AIOPS, "run"], cwd=self.directory, stdout=log, stderr=log)
        try:
            self.wait_until(lambda: self.log.count("watching") > before)
            yield run
        finally:
            run.send_signal(signal.SIGTERM)
            run.wait(30)

    def reload(self):
        done = subprocess.run(
            [AIOPS, "reload"], cwd=self.directory, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def log(self):
        path = self.directory / "run.log"
        return path.read_text() if path.exists() else ""

    def counts(self):
        path = self.directory / "state" / "aiops.db"
        if not path.exists():
            return {}
        database = sqlite3.connect(path, timeout=10)
        try:
            return dict(database.execute("select type, sum(count) from incidents group by type").fetchall())
        except sqlite3.OperationalError:
            return {}
        finally:
            database.close()

    def append(self, name):
        with (self.directory / "logs" / "app.log").open("a") as log:
            log.write(TRACE.format(name=name))

    def wait_until(self, is_so, longest=30):
        deadline = time.monotonic() + longest
        while not is_so():
            assert time.monotonic() < deadline, self.log[-3000:]
            time.sleep(0.05)


@pytest.fixture
def service(tmp_path):
    return Service(tmp_path)


def test_a_new_file_is_in_charge_after_a_reload(service):
    with service.running():
        service.append("BeforeError")
        service.wait_until(lambda: service.counts() == {"BeforeError": 1})
        service.write(PIPELINE.format(notifiers="{uses: file, with: {path: ./told.jsonl}}"))

        code, said = service.reload()

        service.append("AfterError")
        told = service.directory / "told.jsonl"
        service.wait_until(lambda: told.exists() and "AfterError" in told.read_text())
    assert (code, "goes by it now" in said) == (0, True)
    assert service.counts() == {"BeforeError": 1, "AfterError": 1}
    assert "pipeline.yaml: reloaded" in service.log


def test_a_file_that_is_wrong_is_told_and_the_old_one_stays(service):
    with service.running() as run:
        service.write(PIPELINE.format(notifiers="{uses: consle}"))
        code, said = service.reload()
        os.kill(run.pid, signal.SIGHUP)
        service.wait_until(lambda: "not reloaded, all goes on as before" in service.log)

        service.append("StillError")

        service.wait_until(lambda: service.counts() == {"StillError": 1})
    assert (code, "Did you mean 'console'?" in said) == (2, True)
    assert "Did you mean 'console'?" in service.log


def test_a_component_that_cannot_start_leaves_the_old_file_in_charge(service):
    with service.running(), socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        heard = f"  heard:\n    sources: [{{uses: http, with: {{listen: '127.0.0.1:{port}'}}}}]\n"
        service.write(PIPELINE.format(notifiers="console") + heard)

        code, said = service.reload()

        service.append("StillError")
        service.wait_until(lambda: service.counts() == {"StillError": 1})
    assert (code, f"process {service_pid(said)} goes on with the file as it was" in said) == (2, True)
    assert "heard: sources http: " in said


def service_pid(said):
    return said.rpartition("process ")[2].split()[0]


def test_another_state_directory_needs_another_start(service):
    with service.running():
        service.write(PIPELINE.format(notifiers="console").replace("./state", "./other"))
        os.kill(json.loads((service.directory / "state/runner.lock").read_text())["pid"], signal.SIGHUP)

        service.wait_until(lambda: "as long as this run lasts. Start it again" in service.log)


def test_without_a_run_there_is_nothing_to_reload(service):
    code, said = service.reload()

    assert (code, said) == (
        2,
        f"{service.directory}/state: no 'aiops run' is up. Start it, it reads the file as it is\n",
    )


@pytest.mark.parametrize("reloads", [12, pytest.param(100, marks=pytest.mark.full)])
def test_reloads_and_kills_under_a_writer_lose_nothing_and_count_nothing_twice(service, reloads):
    log, ledger = service.directory / "logs" / "app.log", service.directory / "ledger"
    log.touch()
    ledger.touch()
    turns, randomly = 0, random.Random(1)
    with service.running():
        service.wait_until(lambda: service.log.count("watching") == 1)
    seconds = 0.6 * reloads
    writer = subprocess.Popen([sys.executable, WRITER, log, ledger, str(seconds)])
    while writer.poll() is None or turns < 9:
        with service.running() as run:
            for is_last in (False, False, True):
                turns += 1
                done = service.log.count("reloaded")
                service.write(PIPELINE.format(notifiers="console") + _context(turns))
                os.kill(run.pid, signal.SIGHUP)
                if not is_last:
                    service.wait_until(lambda done=done: service.log.count("reloaded") > done)
            time.sleep(randomly.uniform(0, 1.2))  # it looks twice a second, and takes some tenths
            run.send_signal(signal.SIGKILL)
            run.wait()

    with service.running():
        names = ledger.read_text().split()
        service.wait_until(lambda: sum(service.counts().values()) >= len(names), 60)

    assert service.log.count(" reloaded") >= 4
    assert service.counts() == dict.fromkeys(names, 1)


def _context(turn):
    """Return a setting that differs, so that the pipeline is built anew."""
    return f"    context: {{before: {turn % 7}}}\n"


def test_a_pipeline_that_cannot_read_again_is_left_alone_where_it_did_not_change(service):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listening = LISTENING.format(port=port)
    service.write(PIPELINE.format(notifiers="console") + listening)
    sent = 0
    with service.running(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        service.wait_until(lambda: service.log.count("watching") == 2)
        for turn in range(3):
            service.write(PIPELINE.format(notifiers="console") + _context(turn) + listening)
            process = subprocess.Popen([AIOPS, "reload"], cwd=service.directory, stdout=subprocess.DEVNULL)
            while process.poll() is None:
                sender.sendto(MESSAGE, ("127.0.0.1", port))
                sent += 1
                time.sleep(0.01)
        service.wait_until(lambda: sum(service.counts().values()) >= sent)

    assert service.log.count("heard: watching") == 1
    assert service.log.count("p: watching") == 4
    assert sum(service.counts().values()) == sent > 100
