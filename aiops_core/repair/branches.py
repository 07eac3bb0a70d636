"""What became of a branch that was pushed for review."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from aiops_core.repository import open_mirror
from aiops_core.settings import Repository


def branch_state(
    repository: Repository, scratch: Path, *, branch: str, commit: str, base: str
) -> Literal["open", "merged", "gone"]:
    """Return whether the branch's commit is in its base, else whether the branch is still there.

    Raise GitError where the repository is out of reach.
    """
    mirror = open_mirror(repository, scratch)
    mirror.refresh()
    if mirror.contains(commit) and mirror.has_ancestor(mirror.head(base), commit):
        return "merged"
    return "gone" if mirror.commit_of(f"refs/heads/{branch}") is None else "open"
