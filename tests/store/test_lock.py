import os
import re
import signal
import time

import pytest

from aiops_core.errors import StateHeld, StoreError
from aiops_core.store import Store, hold

HOLD = """
import sys, time
from pathlib import Path
from aiops_core.store import hold
with hold(Path(sys.argv[1]), "aiops run"):
    print("held", flush=True)
    time.sleep(60)
"""
HOLD_WITH_CHILDREN = """
import os, subprocess, sys, time
from pathlib import Path
from aiops_core.store import hold
with hold(Path(sys.argv[1]), "aiops run"):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    other = subprocess.Popen(["sleep", "60"], close_fds=False)
    print(child, other.pid, flush=True)
    time.sleep(60)
"""


def test_a_second_runner_is_refused_at_once_and_told_by_whom(directory, process):
    holder = process(HOLD, directory)
    assert holder.stdout.readline() == "held\n"
    before = time.monotonic()

    with pytest.raises(StateHeld) as refused, hold(directory, "aiops run"):
        raise AssertionError("both hold it")

    assert time.monotonic() - before < 10
    expected = (
        rf"state directory {re.escape(str(directory))} is held by process {holder.pid} \(aiops run\) on \S+ "
        r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\. Stop it or use another state directory\."
    )
    assert re.fullmatch(expected, str(refused.value))


def test_the_lock_dies_with_its_process(directory, process):
    holder = process(HOLD, directory)
    holder.stdout.readline()
    holder.kill()
    holder.wait()

    with hold(directory, "aiops run"):
        pass


def test_a_child_keeps_no_lock(directory, process):
    holder = process(HOLD_WITH_CHILDREN, directory)
    children = [int(pid) for pid in holder.stdout.readline().split()]
    holder.kill()
    holder.wait()

    try:
        with hold(directory, "aiops run"):
            assert all(os.kill(child, 0) is None for child in children)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


def test_a_stopped_holder_still_holds(directory, process):
    holder = process(HOLD, directory)
    holder.stdout.readline()
    holder.send_signal(signal.SIGSTOP)

    with pytest.raises(StateHeld), hold(directory, "aiops run"):
        pass


def test_the_lock_is_free_after_its_block_even_when_that_failed(directory):
    with pytest.raises(OSError, match="stop"), hold(directory, "aiops run"):
        raise OSError("stop")

    with hold(directory, "aiops run"):
        assert (directory / "runner.lock").stat().st_mode & 0o777 == 0o600


def test_other_commands_use_the_database_without_the_lock(directory, process, event):
    process(HOLD, directory).stdout.readline()

    with Store.open(directory) as store:
        store.record("shop", [(event(), True)], [], {})

    assert (directory / "aiops.db").exists()


def test_a_lock_that_cannot_be_made_is_said_with_its_place(directory):
    (directory / "runner.lock").mkdir(parents=True)

    with pytest.raises(StoreError) as raised, hold(directory, "aiops run"):
        pass

    assert str(raised.value) == (
        f"{directory}/runner.lock: cannot be opened: Is a directory. Make the state directory writable."
    )
