"""Find the files that the settings name."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from aiops_source_file.troubles import Troubles

_MOST_LINKS = 40

Key = tuple[int, int]
"""Device and inode: one file, whatever its names."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One regular file that the settings name."""

    path: str
    status: os.stat_result
    pattern: str = ""
    explicit: bool = False
    """Named by its own path: read whatever it holds."""
    real: str = ""
    """Where it lies, if ``path`` is a symbolic link."""

    @property
    def key(self) -> Key:
        """Device and inode."""
        return self.status.st_dev, self.status.st_ino

    @property
    def seen(self) -> tuple[int, int]:
        """Size and time of change."""
        return self.status.st_size, self.status.st_mtime_ns


@dataclass(slots=True)
class Discovery:
    """The settings that say which files are read."""

    paths: Sequence[str]
    exclude: Sequence[str]
    recursive: bool
    directory: Path
    troubles: Troubles
    links: dict[str, str] = field(default_factory=dict)
    """The symbolic links the last scan found, by where they lead."""
    hidden: set[str] = field(default_factory=set)
    """What the last scan could not look into, though it is there."""
    _listed: set[str] = field(default_factory=set)
    _excluded: list[tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self._excluded = [
            self._parts(self._absolute(pattern)) if "/" in pattern else (pattern,) for pattern in self.exclude
        ]

    def scan(self) -> list[Candidate]:
        """Return each file once, by setting and then by age."""
        self.links, self._listed, self.hidden = {}, set(), set()
        found: dict[Key, Candidate] = {}
        for pattern in self.paths:
            matches = sorted(self._expand(pattern), key=by_age)
            for candidate in matches:
                found.setdefault(candidate.key, candidate)
        return list(found.values())

    def is_hidden(self, path: str) -> bool:
        """Whether the last scan could not tell what is at a path."""
        while self.hidden and path not in self.hidden and path != "/":
            path = directory_of(path)
        return path in self.hidden

    def directories(self) -> set[str]:
        """Return the directories in which the last scan looked, or would have.

        For a directory that does not exist yet this is the nearest one above it that does.
        """
        nearest = set()
        for pattern in self.paths:
            path = self._absolute(pattern)
            if path in self._listed:
                continue
            directory = _split(path)[0] if glob.has_magic(path) else directory_of(path)
            while not os.path.lexists(directory):
                directory = directory_of(directory)
            nearest.add(directory)
        return self._listed | nearest

    def _absolute(self, pattern: str) -> str:
        return os.path.normpath(self.directory.absolute() / _expanded(pattern))

    def _expand(self, pattern: str) -> Iterator[Candidate]:
        path = self._absolute(pattern)
        if glob.has_magic(path) and not os.path.lexists(path):
            base, parts = _split(path)
            yield from self._match(base, parts, pattern)
            return
        try:
            status = Path(path).stat()
        except OSError as error:
            self._unreachable(path, error)
            return
        if stat.S_ISDIR(status.st_mode):
            yield from self._walk(path, pattern)
        else:
            is_link = Path(path).is_symlink()
            yield from self._regular(path, status, pattern, is_link=is_link, explicit=True)

    def _match(self, directory: str, parts: tuple[str, ...], pattern: str) -> Iterator[Candidate]:
        part, rest = parts[0], parts[1:]
        if part == "**" and rest:
            yield from self._match(directory, rest, pattern)
        for entry in self._list(directory):
            if part == "**":
                if _is_directory(entry) and not entry.name.startswith("."):
                    yield from self._match(entry.path, parts, pattern)
                elif not rest and _matches(entry.name, "*"):
                    yield from self._entry(entry, pattern)
            elif not _matches(entry.name, part):
                continue
            elif not rest:
                yield from self._entry(entry, pattern)
            elif entry.is_dir():
                yield from self._match(entry.path, rest, pattern)

    def _walk(self, directory: str, pattern: str) -> Iterator[Candidate]:
        for entry in self._list(directory):
            if entry.name.startswith("."):
                continue
            if not _is_directory(entry):
                yield from self._entry(entry, pattern, quiet=True)
            elif self.recursive:
                yield from self._walk(entry.path, pattern)

    def _list(self, directory: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(directory) as entries:
                listed = [entry for entry in entries if not self._is_excluded(entry.path)]
        except OSError as error:
            self._unreachable(directory, error)
            return []
        self.troubles.clear(directory)
        self._listed.add(directory)
        return listed

    def _entry(self, entry: os.DirEntry[str], pattern: str, *, quiet: bool = False) -> Iterator[Candidate]:
        try:
            status = entry.stat()
        except OSError as error:
            self._unreachable(entry.path, error)
            return
        if not quiet or stat.S_ISREG(status.st_mode):
            yield from self._regular(entry.path, status, pattern, is_link=entry.is_symlink())

    def _regular(
        self, path: str, status: os.stat_result, pattern: str, *, is_link: bool, explicit: bool = False
    ) -> Iterator[Candidate]:
        if stat.S_ISDIR(status.st_mode):
            self.troubles.tell(
                pattern, f"matches directories too, which are skipped ({path}). Use ** for them."
            )
        elif not stat.S_ISREG(status.st_mode):
            self.troubles.tell(path, f"is {_kind(status.st_mode)}, no file; it is skipped.")
        elif not explicit or not self._is_excluded(path):
            yield Candidate(path, status, pattern, explicit, self._target(path) if is_link else "")

    def _target(self, path: str) -> str:
        """Follow a symbolic link, and note the directories on the way."""
        target = Path(path)
        for _ in range(_MOST_LINKS):
            if not target.is_symlink():
                break
            step = target.parent / target.readlink()
            target = step.parent.resolve() / step.name
            self._listed.add(str(target.parent))
        self.links[str(target)] = path
        return str(target)

    def _unreachable(self, path: str, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            self.hidden.add(path)
            self.troubles.report(path, error)

    def _is_excluded(self, path: str) -> bool:
        if not self._excluded:
            return False
        names = self._parts(path)
        return any(
            fnmatchcase(names[-1], parts[0]) if len(parts) == 1 else _matches_path(names, parts)
            for parts in self._excluded
        )

    @staticmethod
    def _parts(path: str) -> tuple[str, ...]:
        return tuple(path.split("/"))


def by_age(candidate: Candidate) -> tuple[int, str]:
    """Order files by their last change."""
    return candidate.status.st_mtime_ns, candidate.path


def directory_of(path: str) -> str:
    """Return the directory of an absolute path."""
    return path.rpartition("/")[0] or "/"


def _expanded(pattern: str) -> Path:
    try:
        return Path(pattern).expanduser()
    except RuntimeError:  # nobody of that name, or no home
        return Path(pattern)


def _split(path: str) -> tuple[str, tuple[str, ...]]:
    """Split a glob into the directory before its first wildcard and the parts below that."""
    parts = path.split("/")
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return "/".join(parts[:first]) or "/", tuple(parts[first:])


def _matches(name: str, part: str) -> bool:
    return (part.startswith(".") or not name.startswith(".")) and fnmatchcase(name, part)


def _matches_path(names: Sequence[str], parts: Sequence[str]) -> bool:
    if not parts:
        return not names
    if parts[0] == "**":
        return any(_matches_path(names[i:], parts[1:]) for i in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], parts[0]) and _matches_path(names[1:], parts[1:])


def _is_directory(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _kind(mode: int) -> str:
    names = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return names.get(stat.S_IFMT(mode), "something special")
