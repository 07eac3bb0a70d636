"""Run a file source on a real directory."""

import pytest
from aiops_source_file import FileConfig, FileSource

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
