"""Freed memory serves the next chunk."""

import platform
import subprocess
import sys

import pytest

_FAULTS = """
from aiops_core.memory import keep_memory
import resource, sys
if sys.argv[1] == "kept":
    keep_memory()
def chunks():
    for _ in range(20):
        held = [b"x" * (1 << 20) for _ in range(4)]
        held.clear()
chunks()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
chunks()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", _FAULTS, how], capture_output=True, check=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="how glibc keeps memory")
def test_chunks_that_come_and_go_are_not_paid_for_again():
    assert _faults("kept") < _faults("as it is") / 10
