"""Run a file source in a thread on a real directory, and keep what it yields as a host would."""

import logging
import threading
import time

import pytest
from aiops_source_file import FileConfig, FileSource

from aiops_core import Context

DEADLINE = 10.0


class Tail:
    """One run after the other of one configured source, with the positions committed between."""

    def __init__(self, directory, **settings):
        self.directory = directory
        self.settings = settings
        self.batches = []
        self.positions = {}
        self.messages = []
        self.failure = None
        self._thread = None

    def start(self, *, once=False):
        self.context = Context(
            name="file",
            directory=self.directory,
            once=once,
            logger=self._logger(),
            stopping=threading.Event(),
        )
        self.component = FileSource(FileConfig(**self.settings), self.context)
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(dict(self.positions),))
        self._thread.start()
        if not once and not self.positions:
            self.wait(lambda: self._begun.is_set() or self.failure, "the first batch")
        return self

    def stop(self):
        if self._thread is not None:
            self.context.stopping.set()
            self.component.stop()
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

    def _run(self, positions):
        try:
            for batch in self.component.source(positions):
                self.batches.append(batch)
                self.positions[batch.stream] = batch.end
                self.component.committed(batch.stream, batch.end)
                self._begun.set()
            self._begun.set()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            self.failure = error

    def _logger(self):
        logger = logging.Logger("file")
        handler = logging.Handler()
        handler.emit = lambda record: self.messages.append(record.getMessage())
        logger.addHandler(handler)
        return logger

    @property
    def data(self):
        return b"".join(batch.data for batch in list(self.batches))

    @property
    def lines(self):
        return self.data.decode("utf-8", "replace").splitlines()

    @property
    def chunks(self):
        return [batch for batch in list(self.batches) if batch.data]

    @property
    def streams(self):
        return list(dict.fromkeys(batch.stream for batch in self.chunks))

    def __str__(self):
        told = [(b.stream, b.path.rpartition("/")[2], b.offset, len(b.data), b.ended) for b in self.batches]
        return f"{told[-30:]} {self.messages}"

    def wait(self, predicate, what="what was expected", seconds=DEADLINE):
        deadline = time.monotonic() + seconds
        while not predicate():
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self}"
            if self.failure:
                raise self.failure
            time.sleep(0.005)

    def wait_for(self, *lines, seconds=DEADLINE):
        self.wait(lambda: self.lines == list(lines), f"{lines}, got {self.lines}", seconds)


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
