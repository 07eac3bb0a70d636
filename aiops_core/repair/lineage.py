"""Whether a fix still belongs to the branch it is for, and what was done to that branch where it does not."""

from __future__ import annotations

from aiops_core.errors import Refused
from aiops_core.records import Change
from aiops_core.repair.pushing import moved
from aiops_core.repository import Mirror, run_git

_LOOKED_AT = "--max-count=1000"
"""Commits whose files are compared with those of a history begun anew."""


def check_lineage(change: Change, mirror: Mirror) -> None:
    """Refuse a change whose base is not, or is no longer, in the history of its base branch (R9).

    A change made in review must share history with it.
    """
    base, head = change.base_commit, mirror.head(change.base_branch)
    if change.onto and not mirror.contains(base):
        raise moved(change.onto, mirror.remote)
    if change.onto and mirror.common_ancestor(head, base) is None:
        raise Refused(
            f"branch {change.onto} shares no history with {change.base_branch}: "
            f"{_cause(base, head, mirror)}. Close the request, then retry the incident for a new fix.",
            rule="history",
        )
    if not change.onto and not (mirror.contains(base) and mirror.has_ancestor(head, base)):
        raise Refused(
            f"commit {base[:12]}, which the fix starts from, is no longer in the history of "
            f"{change.base_branch}: {_cause(base, head, mirror)}. Retry the incident for a new fix.",
            rule="history",
        )


def _cause(base: str, head: str, mirror: Mirror) -> str:
    """Return what became of the history that ``base`` was in."""
    is_known = mirror.contains(base)
    if is_known and mirror.common_ancestor(head, base) is not None:
        return "the branch was rewritten"
    if (mirror.path / "shallow").exists():
        return (
            "the remote is a shallow clone, whose history is cut off ('git fetch --unshallow' mends it there)"
        )
    if not is_known:
        return "the branch was rewritten, and the remote has that commit no more"
    if _trees(head, mirror, "--max-parents=0") & _trees(base, mirror, _LOOKED_AT):
        return "the repository was begun anew from its files (git init in a copy of them)"
    return "the branch was replaced by another history"


def _trees(commit: str, mirror: Mirror, which: str) -> set[str]:
    """Return what the files of some commits are known by."""
    return set(run_git(["log", "--format=%T", which, commit], cwd=mirror.path).text.split())
