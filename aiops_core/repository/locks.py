"""A lock between threads and processes that a killed holder cannot leave behind."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiops_core.repository.errors import GitError

_POLL = 0.05


@contextmanager
def locked(path: Path, *, wait: float) -> Iterator[int]:
    """Hold the lock file for the length of the block; raise GitError after ``wait`` seconds.

    Yields its descriptor: a child process that inherits it holds the lock on, should this one
    be killed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait
    with path.open("a") as file:
        while not taken(file.fileno()):
            if time.monotonic() > deadline:
                raise GitError(
                    f"{path}: another worker has held this lock for {wait:.0f} s. "
                    "It is tried again later; look for a git command that hangs.",
                    kind="timeout",
                )
            time.sleep(_POLL)
        yield file.fileno()


def taken(descriptor: int) -> bool:
    """Lock an open file or directory until it is closed; return False where another one has done so."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
