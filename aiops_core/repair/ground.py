"""Working trees that tests may ruin: each is as the commit has it before every run, and is used again.

Making a thousand files takes longer than looking at them. What nobody touched stays: a file counts as
touched when anything its inode tells differs, the time of its last change included, which nobody can set.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from aiops_core.repair.workspace import copy_tree, make_work_clone, remove_tree
from aiops_core.repository import GitError, Mirror, run_git

_Facts: TypeAlias = tuple[int, ...]


class Ground:
    """The files of one commit at ``work``; what git keeps for them lies beside, where no test reaches it."""

    def __init__(self, mirror: Mirror, commit: str, path: Path) -> None:
        self.commit = commit
        self.path = path
        self._mirror = mirror
        self._made: Mapping[str, _Facts] = {}

    @property
    def work(self) -> Path:
        """Where the files are."""
        return self.path / "work"

    @property
    def mirror(self) -> Path:
        """Path of the mirror they come from."""
        return self._mirror.path

    def renew(self) -> Path:
        """Return ``work`` as a fresh checkout of the commit, whatever was done in it."""
        if not self._made or not self._restore():
            self._make()
        copy_tree(self._git, self.work / ".git")
        return self.work

    @property
    def _git(self) -> Path:
        return self.path / "git"

    def _make(self) -> None:
        remove_tree(self.path)
        make_work_clone(self._mirror, self.commit, self.work)
        (self.work / ".git").rename(self._git)
        self._made = dict(_walk(self.work))

    def _restore(self) -> bool:
        """Undo what was done; return whether that was possible."""
        remove_tree(self.work / ".git")
        try:
            there = dict(_walk(self.work))
            for name in there.keys() - self._made.keys():
                parent = name.rpartition("/")[0]
                if not parent or parent in self._made:
                    _remove(self.work / name)
            touched = sorted(name for name, facts in self._made.items() if there.get(name) != facts)
            self._check_out(touched)
        except (OSError, GitError):
            return False
        now = dict(_walk(self.work))
        is_whole = now.keys() == self._made.keys() and all(
            now[name] == self._made[name] for name in now.keys() - set(touched)
        )
        self._made = now if is_whole else {}
        return is_whole

    def _check_out(self, names: Sequence[str]) -> None:
        """Write files anew, as the commit has them."""
        for name in names:
            if name.rpartition("/")[2] == ".gitattributes":
                raise OSError(f"{name} says how files are written")
            (self.work / name).unlink(missing_ok=True)  # fails for a directory: then all is made anew
        if names:
            env = {"GIT_DIR": str(self._git), "GIT_WORK_TREE": str(self.work)}
            listed = "\0".join(names).encode("utf-8", "surrogateescape")
            run_git(["checkout-index", "-u", "-z", "--stdin"], cwd=self.path, stdin=listed, env=env)


class Grounds:
    """Lend grounds, and keep those of the commit that was last asked for."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._free: list[Ground] = []
        self._lent: list[Ground] = []
        self._lock = threading.Lock()
        self._number = 0

    @contextmanager
    def lent(self, mirror: Mirror, commit: str) -> Iterator[Ground]:
        """Lend a ground for the length of the block; those of other commits of the mirror go."""
        ground = self._take(mirror, commit)
        try:
            yield ground
        finally:
            with self._lock:
                self._lent.remove(ground)
                self._free.append(ground)

    def tidy(self) -> None:
        """Remove all that is lent to nobody, also what another process left."""
        with self._lock:
            self._free.clear()
            keep = {ground.path for ground in self._lent}
            for left in self._place.glob("*"):
                if left not in keep:
                    remove_tree(left)

    def close(self) -> None:
        """Remove everything."""
        remove_tree(self._place)

    def _take(self, mirror: Mirror, commit: str) -> Ground:
        with self._lock:
            own = [ground for ground in self._free if ground.mirror == mirror.path]
            found = next((ground for ground in own if ground.commit == commit), None)
            stale = [ground for ground in own if ground.commit != commit]
            if found is None:
                self._number += 1
                found = Ground(mirror, commit, self._place / str(self._number))
            self._free = [ground for ground in self._free if ground is not found and ground not in stale]
            self._lent.append(found)
        for ground in stale:
            remove_tree(ground.path)
        return found


def _walk(root: Path) -> Iterator[tuple[str, _Facts]]:
    """Yield everything below a directory with what tells whether it was touched, no symlink followed."""
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(facts.st_mode):
                    folders.append(name)
                    yield name, (facts.st_mode, facts.st_uid)
                else:
                    yield (
                        name,
                        (
                            facts.st_ino,
                            facts.st_mode,
                            facts.st_uid,
                            facts.st_nlink,
                            facts.st_size,
                            facts.st_mtime_ns,
                            facts.st_ctime_ns,
                        ),
                    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink()
