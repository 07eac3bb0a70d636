from datetime import UTC, datetime

import pytest

from aiops_core.records import Analysis, Change, ChangedFile, Event, Incident, TestRun
from aiops_core.repair.diff import unified_diff
from aiops_core.repair.sandbox import Bubblewrap
from aiops_core.repository import TreeEntry
from aiops_core.testing.git_repository import GitRepository


@pytest.fixture(scope="session")
def origins(tmp_path_factory):
    """Return a function that gives a repository with these files, made once and copied."""
    made = {}

    def origin(root, files):
        key = tuple(sorted(files.items()))
        if key not in made:
            made[key] = GitRepository(tmp_path_factory.mktemp("made") / "origin")
            if files:
                made[key].commit(files)
        return made[key].copy(root)

    return origin


@pytest.fixture
def repository(tmp_path, origins):
    """Return an empty repository with a bare remote."""
    return origins(tmp_path / "origin", {})


@pytest.fixture
def manifest():
    """Return a function that makes the manifest of plain files, symlinks and submodules."""

    def make(*files, links=(), submodules=()):
        modes = {**dict.fromkeys(files, "100644"), **dict.fromkeys(links, "120000")}
        modes |= dict.fromkeys(submodules, "160000")
        return {path: TreeEntry(mode, "0" * 40, 0) for path, mode in modes.items()}

    return make


@pytest.fixture
def incident():
    moment = datetime(2026, 11, 21, 4, 5, 6, tzinfo=UTC)
    event = Event(
        type="KeyError",
        message="'price'",
        block="Traceback (most recent call last):\n  File \"app.py\", line 3, in total\nKeyError: 'price'",
        attributes={"service": "checkout", "release": "1.4.2"},
    )
    return Incident(
        id=7,
        pipeline="checkout",
        fingerprint="v1:3f2a9c01d4b7e8f90123",
        title="KeyError: 'price'",
        type="KeyError",
        message="'price'",
        language="python",
        severity="error",
        state="new",
        count=1234,
        first_seen=moment,
        last_seen=moment,
        events=(event,),
    )


@pytest.fixture
def analysis():
    return Analysis(
        title="Items without a price end the checkout",
        summary="total() reads the price of every item.",
        root_cause="total() indexes item['price'], and free items have none.",
        prevention=("Check items when they are added.",),
        confidence=0.9,
        analyzer="claude",
    )


@pytest.fixture
def change():
    file = ChangedFile("src/app.py", b"new\n")
    run = TestRun("python3 -m unittest", 0, 0.5, "Ran 2 tests in 0.1s\n\nOK\n", 2)
    before = TestRun("python3 -m unittest", 1, 0.4, "", 2, ("tests.test_app.Total.test_free",))
    diff = unified_diff({"src/app.py": b"old\n"}, [file])
    return Change("a" * 40, "main", (file,), diff, before, run, reproduced_by=before.failed)


@pytest.fixture(scope="session")
def bubblewrap():
    sandbox = Bubblewrap()
    if (reason := sandbox.available()) is not None:
        pytest.skip(f"bubblewrap does not work here: {reason}")
    return sandbox
