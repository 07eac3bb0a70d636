"""Ask the Linux kernel for news about directories."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

_EVENT = struct.Struct("iIII")
_READ = 256 * 1024

MODIFY = 0x2
MOVED = 0x40 | 0x80
CREATE, DELETE = 0x100, 0x200
SELF_GONE = 0x400 | 0x800
OVERFLOW, IGNORED = 0x4000, 0x8000
_ONLY_DIRECTORIES = 0x0100_0000
_WANTED = MODIFY | MOVED | CREATE | DELETE | SELF_GONE | _ONLY_DIRECTORIES

_REMOTE = frozenset(
    (0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x65735546, 0x01021997, 0x00C36400, 0x47504653, 0x0BD00BD0)
)
"""NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph, GPFS, Lustre: others write there without our kernel knowing."""


class Notice(NamedTuple):
    """What happened, to which name in which watched directory."""

    watch: int
    kind: int
    name: bytes


class Inotify:
    """One inotify instance; raise OSError where there is none to be had."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise OSError("this system has no inotify")
        self.fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def add(self, directory: str) -> int:
        """Watch a directory; the number is the same as long as it is the same directory."""
        return self._checked(self._libc.inotify_add_watch(self.fd, os.fsencode(directory), _WANTED))

    def remove(self, watch: int) -> None:
        """Stop watching; nothing happens when the directory is gone."""
        self._libc.inotify_rm_watch(self.fd, watch)

    def read(self) -> Iterator[Notice]:
        """Yield all news there is, each once."""
        last = None
        while data := self._take():
            at = 0
            while at < len(data):
                watch, kind, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                notice = Notice(watch, kind, data[at - length : at].rstrip(b"\0"))
                if notice != last:
                    yield notice
                last = notice

    def close(self) -> None:
        """Give the instance back."""
        os.close(self.fd)

    def _take(self) -> bytes:
        try:
            return os.read(self.fd, _READ)
        except BlockingIOError:
            return b""

    @staticmethod
    def _checked(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


def is_remote(directory: str) -> bool:
    """Whether a directory lies on a file system that others may write to behind our kernel's back."""
    libc, answer = ctypes.CDLL(None), ctypes.create_string_buffer(512)
    if not hasattr(libc, "statfs") or libc.statfs(os.fsencode(directory), answer) != 0:
        return False
    kind = ctypes.c_long.from_buffer(answer).value
    return kind & 0xFFFFFFFF in _REMOTE
