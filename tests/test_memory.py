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


_PLACE = """
from aiops_core.memory import keep_memory, share_memory
import sys, threading
keep_memory()
if sys.argv[1] == "shared":
    share_memory()
held = []
reader = threading.Thread(target=lambda: held.append(bytes(1 << 20)))
reader.start()
reader.join()
with open("/proc/self/maps") as maps:
    heap = next(line.split()[0] for line in maps if line.endswith("[heap]\\n"))
start, end = (int(edge, 16) for edge in heap.split("-"))
print(start <= id(held[0]) < end)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="how glibc keeps memory")
@pytest.mark.parametrize("how", ["shared", "as it is"])
def test_what_one_thread_reads_lies_where_all_threads_find_room(how):
    done = subprocess.run([sys.executable, "-c", _PLACE, how], capture_output=True, check=True, text=True)

    assert done.stdout == f"{how == 'shared'}\n"


def test_what_was_made_at_the_start_is_looked_through_no_more():
    code = (
        "import gc; from aiops_core.memory import keep_memory, settle_memory\n"
        "keep_memory(); before = gc.get_freeze_count(); settle_memory()\n"
        "print(before, gc.get_freeze_count() > 1000, gc.isenabled())"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout.split() == ["0", "True", "True"]
