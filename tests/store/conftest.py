import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from aiops_core.records import Event, Frame, RaisedException
from aiops_core.store import Store


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def store(directory, clock):
    with Store.open(directory, clock=clock) as store:
        yield store


@pytest.fixture
def event(clock):
    """Make an event; each call gives another key."""
    made = []

    def make(fingerprint="f1", *, line=7, **fields):
        made.append(fingerprint)
        frames = (Frame("main.py", 1, "main"), Frame("shop/cart.py", line, "total", "shop.cart"))
        fields = {
            "type": "ValueError",
            "message": f"bad amount {len(made)}",
            "severity": "error",
            "read_at": clock(),
            "exceptions": (RaisedException("ValueError", "bad amount", frames),),
            "key": f"key {len(made)}",
            **fields,
        }
        return Event(fingerprint=fingerprint, **fields)

    return make


@pytest.fixture
def incident_id(store, event):
    return store.record("shop", [(event(), True)], [], {})[0].incident_id


@pytest.fixture
def run_id(store, incident_id):
    return store.runs.latest(incident_id).id


@pytest.fixture
def process():
    """Start Python code in processes of their own; what is left at the end is killed."""
    started = []

    def start(code, *arguments, **options):
        command = [sys.executable, "-c", code, *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()
        one.stdout.close()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 2 MB, and a function that mounts it again with other options."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "none", place]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = mount("size=2m,mode=700")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield place, lambda options: mount(f"remount,{options}")
    subprocess.run(["umount", "--lazy", place], check=True)
