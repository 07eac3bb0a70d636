"""Keep files open, within limits, and tell what cannot be opened."""

from __future__ import annotations

import errno
import os
import stat
from collections import OrderedDict
from pathlib import Path

from aiops_source_file.content import Content, GzipContent, PlainContent
from aiops_source_file.discovery import Key
from aiops_source_file.troubles import Troubles

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_TOO_MANY = (errno.EMFILE, errno.ENFILE)


def _open_regular(path: str) -> int:
    """Open a regular file for reading; never wait for a writer of a pipe."""
    fd = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise FileNotFoundError(f"{path} is no regular file any more")
    return fd


class Files:
    """Keep the most recently read files open, up to ``limit``."""

    def __init__(self, troubles: Troubles, limit: int) -> None:
        self._troubles = troubles
        self._limit = limit
        self.pinned: set[Key] = set()
        """Files without a name to open them by again: closed last."""
        self._open: OrderedDict[Key, Content] = OrderedDict()

    def get(self, key: Key, path: str, *, gzip: bool = False) -> Content:
        """Return the open content of ``key``; open it at ``path``.

        Raise FileNotFoundError when another file has that name now, OSError when it cannot be
        opened.
        """
        content = self._open.get(key)
        if content is not None:
            self._open.move_to_end(key)
            return content
        while len(self._open) >= self._limit:
            self._evict()
        fd = self._open_file(path)
        status = os.fstat(fd)
        if (status.st_dev, status.st_ino) != key:
            os.close(fd)
            raise FileNotFoundError(f"{path} is another file now")
        content = self._open[key] = GzipContent(fd) if gzip else PlainContent(fd)
        return content

    def open(self, key: Key, path: str, *, gzip: bool = False) -> Content | None:
        """Return the open content of ``key``; None, and a warning unless it just vanished, without."""
        if key not in self._open and self._troubles.is_waiting(path):
            return None
        try:
            return self.get(key, path, gzip=gzip)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._troubles.report(path, error)
            return None

    def status(self, key: Key, path: str) -> os.stat_result | None:
        """Return the status of a file that is open, or still has its name."""
        content = self._open.get(key)
        if content is not None:
            return os.fstat(content.fd)
        try:
            status = Path(path).stat()
        except OSError:
            return None
        return status if (status.st_dev, status.st_ino) == key else None

    def held(self, key: Key) -> Content | None:
        """Return the content of ``key`` if it is open."""
        return self._open.get(key)

    def close(self, key: Key) -> None:
        """Close one file; nothing happens when it is not open."""
        self.pinned.discard(key)
        content = self._open.pop(key, None)
        if content is not None:
            os.close(content.fd)

    def close_all(self) -> None:
        """Close every file."""
        while self._open:
            self._evict()

    def _open_file(self, path: str) -> int:
        while True:
            try:
                return _open_regular(path)
            except OSError as error:
                if error.errno not in _TOO_MANY or not self._open:
                    raise
                self._limit = max(8, len(self._open) // 2)
                while len(self._open) > self._limit // 2:
                    self._evict()

    def _evict(self) -> None:
        key = next((key for key in self._open if key not in self.pinned), next(iter(self._open)))
        self.close(key)
