"""The room repairs take on the disk: mirrors, work clones and what steps keep; its limit, and what may go."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiops_core.errors import Refused
from aiops_core.repair.workspace import remove_tree
from aiops_core.text.phrases import size_text

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Premises:
    """What repairs keep under the state directory, and how many bytes of it there may be."""

    state: Path
    limit: int

    @property
    def mirrors(self) -> Path:
        """Where the mirrors of repositories are."""
        return self.state / "mirrors"

    def work(self, run: int) -> Path:
        """Return the directory of one run alone."""
        return self.state / "work" / f"run-{run}"

    def used(self) -> int:
        """Return how many bytes there are now."""
        return sum(size_of(self.state / name) for name in ("mirrors", "work", "scratch"))

    def tidy(self, busy: Collection[int]) -> None:
        """Remove what killed processes left; ``busy`` are the runs somebody works on."""
        keep = {self.work(run) for run in busy}
        for left in (self.state / "work").glob("run-*"):
            if left not in keep:
                remove_tree(left)

    def make_room(self, busy: Collection[int], mirrors: Collection[Path]) -> None:
        """Remove what nobody needs where there is too much: ``mirrors`` are those in use.

        Raise Refused (rule ``disk``) where the rest is still too much.
        """
        if self.used() <= self.limit:
            return
        self.tidy(busy)
        for mirror in self.mirrors.glob("*.git"):
            if mirror not in mirrors:
                remove_tree(mirror)
        if (used := self.used()) > self.limit:
            raise Refused(
                f"{self.state}: repositories and their working copies take {size_text(used)}, and may take "
                f"{size_text(self.limit)}. Raise 'disk', or let fewer 'workers' repair at the same time.",
                rule="disk",
                setting="disk",
            )


def size_of(root: Path) -> int:
    """Return the bytes a tree takes on the disk; what goes meanwhile counts nothing."""
    return sum(_sizes(str(root)))


def _sizes(root: str) -> Iterator[int]:
    folders = [root]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    yield entry.stat(follow_symlinks=False).st_blocks * _BLOCK
        except OSError:
            continue
