import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from aiops_core.errors import StoreError, UserError
from aiops_core.store import BALLAST, Checkpoint, Store

COUNT = """
import sys
from pathlib import Path
from aiops_core.store import Store
with Store.open(Path(sys.argv[1])) as store:
    for _ in range(300):
        with store.transaction():
            count = store.states("shop").get("counter", {}).get("n", 0)
            store.record("shop", [], [], {"counter": {"n": count + 1}})
"""
STOP_IN_A_TRANSACTION = """
import sys, time
from pathlib import Path
from aiops_core.records import Event
from aiops_core.store import Store
store = Store.open(Path(sys.argv[1]))
event = Event("E", fingerprint="f", key="k2")
with store.transaction():
    store.record("shop", [(event, True)], [], {})
    print("writing", flush=True)
    time.sleep(60)
"""

FAIL_TO_SYNC = """
import sys
from pathlib import Path
from aiops_core.errors import StoreError
from aiops_core.store import Store
with Store.open(Path(sys.argv[1])) as store:
    for number in range(6):
        try:
            store.fault("shop", f"cause {number}", "text")
        except StoreError as error:
            print(number, error)
    print(sorted(fault.cause for fault in store.faults()), store.check())
"""


def modes(directory):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


def test_three_writing_processes_count_nine_hundred_of_nine_hundred(directory, process):
    started = [process(COUNT, directory) for _ in range(3)]

    assert [one.wait() for one in started] == [0, 0, 0]
    with Store.open(directory) as store:
        assert store.states("shop") == {"counter": {"n": 900}}


def test_threads_of_one_process_lose_no_count(store):
    threads = [
        threading.Thread(target=lambda: [store.fault("shop", "cause", "text") for _ in range(25)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [fault.count for fault in store.faults()] == [200]


def test_what_was_read_waits_for_two_other_writers_at_most(store, event):
    order, is_held, may_end = [], threading.Event(), threading.Event()

    def hold():
        with store.transaction():
            is_held.set()
            may_end.wait(10)

    def write(name):
        with store.transaction():
            order.append(name)
            time.sleep(0.02)

    def record():
        store.record("shop", [(event(key="late"), True)], [], {})
        order.append("recorded")

    threads = [threading.Thread(target=hold)]
    threads[0].start()
    is_held.wait(10)
    threads += [threading.Thread(target=write, args=(number,)) for number in range(6)]
    threads.append(threading.Thread(target=record))
    for thread in threads[1:]:
        thread.start()
        time.sleep(0.02)
    may_end.set()
    for thread in threads:
        thread.join(10)

    assert len(order) == 7
    assert order.index("recorded") <= 2


def test_a_process_killed_in_a_transaction_leaves_nothing_of_it(directory, process, event):
    with Store.open(directory) as store:
        store.record("shop", [(event(), True)], [Checkpoint("file", "s", {"offset": 1})], {})
    writer = process(STOP_IN_A_TRANSACTION, directory)
    assert writer.stdout.readline() == "writing\n"

    writer.send_signal(signal.SIGKILL)
    writer.wait()

    with Store.open(directory) as store:
        assert [one.count for one in store.incidents.list()] == [1]
        store.record("shop", [(event(), True)], [], {})
        assert store.incidents.get(1).count == 2
        assert store.check() == []


def test_reading_waits_for_no_writer_and_sees_only_what_is_committed(store, event, incident_id):
    seen = []
    with store.transaction():
        store.record("shop", [(event(), True)], [], {})
        reader = threading.Thread(target=lambda: seen.append(store.incidents.get(incident_id).count))
        reader.start()
        reader.join(5)
        assert seen == [1]
        assert store.incidents.get(incident_id).count == 2

    assert store.incidents.get(incident_id).count == 2


def test_a_failure_caught_inside_a_transaction_still_undoes_all_of_it(store, event):
    def record_and_hide_a_failure():
        with store.transaction():
            store.record("shop", [(event(), True)], [], {})
            with pytest.raises(OSError, match="stop"), store.transaction():
                raise OSError("stop")

    with pytest.raises(RuntimeError, match="nothing was committed"):
        record_and_hide_a_failure()

    assert store.incidents.list() == []
    assert store.fault("shop", "works", "again")


def test_the_state_is_its_owners_alone_whatever_the_umask(directory, event):
    before = os.umask(0)
    try:
        with Store.open(directory, ballast=4096) as store:
            store.record("shop", [(event(), True)], [], {})
            found = modes(directory)
    finally:
        os.umask(before)

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {"aiops.db", "aiops.db-wal", "aiops.db-shm", "ballast"} <= found.keys()
    assert set(found.values()) == {0o600}


def test_an_empty_directory_and_a_file_open_to_others_are_tightened(directory):
    directory.mkdir(mode=0o755)
    with Store.open(directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    (directory / "aiops.db").chmod(0o644)

    with Store.open(directory):
        assert modes(directory)["aiops.db"] == 0o600


def test_a_directory_with_other_files_in_it_keeps_its_mode(directory):
    directory.mkdir(mode=0o755)
    (directory / "pipeline.yaml").touch()

    with Store.open(directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o755


def test_a_directory_everybody_may_write_to_is_refused(directory):
    directory.mkdir()
    (directory / "other").touch()
    directory.chmod(0o777)

    with pytest.raises(UserError) as raised:
        Store.open(directory)

    assert str(raised.value) == (
        f"{directory}: every user of this machine may write there (mode 777). "
        f"Run `chmod 700 {directory}` or use another state directory."
    )


def test_a_file_in_place_of_the_directory_is_refused(directory):
    directory.touch()

    with pytest.raises(UserError) as raised:
        Store.open(directory)

    assert str(raised.value) == (
        f"{directory}: cannot be the state directory: File exists. "
        "Name a directory that this user may write to."
    )


def test_a_symbolic_link_in_place_of_the_database_is_refused(directory, tmp_path):
    directory.mkdir()
    (directory / "aiops.db").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StoreError, match=r"aiops\.db: is a symbolic link\. Put the file itself there\.$"):
        Store.open(directory)

    assert not (tmp_path / "elsewhere").exists()


def test_check_names_what_is_wrong(directory, event):
    with Store.open(directory) as store:
        store.record("shop", [(event(f"f{n}"), True) for n in range(200)], [], {})
    database = directory / "aiops.db"
    pages = bytearray(database.read_bytes())
    for page in random.Random(3).sample(range(20, len(pages) // 4096), 10):
        pages[page * 4096 : page * 4096 + 64] = bytes(64)
    database.write_bytes(pages)

    with Store.open(directory) as store:
        database.chmod(0o640)
        try:
            problems = store.check()
        except StoreError as error:
            problems = [str(error), f"{database}: others may read it. Run `chmod 600 {database}`."]

    assert problems[-1] == f"{database}: others may read it. Run `chmod 600 {database}`."
    assert problems[0].startswith(f"{database}: ")
    assert problems[0].endswith("Move it away to start afresh, or put a backup in its place.")


def fill(disk):
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def record_until_full(store, event):
    recorded = 0
    with pytest.raises((StoreError, UserError)) as raised:
        for number in range(200):
            store.record("shop", [(event(f"f{number}", block="x" * 50_000), True)], [], {})
            recorded += 1
    return recorded, str(raised.value)


def test_a_full_disk_loses_nothing_and_the_store_goes_on_when_there_is_space(small_disk, event):
    disk, _ = small_disk
    with Store.open(disk / "state") as store:
        store.record("shop", [(event("before"), True)], [], {})
        filler = fill(disk)

        recorded, message = record_until_full(store, event)

        expected = (
            f"{disk}/state/aiops.db: no space is left on the disk. Free some; work goes on by itself then."
        )
        assert message == expected
        assert len(store.incidents.list()) == recorded + 1
        filler.unlink()
        store.record("shop", [(event("after"), True)], [], {})
        assert len(store.incidents.list()) == recorded + 2
        assert store.check() == []


def test_the_ballast_makes_room_on_a_full_disk_and_comes_back(small_disk, event):
    disk, _ = small_disk
    ballast = disk / "state" / "ballast"
    with Store.open(disk / "state", ballast=300_000) as store:
        assert ballast.stat().st_size == 300_000
        store.record("shop", [(event("before"), True)], [], {})
        filler = fill(disk)

        record_until_full(store, event)
        assert not ballast.exists()

        store.record("shop", [(event("after"), True)], [], {})
        assert not ballast.exists()
        filler.unlink()
        store.record("shop", [(event("later"), True)], [], {})
        assert ballast.stat().st_size == 300_000


def test_a_store_on_a_disk_that_is_full_already_is_said_so(small_disk):
    disk, _ = small_disk
    with Store.open(disk / "state"):
        pass
    filler = fill(disk)

    with pytest.raises(StoreError, match=r"aiops\.db: no space is left on the disk\. "):
        Store.open(disk / "state").fault("shop", "cause", "text")

    filler.unlink()
    with Store.open(disk / "state") as store:
        assert store.fault("shop", "cause", "text")


def test_the_ballast_lets_a_store_open_on_a_disk_that_is_full_already(small_disk):
    disk, _ = small_disk
    with Store.open(disk / "state", ballast=300_000):
        pass
    fill(disk)

    with Store.open(disk / "state", ballast=300_000) as store:
        assert store.fault("shop", "cause", "text")

    assert not (disk / "state" / "ballast").exists()


def test_a_disk_too_small_for_the_ballast_is_used_without(small_disk):
    disk, _ = small_disk

    with Store.open(disk / "state", ballast=BALLAST) as store:
        store.fault("shop", "cause", "text")

    assert not (disk / "state" / "ballast").exists()
    assert not (disk / "state" / "ballast.partial").exists()


def test_a_disk_that_became_read_only_is_said_so_and_written_again_later(small_disk, event):
    disk, remount = small_disk
    with Store.open(disk / "state") as store:
        store.record("shop", [(event("before"), True)], [], {})
        store.close()
        assert remount("ro").returncode == 0

        with pytest.raises(
            StoreError, match=r"aiops\.db: (cannot be written|cannot be opened|the disk cannot)"
        ):
            store.record("shop", [(event("during"), True)], [], {})

        assert remount("rw").returncode == 0
        store.record("shop", [(event("after"), True)], [], {})
        assert len(store.incidents.list()) == 2


def test_a_store_on_a_read_only_disk_cannot_be_opened(small_disk):
    disk, remount = small_disk
    with Store.open(disk / "state"):
        pass
    assert remount("ro").returncode == 0

    with pytest.raises(StoreError, match=r"/state"):
        Store.open(disk / "state")
    with pytest.raises(UserError) as raised:
        Store.open(disk / "other")

    assert str(raised.value) == (
        f"{disk}/other: cannot be the state directory: Read-only file system. "
        "Name a directory that this user may write to."
    )


def test_a_database_another_process_keeps_locked_is_said_so(directory, process, monkeypatch):
    monkeypatch.setattr("aiops_core.store.database.BUSY_SECONDS", 0.2)
    with Store.open(directory) as store:
        writer = process(STOP_IN_A_TRANSACTION, directory)
        writer.stdout.readline()
        before = time.monotonic()

        with pytest.raises(
            StoreError, match=r"aiops\.db: another process has kept it locked for \d+ seconds\. Find"
        ):
            store.fault("shop", "cause", "text")

        assert time.monotonic() - before < 5
        writer.kill()
        writer.wait()
        assert store.fault("shop", "cause", "text")


def test_a_write_that_could_not_be_synced_counts_as_not_done(directory):
    if shutil.which("strace") is None:
        pytest.skip("strace, which makes the disk fail, is not installed")
    with Store.open(directory):
        pass
    failing = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"]
    failing += ["-e", "inject=fdatasync:error=EIO:when=3"]
    command = [*failing, sys.executable, "-c", FAIL_TO_SYNC, directory]

    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()[-200:]}")

    failed, rest = done.stdout.splitlines()
    number = int(failed[0])
    cause = f"{directory}/aiops.db: the disk cannot be read or written. Look at the disk and the kernel log."
    assert failed == f"{number} {cause}"
    assert rest == f"{[f'cause {n}' for n in range(6) if n != number]} []"
