"""One runner per state directory: a lock that says who holds it and dies with its process."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiops_core.errors import StateHeld, StoreError
from aiops_core.store.directory import prepare

_PATIENCE = 0.3  # seconds a holder gets to write its name after it took the lock


@contextmanager
def hold(directory: Path, purpose: str) -> Iterator[None]:
    """Hold the state directory; raise StateHeld, naming the holder, when another runner does.

    ``purpose`` is the command others will read. The kernel lets go when this process ends in
    any way; a child does not keep the lock.
    """
    prepare(directory)
    path = directory / "runner.lock"
    file = _Held(path)
    try:
        if not file.take():
            raise StateHeld(
                f"state directory {directory} is held by {_holder(path)}. "
                "Stop it or use another state directory."
            )
        file.write({"pid": os.getpid(), "command": purpose, "host": socket.gethostname(), "since": _now()})
        yield
    finally:
        file.close()


def holder(directory: Path) -> dict[str, Any] | None:  # Any: what the holder wrote of itself
    """Return process, command, host and start of who holds the state directory, None when nobody does."""
    path = directory / "runner.lock"
    if not path.exists():
        return None
    file = _Held(path)
    try:
        if file.take():
            return None
        said = json.loads(path.read_bytes())
    except ValueError:
        return None
    finally:
        file.close()
    return said if isinstance(said, dict) and "pid" in said else None


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for and hold a lock between processes for a short piece of work."""
    file = _Held(path)
    try:
        file.take(wait=True)
        yield
    finally:
        file.close()


class _Held:
    """An open lock file, closed in every child this process forks."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be opened: {error.strerror}. Make the state directory writable."
            ) from error
        os.register_at_fork(after_in_child=self.close)

    def take(self, *, wait: bool = False) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def write(self, content: dict[str, object]) -> None:
        with suppress(OSError):  # a full disk stops nobody from running: the lock is the kernel's
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, json.dumps(content).encode(), 0)

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def _holder(path: Path) -> str:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with suppress(ValueError, KeyError, OSError):
            by = json.loads(path.read_bytes())
            return f"process {by['pid']} ({by['command']}) on {by['host']} since {by['since']}"
        time.sleep(0.01)
    return "another process"


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
