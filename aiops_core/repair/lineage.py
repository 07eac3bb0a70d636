"""Whether a fix still belongs to the branch it is for, and what was done to that branch where it does not."""

from __future__ import annotations

import tempfile
from pathlib import Path

from aiops_core.errors import Refused
from aiops_core.records import Change, ChangedFile
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


def check_fit(change: Change, mirror: Mirror) -> None:
    """Refuse a change of lines that its base branch has changed meanwhile: tests and people saw others.

    Days may lie between a plan and its approval.
    """
    head = mirror.head(change.base_branch)
    for file in change.files:
        if _is_at_odds(file, change.base_commit, head, mirror):
            raise Refused(
                f"{file.path}: {change.base_branch} has changed the lines of the fix since that was made "
                f"(from {change.base_commit[:12]}, the branch is at {head[:12]}). "
                "Retry the incident for a new fix.",
                rule="outdated",
            )


def _is_at_odds(file: ChangedFile, base: str, head: str, mirror: Mirror) -> bool:
    """Return whether git could not bring a file's change and those since its base together."""
    before, now = mirror.read(base, file.path), mirror.read(head, file.path)
    if now in (before, file.content):
        return False
    if before is None or now is None or file.content is None:
        return True
    with tempfile.TemporaryDirectory() as folder:
        sides = [Path(folder, name) for name in ("now", "before", "fixed")]
        for side, content in zip(sides, (now, before, file.content), strict=True):
            side.write_bytes(content)
        merge = ["merge-file", "--quiet", "-p", *map(str, sides)]
        return run_git(merge, cwd=mirror.path, check=False).code != 0


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
