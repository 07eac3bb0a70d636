"""The room repairs take on the disk: mirrors, work clones and what steps keep; its limit, and what may go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from aiops_core.errors import Refused
from aiops_core.repair.disk import space_taken
from aiops_core.repair.ground import Grounds
from aiops_core.repair.workspace import remove_tree
from aiops_core.text.phrases import size_text


@dataclass(frozen=True, slots=True)
class Premises:
    """What repairs keep under the state directory, and how many bytes of it there may be."""

    state: Path
    limit: int
    grounds: Grounds = field(init=False, compare=False)
    """Checkouts that repairs of the same commit use one after the other."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "grounds", Grounds(self.state / "grounds"))

    @property
    def mirrors(self) -> Path:
        """Where the mirrors of repositories are."""
        return self.state / "mirrors"

    def work(self, run: int) -> Path:
        """Return the directory of one run alone."""
        return self.state / "work" / f"run-{run}"

    def used(self) -> int:
        """Return how many bytes there are now."""
        places = [self.state / name for name in ("mirrors", "work", "grounds", "scratch")]
        there = [place for place in places if place.exists()]
        return space_taken(there) if there else 0

    def tidy(self, busy: Collection[int]) -> None:
        """Remove what killed processes left; ``busy`` are the runs somebody works on."""
        keep = {self.work(run) for run in busy}
        for left in (self.state / "work").glob("run-*"):
            if left not in keep:
                remove_tree(left)
        self.grounds.tidy()

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
