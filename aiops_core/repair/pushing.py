"""Put a commit on a fix branch of the remote: made new, or in the place of nothing but our own."""

from __future__ import annotations

import re
from pathlib import Path

from aiops_core.errors import Refused
from aiops_core.repository import GitError, Remote, run_git
from aiops_core.repository.git import SLOW

NAME = "aiops"
EMAIL = "aiops@localhost"
MOVED = "branch-moved"
"""The rule of a change whose branch others pushed to meanwhile: made anew from there, it may do."""
_INCIDENT = re.compile(r"^Incident: (\S.*)$", re.MULTILINE)
_RUN = re.compile(r"^Run: \d+\n?", re.MULTILINE)
_FORMAT = (
    "%ae%x09%ce%x09%(trailers:key=Review,valueonly,unfold,separator=%x2c)"
    "%x09%(trailers:key=Incident,valueonly,unfold,separator=%x2c)"
)


def push_branch(commit: str, branch: str, *, message: str, base: str, remote: Remote, clone: Path) -> str:
    """Push the commit, which has this message, from the clone; ``base`` is where its base branch stands.
    Return the commit that is there then: an earlier one where only the run differs.

    What is there may be replaced when every commit of it is ours and of the same incident, and
    only if it is still there at the moment of the push. Raise Refused where it is anything else.
    """
    there = remote_head(branch, remote, clone)
    if there == commit:
        return commit
    if there and not _is_ours(there, base, message, clone):
        raise _refused(branch, there, remote)
    if there and _facts(there, clone) == _facts(commit, clone):
        return there
    ref = f"refs/heads/{branch}"
    lease = f"--force-with-lease={ref}:{there}"  # an empty one can create, never overwrite
    command = ["push", "--quiet", lease, "--", remote.url, f"{commit}:{ref}"]
    try:
        run_git(command, cwd=clone, remote=remote, timeout=SLOW)
    except GitError:
        now = remote_head(branch, remote, clone)
        if now == commit:  # an earlier try of ours, or another worker
            return commit
        if now != there:
            raise _refused(branch, now, remote) from None
        raise
    return commit


def push_onto(commit: str, branch: str, base: str, *, remote: Remote, clone: Path) -> None:
    """Push a commit made from ``base`` to a branch that still is there; nothing is ever replaced.

    Raise Refused where the branch has moved on, or is gone.
    """
    if (there := remote_head(branch, remote, clone)) == commit:
        return
    if there != base:
        raise moved(branch, remote)
    ref = f"refs/heads/{branch}"
    try:
        run_git(
            ["push", "--quiet", f"--force-with-lease={ref}:{base}", "--", remote.url, f"{commit}:{ref}"],
            cwd=clone,
            remote=remote,
            timeout=SLOW,
        )
    except GitError:
        now = remote_head(branch, remote, clone)
        if now == commit:
            return
        if now != base:
            raise moved(branch, remote) from None
        raise


def moved(branch: str, remote: Remote) -> Refused:
    """Return the refusal of a change made from what a branch held before."""
    return Refused(
        f"branch {branch} of {remote.url} has moved on while the change was made, and what others push "
        "is never replaced. Ask for the change again.",
        rule=MOVED,
    )


def _refused(branch: str, there: str, remote: Remote) -> Refused:
    return Refused(
        f"branch {branch} of {remote.url} exists already, at {there[:12]}, with other content. "
        "It is never overwritten: merge or delete it, then retry the incident.",
        rule="branch-exists",
    )


def _is_ours(head: str, base: str, message: str, clone: Path) -> bool:
    """Return whether nobody but us made what the branch holds, all of it for the message's incident.

    What was made in review is also the reviewers' work: no other fix takes its place.
    """
    incident = _INCIDENT.search(message)
    if incident is None:
        return False
    log = ["log", f"--format={_FORMAT}", "--no-show-signature"]
    rows: list[str] = []
    for commits in ([head, f"^{base}"], ["--max-count=1", head]):  # the last one may be merged already
        found = run_git([*log, *commits, "--"], cwd=clone, check=False)
        if found.code != 0:
            return False
        rows += filter(None, found.text.split("\n"))
    return all(row.split("\t") == [EMAIL, EMAIL, "", incident[1].strip()] for row in rows)


def _facts(commit: str, clone: Path) -> str:
    """Return what makes a commit, but for the run that made it and its signature."""
    told = run_git(["log", "-1", "--no-show-signature", "--format=%T %P%n%B", commit, "--"], cwd=clone).text
    return _RUN.sub("", told)


def remote_head(branch: str, remote: Remote, clone: Path) -> str:
    """Return the commit the branch of the remote is at, "" where there is no such branch."""
    ref = f"refs/heads/{branch}"
    listed = run_git(["ls-remote", "--refs", "--", remote.url, ref], cwd=clone, remote=remote)
    return next((row.split("\t")[0] for row in listed.text.splitlines() if row.endswith(f"\t{ref}")), "")
