"""Build real journals with systemd-journal-remote, and read them with the real journalctl."""

import shutil
import sys
from pathlib import Path

import pytest
from aiops_source_journald import JournaldConfig, JournaldSource

sys.path.insert(0, str(Path(__file__).parent))  # the builder's module

from journal import BOOTS, REMOTE, Journal, export

from aiops_core.testing import SourceRun


class Tail(SourceRun):
    """Runs of one configured source; `lines` are the messages without their headers."""

    def __init__(self, place, **settings):
        super().__init__(self._source, place, name="journald")
        self.settings = {"start": "beginning", **settings}

    def _source(self, context):
        return JournaldSource(JournaldConfig(**self.settings), context)

    @property
    def position(self):
        return self.positions.get("journal")

    @property
    def lines(self):
        return [message(line) for line in self.data.splitlines()]


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
