"""Find what a rotation left beside a file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePath

from aiops_source_file.discovery import Candidate, by_age, directory_of

_ROTATED = re.compile(r"(?:[._-](?:\d[\dTZ:]*|old|bak|backup|orig|prev))+")
_COMPRESSED = (".gz", "-gz")


class Siblings:
    """The regular files beside a path; every directory is listed once."""

    def __init__(self) -> None:
        self._listed: dict[str, dict[int, Candidate]] = {}
        self._rotated: dict[str, dict[str, list[Candidate]]] = {}

    def with_inode(self, path: str, inode: int) -> Candidate | None:
        """Return the file in the directory of ``path`` that has this inode."""
        return self._list(directory_of(path)).get(inode)

    def are_without(self, path: str, inode: int) -> bool:
        """Whether the file is gone for certain: an empty directory may be waiting to be mounted."""
        directory = directory_of(path)
        while not os.path.lexists(directory):
            directory = directory_of(directory)
        with suppress(OSError), os.scandir(directory) as entries:
            return self.with_inode(path, inode) is None and any(True for _ in entries)
        return False

    def rotated(self, path: str) -> list[Candidate]:
        """Return the files that a rotation of ``path`` may have left, the oldest first."""
        directory = directory_of(path)
        if directory not in self._rotated:
            found: dict[str, list[Candidate]] = {}
            for candidate in sorted(self._list(directory).values(), key=by_age):
                for original in unpacked(candidate.path) or originals(candidate.path):
                    found.setdefault(original, []).append(candidate)
            self._rotated[directory] = found
        return self._rotated[directory].get(path, [])

    def has(self, path: str) -> bool:
        """Whether there is a file of this name."""
        return any(candidate.path == path for candidate in self._list(directory_of(path)).values())

    def compressed(self, path: str) -> list[Candidate]:
        """Return the files that may hold what a rotation compressed of ``path``, the latest first."""
        files = sorted(self._list(directory_of(path)).values(), key=by_age, reverse=True)
        return [candidate for candidate in files if path in unpacked(candidate.path)]

    def _list(self, directory: str) -> dict[int, Candidate]:
        if directory not in self._listed:
            self._listed[directory] = {c.status.st_ino: c for c in _files(directory)}
        return self._listed[directory]


def _files(directory: str) -> Iterator[Candidate]:
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    yield Candidate(entry.path, status)


def unpacked(path: str) -> list[str]:
    """Return the paths of which ``path`` could be what a rotation left and compressed."""
    return [path[:-3], *originals(path[:-3])] if path.endswith(_COMPRESSED) else []


def originals(path: str) -> Iterator[str]:
    """Yield the paths of which ``path`` could be what a rotation left.

    ``a.log.1``, ``a.log-20260131``, ``a-20260131.log`` and ``a.log.old`` come from ``a.log``, and
    so does ``a.log-20260131120000.backup``: what logrotate makes of a file that was in its way.
    """
    directory, _, name = path.rpartition("/")
    for extension in {"", PurePath(name).suffix}:
        end = len(name) - len(extension)
        for separator in re.finditer(r"(?<=.)[._-]", name):
            if _ROTATED.fullmatch(name, separator.start(), end):
                yield f"{directory}/{name[: separator.start()]}{extension}"
