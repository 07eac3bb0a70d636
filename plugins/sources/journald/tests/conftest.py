"""Build real journals with systemd-journal-remote, and read them with the real journalctl."""

import logging
import shutil
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest
from aiops_source_journald import JournaldConfig, JournaldSource

from aiops_core import Context

DEADLINE = 10.0
START = 1_700_000_000_000_000
BOOTS = ("a" * 32, "b" * 32)
REMOTE = "/lib/systemd/systemd-journal-remote"


def field(name, value):
    value = value if isinstance(value, bytes) else str(value).encode()
    if value.isascii() and value.decode("ascii").isprintable():
        return b"%s=%s\n" % (name.encode(), value)
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(value)), value)


def export(entries):
    """Write entries, lists of name and value, in the export format."""
    return b"".join(b"".join(field(*pair) for pair in entry) + b"\n" for entry in entries)


class Journal:
    """One journal file that grows."""

    def __init__(self, directory, name="x.journal"):
        self.directory = directory
        self.file = directory / name
        self.count = 0
        directory.mkdir(exist_ok=True)

    def add(self, *messages, boot=0, at=None, more=(), **fields):
        """Append an entry for each message (None: without one), a second apart."""
        entries = []
        for message in messages:
            self.count += 1
            time = at if at is not None else START + self.count * 1_000_000
            entry = [
                ("__REALTIME_TIMESTAMP", time),
                ("__MONOTONIC_TIMESTAMP", self.count * 1_000_000),
                ("_BOOT_ID", BOOTS[boot]),
                *({"_HOSTNAME": "web1", "SYSLOG_IDENTIFIER": "shop", "_PID": 11} | fields).items(),
                *more,
            ]
            entries.append(entry if message is None else [*entry, ("MESSAGE", message)])
        self.write(export(entries))
        return self

    def write(self, text):
        done = subprocess.run([REMOTE, "-o", self.file, "-"], input=text, capture_output=True)
        assert done.returncode == 0, done.stderr

    def remove(self):
        self.file.unlink()


class Tail:
    """One run after the other of one configured source, with the positions committed between."""

    def __init__(self, place, **settings):
        self.place = place
        self.settings = {"start": "beginning", **settings}
        self.batches = []
        self.positions = {}
        self.messages = []
        self.failure = None
        self._thread = None

    def start(self, *, once=False):
        self.context = Context(
            name="journald",
            directory=self.place,
            once=once,
            logger=self._logger(),
            stopping=threading.Event(),
        )
        component = JournaldSource(JournaldConfig(**self.settings), self.context)
        component.start()
        self._thread = threading.Thread(target=self._run, args=(component, dict(self.positions)))
        self._thread.start()
        return self

    def stop(self):
        if self._thread is not None:
            self.context.stopping.set()
            self._thread.join(DEADLINE)
            assert not self._thread.is_alive(), "the source did not stop"
            self._thread = None
        if self.failure:
            raise self.failure
        return self

    def run_once(self):
        self.start(once=True)
        self._thread.join(DEADLINE)
        return self.stop()

    def _run(self, component, positions):
        try:
            for batch in component.source(positions):
                self.batches.append(batch)
                self.positions[batch.stream] = batch.end
                if self.context.stopping.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - told to the test's own thread
            self.failure = error

    def _logger(self):
        logger = logging.Logger("journald")
        handler = logging.Handler()
        handler.emit = lambda record: self.messages.append(record.getMessage())
        logger.addHandler(handler)
        return logger

    @property
    def position(self):
        return self.positions.get("journal")

    @property
    def data(self):
        return b"".join(batch.data for batch in list(self.batches))

    @property
    def lines(self):
        """The messages without their headers."""
        return [message(line) for line in self.data.splitlines()]

    def wait(self, predicate, what="what was expected", seconds=DEADLINE):
        deadline = time.monotonic() + seconds
        while not predicate():
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.lines} {self.messages}"
            if self.failure:
                raise self.failure
            time.sleep(0.005)

    def wait_for(self, *lines, seconds=DEADLINE):
        self.wait(lambda: self.lines == list(lines), f"{lines}", seconds)


def message(line):
    """Return what follows the header of a line."""
    return line.partition(b"] ")[2].decode("utf-8", "replace")


@pytest.fixture
def journal(tmp_path):
    """Make journals under ``tmp_path / "journal"``."""
    if shutil.which("journalctl") is None or not Path(REMOTE).exists():
        pytest.skip("journalctl or systemd-journal-remote is not installed")
    return lambda name="x.journal": Journal(tmp_path / "journal", name)


@pytest.fixture
def tail(tmp_path):
    """Make sources over ``tmp_path / "journal"``; every one is stopped at the end."""
    made = []

    def make(**settings):
        made.append(Tail(tmp_path, **{"directory": "journal", **settings}))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def program(tmp_path):
    """Write a stand-in for journalctl; ``real`` in its text runs the real one."""

    def write(text):
        path = tmp_path / "journalctl"
        real = shutil.which("journalctl") or "journalctl"
        path.write_text(f'#!/bin/sh\nreal() {{ {real} "$@"; }}\ncd {tmp_path}\n{text}\n')
        path.chmod(0o755)
        return str(path)

    return write


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("aiops_source_journald.reader.FIRST_WAIT", 0.02)


@pytest.fixture(name="export")
def _export():
    return export


@pytest.fixture(name="message")
def _message():
    return message


@pytest.fixture
def boots():
    return BOOTS
