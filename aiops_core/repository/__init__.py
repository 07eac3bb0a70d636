"""The repository behind the logs, read-only: mirrors, files at a commit, blame, path mapping."""

from aiops_core.repository.errors import GitError
from aiops_core.repository.git import run_git
from aiops_core.repository.history import BlameLine, Commit, Match, TreeEntry
from aiops_core.repository.mirror import Mirror, mirror_path, open_mirror, remote_head
from aiops_core.repository.paths import Ambiguous, is_installed, map_frame
from aiops_core.repository.private import is_private
from aiops_core.repository.releases import Release, release_of
from aiops_core.repository.remote import Remote, open_remote

__all__ = [
    "Ambiguous",
    "BlameLine",
    "Commit",
    "GitError",
    "Match",
    "Mirror",
    "Release",
    "Remote",
    "TreeEntry",
    "is_installed",
    "is_private",
    "map_frame",
    "mirror_path",
    "open_mirror",
    "open_remote",
    "release_of",
    "remote_head",
    "run_git",
]
