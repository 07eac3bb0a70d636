"""A broken plugin of each kind, in every way at once, leaves the others at their speed."""

import tempfile
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MEMORY = Path("/dev/shm")
ROOM = 20.0
"""Seconds that a busy machine may need for what takes a hundredth of one: this finds who waits for whom."""


@pytest.mark.full
def test_plugins_that_raise_hang_exit_and_leak_leave_the_others_their_speed(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    if MEMORY.is_dir():  # a busy disk is not what this is about
        monkeypatch.setattr(tempfile, "tempdir", str(MEMORY))
    import broken

    usual, beside = (broken.measure(case, 20) for case in ("nothing", "all at once"))

    for what in ("committed", "told"):
        alone, among = (sorted(getattr(took, what)) for took in (usual, beside))
        assert len(among) == 20
        assert among[-1] < 10 * alone[-1] + ROOM
