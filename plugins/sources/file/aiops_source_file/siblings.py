"""Find what a rotation left beside a file, or where else it moves files to."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import PurePath

from aiops_source_file.discovery import Candidate, by_age, directory_of

_ROTATED = re.compile(r"(?:[._-](?:\d[\dTZ:]*|old|bak|backup|orig|prev))+")
_COMPRESSED = (".gz", "-gz")


class Siblings:
    """The regular files beside a path; every directory is listed once.

    Those ``elsewhere`` are directories, relative ones as seen from the path, whose files count as if beside it.
    """

    def __init__(self, elsewhere: Sequence[str] = ()) -> None:
        self._elsewhere = elsewhere
        self._listed: dict[str, dict[int, Candidate]] = {}
        self._rotated: dict[str, dict[str, list[Candidate]]] = {}

    def with_inode(self, path: str, inode: int) -> Candidate | None:
        """Return the file beside ``path`` that has this inode."""
        found = (self._list(directory).get(inode) for directory in self.directories(path))
        return next((one for one in found if one is not None), None)

    def directories(self, path: str) -> list[str]:
        """Return the directories in which a rotation of ``path`` leaves files."""
        own = directory_of(path)
        others = (os.path.normpath(PurePath(own, other)) for other in self._elsewhere)
        return list(dict.fromkeys((own, *others)))

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
            for candidate in self._beside(path):
                name = _as_in(directory, candidate)
                for original in unpacked(name) or originals(name):
                    found.setdefault(original, []).append(candidate)
            self._rotated[directory] = found
        return self._rotated[directory].get(path, [])

    def has(self, path: str) -> bool:
        """Whether there is a file of this name."""
        return any(candidate.path == path for candidate in self._list(directory_of(path)).values())

    def compressed(self, path: str) -> list[Candidate]:
        """Return the files that may hold what a rotation compressed of ``path``, the latest first."""
        directory = directory_of(path)
        return [one for one in reversed(self._beside(path)) if path in unpacked(_as_in(directory, one))]

    def _beside(self, path: str) -> list[Candidate]:
        """Return all files beside a path, the oldest first."""
        files = (one for directory in self.directories(path) for one in self._list(directory).values())
        return sorted(files, key=by_age)

    def _list(self, directory: str) -> dict[int, Candidate]:
        if directory not in self._listed:
            self._listed[directory] = {c.status.st_ino: c for c in _files(directory)}
        return self._listed[directory]


def _as_in(directory: str, candidate: Candidate) -> str:
    """Return the path a file would have in a directory."""
    return f"{directory}/{candidate.path.rpartition('/')[2]}"


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
