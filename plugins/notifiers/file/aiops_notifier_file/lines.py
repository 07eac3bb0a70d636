"""Whole lines on disk: appended all or nothing, read back, and moved out of the way."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

_TAIL = 1024 * 1024
"""A report is tried again soon after it was written: how far back is looked for it."""


def append(path: Path, line: bytes) -> None:
    """Append the line and wait for the disk; what a crash left half-written is cut off first."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        end = _end_of_last_line(descriptor)
        os.ftruncate(descriptor, end)
        try:
            _write_all(descriptor, line)
        except OSError:
            os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)


def keys_in(path: Path) -> set[str]:
    """Return the keys of the reports at the end of the file, and of the file before it."""
    older = path.with_name(f"{path.name}.1")
    return {key for each in (older, path) for key in _keys(each)}


def rotate(path: Path, room: int, keep: int) -> None:
    """Rename the file when it is larger than the room left for it."""
    if not path.exists() or path.stat().st_size <= max(room, 0):
        return
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, keep + 1))]
    for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
        if newer.exists():
            newer.replace(older)
    if keep == 0:
        path.unlink()


def _keys(path: Path) -> set[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            lines = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return set()
    return {key for line in lines if (key := _key(line))}


def _key(line: bytes) -> str:
    try:
        value = json.loads(line)
    except ValueError:  # its beginning was not read
        return ""
    return str(value.get("key", "")) if isinstance(value, dict) else ""


def _end_of_last_line(descriptor: int) -> int:
    size = end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - 65_536)
        piece = os.pread(descriptor, end - begin, begin)
        if b"\n" in piece:
            return begin + piece.rindex(b"\n") + 1
        end = begin
    return 0 if size else end


def _write_all(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)
