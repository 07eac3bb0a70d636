import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiops_source_journald import JournaldSource
from journal import Journal

from aiops_core.testing import Bench, contract


@contextmanager
def journal(directory):
    if shutil.which("journalctl") is None or not Path("/lib/systemd/systemd-journal-remote").exists():
        pytest.skip("journalctl and systemd-journal-remote are needed to build a journal")
    Journal(directory / "journal").add("one", "two", "three")
    yield Bench({"directory": "./journal", "start": "beginning"}, directory=directory)


test_contract = contract(JournaldSource, journal)
