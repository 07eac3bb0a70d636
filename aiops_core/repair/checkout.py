"""The files of a commit an agent may edit, and what it changed there as edits like any other."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from aiops_core.records import Edit
from aiops_core.repair.diff import common_start, split_lines
from aiops_core.repair.edits import MAX_EDITS, MAX_FILE
from aiops_core.repair.protected import is_agent_configuration
from aiops_core.repair.textfile import NotText, open_text, unify_line_ends
from aiops_core.repair.workspace import make_work_clone, remove_tree
from aiops_core.repository import Mirror
from aiops_core.repository.private import is_private

Redact: TypeAlias = Callable[[str], str]
_Trace: TypeAlias = tuple[int, ...]
_MAX_SHOWN = 16 << 20
_UNREADABLE = "\0"


class Checkout:
    """The files of one commit under ``path``: without git, agent configuration and secrets.

    ``redact`` takes the secrets out of a program's text. Files for secrets and those larger than
    16 MB are left out.
    """

    def __init__(self, mirror: Mirror, commit: str, redact: Redact, path: Path) -> None:
        self.path = path
        self._mirror = mirror
        self._commit = commit
        self._redact = redact
        make_work_clone(mirror, commit, path)
        remove_tree(path / ".git")
        for name, entry in list(_walk(path)):
            self._neutralise(name, entry)
        self._made = {name: _trace(entry) for name, entry in _walk(path)}

    def edits(self) -> tuple[Edit, ...]:
        """Return what was changed since, as far as one edit set may go: the policy decides on it.

        Call it when nothing runs in the checkout any more.
        """
        return tuple(islice(self._edits(), MAX_EDITS + 1))

    def _edits(self) -> Iterator[Edit]:
        found: dict[str, os.DirEntry[str]] = dict(_walk(self.path))
        for name in sorted({*found, *self._made}):
            if name not in found:
                yield Edit("delete", name)
            elif _trace(found[name]) != self._made.get(name):
                yield from self._edit(name, found[name])

    def _edit(self, name: str, entry: os.DirEntry[str]) -> Iterator[Edit]:
        path = _visible(name)
        if not entry.is_file(follow_symlinks=False):
            yield Edit("create", path, mode="120000" if entry.is_symlink() else "special")
            return
        with Path(entry).open("rb") as file:
            new = file.read(MAX_FILE + 1)
        base = self._mirror.read(self._commit, name)
        if base is not None and (name in self._made or is_agent_configuration(name)):
            yield from _replacement(path, self._shown(base), _text(new))
        else:
            mode = "100755" if entry.stat(follow_symlinks=False).st_mode & stat.S_IXUSR else ""
            yield Edit("create", path, replace=_text(new), mode=mode)

    def _neutralise(self, name: str, entry: os.DirEntry[str]) -> None:
        """Take away what gives agents orders, and the secrets of a text."""
        if is_agent_configuration(name) or is_private(name):
            self._withhold(Path(entry))
        elif entry.is_file(follow_symlinks=False):
            content = Path(entry).read_bytes() if entry.stat().st_size <= _MAX_SHOWN else None
            shown = None if content is None else self._without_secrets(content)
            if shown is None:
                self._withhold(Path(entry))
            elif shown != content:
                Path(entry).write_bytes(shown)

    def _withhold(self, file: Path) -> None:
        file.unlink()
        for folder in file.parents:
            if folder == self.path or any(folder.iterdir()):
                return
            folder.rmdir()

    def _without_secrets(self, content: bytes) -> bytes:
        try:
            file = open_text(content)
        except NotText:
            return content
        redacted = self._redact(file.original)
        return content if redacted == file.original else file.bom + redacted.encode(file.encoding)

    def _shown(self, base: bytes) -> str:
        return _text(self._without_secrets(base))


def _walk(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield everything but directories by its path in the root, no symlink followed."""
    folders = [str(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    yield os.path.relpath(entry.path, root), entry


def _trace(entry: os.DirEntry[str]) -> _Trace:
    """Return what differs once a file was written to: its change time cannot be set."""
    facts = os.lstat(entry.path)
    return facts.st_ino, facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _visible(name: str) -> str:
    """Return a name that can be told; one that is no UTF-8 gets a character no edit may have."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\ufffd", "\x1a")


def _text(content: bytes) -> str:
    """Return a file's text, for what is none something that no edit may write."""
    try:
        return open_text(content).text
    except NotText:
        return _UNREADABLE + content.decode("latin-1")


def _replacement(path: str, old: str, new: str) -> Iterator[Edit]:
    """Yield the edit that makes the new text of the old one, nothing where they are equal."""
    if old == new:
        return
    before, after = split_lines(unify_line_ends(old)), split_lines(unify_line_ends(new))
    head = common_start(before, after)
    tail = common_start(before[head:][::-1], after[head:][::-1])
    search, replace = _unique(old, before, after, head, tail)
    yield Edit("replace", path, search, replace)


def _unique(text: str, before: list[str], after: list[str], head: int, tail: int) -> tuple[str, str]:
    """Return the changed lines with as many round them as make them the only ones of the kind."""
    wider = 1
    while True:
        search = "".join(before[head : len(before) - tail])
        if (search.strip() and text.find(search) == text.rfind(search)) or not head + tail:
            return search, "".join(after[head : len(after) - tail])
        head, tail, wider = max(head - wider, 0), max(tail - wider, 0), 2 * wider
