"""What became of a branch that was pushed for review."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from aiops_core.repository import open_mirror
from aiops_core.settings import Repository


class BranchState(NamedTuple):
    """How a branch stands, and the commit that brought it into its base where one did."""

    state: Literal["open", "merged", "gone"]
    merge_commit: str = ""


def branch_state(
    repository: Repository, mirrors: Path, *, branch: str, commit: str, base: str
) -> BranchState:
    """Return whether what the branch changes is in its base, else whether the branch is still there.

    ``commit`` is what we pushed; the branch may hold more by now, and either may have been merged,
    squashed or rebased. Raise GitError where the repository is out of reach.
    """
    mirror = open_mirror(repository, mirrors)
    mirror.refresh()
    head, tip = mirror.head(base), mirror.commit_of(f"refs/heads/{branch}")
    for pushed in dict.fromkeys((commit, tip or commit)):
        if not mirror.contains(pushed):
            continue
        if mirror.has_ancestor(head, pushed):
            return BranchState("merged", pushed)
        if merged := mirror.same_change(pushed, head):
            return BranchState("merged", merged)
    return BranchState("open" if tip else "gone")
