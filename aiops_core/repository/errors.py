"""What git's failures mean: one kind and one remedy each, read from its messages in English."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from aiops_core.errors import AiopsError
from aiops_core.text.lazy import lazy_pattern

GitErrorKind: TypeAlias = Literal[
    "auth",
    "not-found",
    "network",
    "timeout",
    "non-fast-forward",
    "protected",
    "hook",
    "too-large",
    "permission",
    "unsigned",
    "redirect",
    "ownership",
    "disk",
    "missing-git",
    "missing-commit",
    "empty",
    "url",
    "unknown",
]

_KINDS: tuple[tuple[GitErrorKind, str], ...] = (
    ("disk", r"No space left on device|Disk quota exceeded|unable to write .* file"),
    (
        "permission",
        r"refusing to allow .* to create or update workflow|without `?workflows?`? (?:scope|permission)",
    ),
    (
        "too-large",
        r"GH001|file size limit|exceeds maximum allowed size|(?:error:|HTTP) 413|larger than .* limit",
    ),
    (
        "unsigned",
        r"[Cc]ommits? must (?:have verified signatures|be signed|have (?:a )?valid)|unsigned commit",
    ),
    ("protected", r"protected branch|GH006|GH013|repository rule violations"),
    ("hook", r"hook declined|denied by custom hooks|does not follow the pattern"),
    ("non-fast-forward", r"non-fast-forward|fetch first|\(stale info\)|already exists|cannot lock ref"),
    (
        "auth",
        r"could not read (?:Username|Password)|Authentication failed|Permission denied"
        r"|HTTP Basic: Access denied|error: (?:401|403)|Invalid username or (?:password|token)"
        r"|Host key verification failed|terminal prompts disabled",
    ),
    ("redirect", r"error: 30[1278]|redirect"),
    ("ownership", r"dubious ownership|unsafe repository"),
    (
        "not-found",
        r"[Rr]epository .*not found|not appear to be a git repository|error: 404|does not exist"
        r"|not a git repository|project you were looking for could not be found|not exported",
    ),
    (
        "network",
        r"Could not resolve host|Connection (?:refused|reset|timed out)|Failed to connect|Couldn't connect"
        r"|Network is unreachable|Operation timed out|unexpected disconnect|early EOF|hung up unexpectedly"
        r"|RPC failed|SSL|gnutls|error: (?:429|5\d\d)|Empty reply from server|Could not read from remote",
    ),
    (
        "missing-commit",
        r"bad object|not our ref|unknown revision|Not a valid (?:object|commit) name|bad revision",
    ),
)
_TABLE = tuple((kind, lazy_pattern(pattern)) for kind, pattern in _KINDS)

REMEDIES: dict[GitErrorKind, tuple[str, str]] = {
    "auth": (
        "the remote refuses this token or key",
        "Check repository.token: it may be missing, expired, or lack access to read and write code",
    ),
    "not-found": (
        "there is no such repository, or the token may not see it",
        "Check repository.url and what repository.token gives access to",
    ),
    "network": ("the remote cannot be reached", "Check the network and the proxy; it is tried again later"),
    "timeout": ("git did not end in time", "Check the network; it is tried again later"),
    "non-fast-forward": (
        "the branch already exists and holds something else",
        "Delete or merge that branch, then retry the incident",
    ),
    "unsigned": (
        "the remote takes signed commits only",
        "Name a key in repository.signing_key, and make it known there as the bot's",
    ),
    "protected": (
        "the remote's rules do not allow this push",
        "Allow branches under fix/ in its branch protection or push rules",
    ),
    "hook": (
        "a hook or push rule of the remote declines this commit",
        "Allow branches under fix/ and commits of aiops@localhost in its push rules",
    ),
    "too-large": (
        "the push is larger than the remote allows",
        "Raise that limit, or lower policy.max_files and policy.max_lines",
    ),
    "permission": (
        "the token may not change workflow files",
        "Leave it so; the fix must not touch workflow files",
    ),
    "redirect": (
        "the remote redirects to another address, which could carry the token elsewhere",
        "Write the final address into repository.url, often the same with .git at its end",
    ),
    "ownership": (
        "the repository belongs to another user",
        "Run as its owner, or use an https or ssh address",
    ),
    "disk": ("there is no space left on the disk", "Free space in the state directory"),
    "missing-git": ("git is not installed", "Install git 2.31 or later and make sure it is on PATH"),
    "missing-commit": ("the commit is not there", "Check that the branch was not rewritten meanwhile"),
    "empty": ("the repository has no commits", "Push a first commit, or correct repository.url"),
    "url": ("the address cannot be used", "Write an https or ssh address, or a path"),
    "unknown": ("git failed", "See what git said"),
}


class GitError(AiopsError):
    """Say what git could not do and what to do about it; never holds a credential.

    ``kind`` is the diagnosis, ``detail`` git's own words without secrets.
    """

    def __init__(self, message: str, *, kind: GitErrorKind, detail: str = "") -> None:
        self.kind: GitErrorKind = kind
        self.detail = detail
        super().__init__(message)

    @property
    def is_transient(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return self.kind in ("network", "timeout")


def classify(stderr: str) -> GitErrorKind:
    """Return what a failure of git means, from its English messages."""
    return next((kind for kind, pattern in _TABLE if pattern.search(stderr)), "unknown")


def git_error(where: str, stderr: str, kind: GitErrorKind | None = None) -> GitError:
    """Return the error for a failure at ``where``, which must hold no secrets, like ``stderr``."""
    kind = kind or classify(stderr)
    what, remedy = REMEDIES[kind]
    detail = _detail(stderr)
    said = f" (git: {detail})" if detail else ""
    return GitError(f"{where}: {what}{said}. {remedy}.", kind=kind, detail=detail)


def _detail(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", " ! "))]
    line = (telling or lines or [""])[0]
    return re.sub(r"[\x00-\x1f\x7f]", "", re.sub(r"^(?:fatal|error|remote):\s*", "", line))[:300].rstrip(".")
