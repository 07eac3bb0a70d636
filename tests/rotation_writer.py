"""Write torn tracebacks into logs that are rotated in eight ways; the ledger says what was written.

rotation_writer.py LOGS LEDGER DATABASE SECONDS [WAY ...]

SIGTERM ends it earlier.
"""

import gzip
import os
import random
import shutil
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path

from kill_writer import BLOCK, letters

_PATIENCE = 30
"""Seconds more for a slow machine, until every log was rotated twice."""
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND


class Way:
    """One log, and one way to rotate it."""

    every = 8
    """Errors between two rotations."""

    def __init__(self, root, database, ledger):
        self.name = type(self).__name__
        self.directory = root / self.name
        self.directory.mkdir()
        self.log = self.directory / "app.log"
        self.database, self.ledger = database, ledger
        self.randomly = random.Random(self.name)
        self.rotations = self.number = self.since = 0
        self.names = []
        self.create()

    def create(self):
        self.out = os.open(self.log, _FLAGS, 0o644)

    def tick(self):
        if self.since >= self.every and not self.rotate_if_possible():
            return
        self.write()

    def write(self):
        self.number += 1
        self.since += 1
        name = f"{self.name}{letters(self.number)}"
        info = "2026-11-21 03:00:00,000 INFO app: tick\n" * self.randomly.randrange(20)
        block = BLOCK.format(n=self.number, letters=name)
        data = (info + block).encode()
        cut = self.randomly.randrange(len(data))
        os.write(self.out, data[:cut])
        os.write(self.out, data[cut:])
        self.ledger.write(f"shop.Trouble{name}\n")
        self.names.append(f"shop.Trouble{name}")

    def rotate_if_possible(self):
        if not self.may_rotate():
            return False
        self.rotate()
        self.rotations += 1
        self.since = 0
        self.names.clear()
        return True

    def may_rotate(self):
        return True

    def is_counted(self, name):
        try:
            with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5) as database:
                found = database.execute("select 1 from incidents where type = ?", (name,)).fetchone()
        except sqlite3.OperationalError:
            return False
        return found is not None

    @property
    def rotated(self):
        return self.log.with_name(f"app.log.{self.rotations + 1}")

    def rename(self):
        os.close(self.out)
        self.log.rename(self.rotated)


class Rename(Way):
    def rotate(self):
        self.rename()
        self.create()


class RenameLate(Way):
    """Write on in the renamed file for a while, with nothing at the old path."""

    def rotate(self):
        self.log.rename(self.rotated)
        for _ in range(3):
            self.write()
        os.close(self.out)
        self.create()


class CopyTruncate(Way):
    def rotate(self):
        shutil.copy(self.log, self.rotated)
        os.truncate(self.log, 0)


class Truncate(Way):
    """Nothing keeps what was not read by then: wait until all is counted."""

    is_waiting = False

    def may_rotate(self):
        if not self.is_waiting:
            self.is_waiting = True
            os.write(self.out, b"2026-11-21 03:00:00,000 INFO app: nothing follows\n")
        return self.is_counted(self.names[-1])

    def rotate(self):
        self.is_waiting = False
        os.truncate(self.log, 0)


class DeleteRecreate(Truncate):
    def rotate(self):
        self.is_waiting = False
        os.close(self.out)
        self.log.unlink()
        self.create()


class SymlinkSwap(Way):
    """A target that came and went between two looks is on no path: wait until it was seen."""

    def create(self):
        target = self.directory / f"{self.rotations}.txt"
        self.out = os.open(target, _FLAGS, 0o644)
        link = self.directory / "new"
        link.symlink_to(target.name)
        link.rename(self.log)

    def may_rotate(self):
        return self.is_counted(self.names[0])

    def rotate(self):
        os.close(self.out)
        self.rotations += 1
        self.create()
        self.rotations -= 1


class Compress(Way):
    def rotate(self):
        self.rename()
        self.create()
        status = self.rotated.stat()
        packed = self.rotated.with_name(self.rotated.name + ".gz")
        packed.write_bytes(gzip.compress(self.rotated.read_bytes()))
        os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.rotated.unlink()


class Chain(Way):
    def rotate(self):
        for number in range(self.rotations, 0, -1):
            self.log.with_name(f"app.log.{number}").rename(self.log.with_name(f"app.log.{number + 1}"))
        os.close(self.out)
        self.log.rename(self.log.with_name("app.log.1"))
        self.create()


WAYS = (Rename, RenameLate, CopyTruncate, Truncate, DeleteRecreate, SymlinkSwap, Compress, Chain)


def is_time_left(deadline, ways):
    now = time.monotonic()
    return now < deadline or (now < deadline + _PATIENCE and any(way.rotations < 2 for way in ways))


def main():
    root, ledger, database = map(Path, sys.argv[1:4])
    deadline, wanted = time.monotonic() + float(sys.argv[4]), sys.argv[5:]
    is_told_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_told_to_end.set())
    with ledger.open("a") as names:
        ways = [way(root, database, names) for way in WAYS if not wanted or way.__name__ in wanted]
        while not is_told_to_end.is_set() and is_time_left(deadline, ways):
            for way in ways:
                way.tick()
                time.sleep(0.002 if len(ways) > 1 else 0.012)
        for way in ways:
            os.write(way.out, b"2026-11-21 03:00:00,000 INFO app: the end\n")
    print(*(f"{way.name}={way.rotations}" for way in ways))


if __name__ == "__main__":
    main()
