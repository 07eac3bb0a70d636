"""Build real journals with systemd-journal-remote, and read them with the real journalctl."""

import logging
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest
from aiops_source_journald import JournaldConfig, JournaldSource

from aiops_core import Context

sys.path.insert(0, str(Path(__file__).parent))  # the builder's module

from journal import BOOTS, REMOTE, Journal, export

DEADLINE = 10.0


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
