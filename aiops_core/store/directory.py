"""The state directory: its owner's alone, on disk and in memory of who may look."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from aiops_core.errors import StoreError, UserError


def prepare(directory: Path) -> None:
    """Create the state directory with mode 0700, or see that others cannot write into it.

    An empty directory somebody made before is tightened; one with other files in it is not
    ours to change.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = directory.stat().st_mode
        if mode & 0o077 and not any(directory.iterdir()):
            directory.chmod(0o700)
        elif mode & stat.S_IWOTH:
            raise UserError(
                f"{directory}: every user of this machine may write there (mode {mode & 0o777:o}). "
                f"Run `chmod 700 {directory}` or use another state directory."
            )
    except OSError as error:
        raise UserError(
            f"{directory}: cannot be the state directory: {error.strerror}. "
            "Name a directory that this user may write to."
        ) from error


def create_private(path: Path) -> None:
    """Create an empty file with mode 0600 unless there is one; never open one that exists.

    Closing a file drops every lock this process holds on it, SQLite's too.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if path.is_symlink():
            raise StoreError(f"{path}: is a symbolic link. Put the file itself there.") from None
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be created: {error.strerror}. Make room and let this user write there."
        ) from error
