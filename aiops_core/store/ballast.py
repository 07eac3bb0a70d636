"""A file that is there to be deleted when the disk is full, so that clean-up can run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

BALLAST = 16 * 1024 * 1024
"""Bytes a runner holds back."""


class Ballast:
    """Hold ``size`` bytes of disk back under ``path``; a size of 0 holds none.

    Not thread-safe: called under the writer's lock.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._is_wanted = size > 0

    @property
    def is_held(self) -> bool:
        """Whether there is something to let go of."""
        return self._path.exists()

    def release(self) -> None:
        """Give the space to whoever needs it first."""
        self._path.unlink(missing_ok=True)
        self._is_wanted = self._size > 0

    def restore(self) -> None:
        """Take the space again once the disk has four times as much."""
        if self._is_wanted and (self.is_held or (self._has_room() and self._fill())):
            self._is_wanted = False

    def _has_room(self) -> bool:
        return shutil.disk_usage(self._path.parent).free >= 4 * self._size

    def _fill(self) -> bool:
        partial = self._path.with_suffix(".partial")
        try:
            file = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            try:
                os.posix_fallocate(file, 0, self._size)
            finally:
                os.close(file)
            partial.rename(self._path)
        except OSError:
            partial.unlink(missing_ok=True)
            return False
        return True
