"""Run a file source on a real directory."""

import threading

import pytest
from aiops_source_file import FileConfig, FileSource

from aiops_core import Context
from aiops_core.testing import SourceRun


class Tail(SourceRun):
    """Runs of one configured source; a first one has looked at what is there when `start` returns."""

    def __init__(self, directory, **settings):
        super().__init__(
            lambda context: FileSource(FileConfig(**self.settings), context), directory, name="file"
        )
        self.settings = settings

    def start(self, *, once=False):
        super().start(once=once)
        if not once and not self.positions:
            self.wait(lambda: self.batches, "the first batch")
        return self


@pytest.fixture(autouse=True)
def quick_scans(monkeypatch):
    monkeypatch.setattr("aiops_source_file.pace.RESCAN", 0.1)


@pytest.fixture
def tail(tmp_path):
    """Make sources over ``tmp_path``; every one is stopped at the end."""
    made = []

    def make(*paths, **settings):
        made.append(Tail(tmp_path, paths=list(paths or ["*.log"]), **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def append(path, data):
    with path.open("ab") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


@pytest.fixture(name="append")
def _append():
    return append


class Steps:
    """Pull batches by hand, so that nothing is read between two steps of a test."""

    def __init__(self, directory, **settings):
        self.messages = []
        self.context = Context(name="file", directory=directory)
        self.context.logger = self
        self.settings, self.positions = settings, {}
        self.data = b""
        self.restart()

    def restart(self):
        """Begin where the last batch ended."""
        self.source = FileSource(FileConfig(**self.settings), self.context)
        self.batches = self.source.source(self.positions)

    def warning(self, message, *values):
        self.messages.append(message % values)

    info = warning

    def read(self):
        batch = next(self.batches)
        self.data += batch.data
        self.positions[batch.stream] = batch.marks[-1][1]
        return batch

    def read_until(self, data):
        while not self.data.endswith(data):
            self.read()

    def look(self):
        """Look for files, as is done every second."""
        follower = self.source._follower
        follower._take_note(follower._look_for_files())

    def close(self):
        self.context.stopping.set()
        self.batches.close()


@pytest.fixture
def steps(tmp_path):
    made = []

    def make(**settings):
        made.append(Steps(tmp_path, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def hold_updates(monkeypatch):
    """Let a source look at no file until the returned event is set."""

    def hold_updates_of(source):
        generations, hold = source.component._follower._generations, threading.Event()
        monkeypatch.setattr(
            generations, "update", lambda *given, then=generations.update: hold.is_set() and then(*given)
        )
        monkeypatch.setattr(generations.live, "notice", lambda path: None)
        return hold

    return hold_updates_of
