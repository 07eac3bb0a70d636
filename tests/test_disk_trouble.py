"""A state disk that is full, broken or read-only: the run stays up, says so, and goes on within ten seconds."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

AIOPS = Path(sys.executable).parent / "aiops"
PIPELINE = """\
state: {state}
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log], start: beginning}}}}]
    detectors: [python]
    notifiers: [{{uses: file, with: {{path: ./told.jsonl}}}}]
    policy: {{max_age: 3650d}}
"""
CRASH = """\
2026-11-21 03:00:00,000 ERROR shop: order failed
Traceback (most recent call last):
  File "/app/shop/cart.py", line 7, in total
    return price * count
{name}: no price {padding}
2026-11-21 03:00:00,000 INFO shop: goes on
"""
RESUMES_WITHIN = 10.0


class Full:
    """No space is left."""

    says = "no space is left on the disk"

    def __init__(self, service):
        self.filler = service.disk / "filler"

    def begin(self):
        with self.filler.open("wb", buffering=0) as file:
            for size in (65_536, 4_096):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    pass

    def end(self):
        self.filler.unlink()


class Broken:
    """Every write and sync of the database fails, by the kernel's own hand."""

    error = "EIO"

    says = "the disk cannot be read or written"

    def __init__(self, service):
        if shutil.which("strace") is None:
            pytest.skip("strace is not here to let system calls fail")
        self.service = service

    def begin(self):
        state, calls = self.service.state, "pwrite64,fdatasync,fsync"
        paths = [part for name in ("aiops.db", "aiops.db-wal") for part in ("-P", str(state / name))]
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(self.service.run.pid), *paths]
        self.strace = subprocess.Popen(
            [*command, "-e", f"trace={calls}", "-e", f"inject={calls}:error={self.error}"]
        )
        time.sleep(0.5)
        if self.strace.poll() is not None:
            pytest.skip("this machine does not let one process trace another")

    def end(self):
        self.strace.send_signal(signal.SIGINT)
        self.strace.wait(10)


class ReadOnly(Broken):
    """Every write and sync fails as on a file system that the kernel made read-only."""

    error = "EROFS"


class Service:
    """A run whose state is on a small disk of its own, and the log it follows."""

    def __init__(self, directory, disk):
        self.directory, self.disk, self.state = directory, disk, disk / "state"
        self.written = 0
        self.said = []
        (directory / "pipeline.yaml").write_text(PIPELINE.format(state=self.state))
        (directory / "shop.log").touch()
        self.run = subprocess.Popen([AIOPS, "run"], cwd=directory, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=lambda: self.said.extend(self.run.stderr), daemon=True).start()

    def append(self, count):
        with (self.directory / "shop.log").open("a") as log:
            for _ in range(count):
                name = "".join(chr(ord("A") + int(digit)) for digit in str(self.written))
                log.write(CRASH.format(name=f"shop.Trouble{name}", padding="x" * 500))
                self.written += 1

    def ask(self, question):
        database = sqlite3.connect(f"file:{self.state}/aiops.db?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(question).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            database.close()

    def counts(self):
        return dict(self.ask("select type, sum(count) from incidents group by type"))

    def told_about(self):
        """Return about how many incidents people were told, or will be when it is their turn."""
        told = "select count(distinct incident_id) from deliveries where state in ('sent', 'waiting')"
        return next((number for (number,) in self.ask(told)), 0)

    def has_said(self, text):
        return any(text in line for line in self.said)

    def wait_until(self, is_so, longest=30.0):
        began = time.monotonic()
        while not is_so():
            assert time.monotonic() - began < longest, "".join(self.said)[-3000:]
            time.sleep(0.05)
        return time.monotonic() - began


@pytest.fixture
def service(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let root mount a tmpfs")
    service = Service(tmp_path, disk)
    try:
        yield service
    finally:
        service.run.kill()
        service.run.wait()
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize("kind", [Full, ReadOnly, Broken])
def test_a_run_outlives_trouble_with_its_disk_says_so_and_loses_nothing(service, kind):
    service.wait_until(lambda: service.has_said("watching file"))
    service.append(5)
    service.wait_until(lambda: len(service.counts()) == 5)
    service.wait_until(lambda: service.told_about() == 5)
    trouble = kind(service)

    trouble.begin()
    begun = time.monotonic()
    while not service.has_said(kind.says) or time.monotonic() - begun < 4.0:
        service.append(3)
        assert time.monotonic() - begun < 30.0, "".join(service.said)[-3000:]
        time.sleep(0.3)
    trouble.end()
    took = service.wait_until(lambda: len(service.counts()) == service.written)

    assert service.run.poll() is None
    assert took <= RESUMES_WITHIN
    assert set(service.counts().values()) == {1}
    service.wait_until(lambda: service.told_about() == service.written)
    assert service.ask("select count(*) from jobs where state = 'dead'") == [(0,)]
    service.run.send_signal(signal.SIGTERM)
    assert service.run.wait(15) == 0
    assert not service.has_said("Traceback")
