"""Keep compiled trigger databases from one start to the next: compiling takes longer than a short scan.

The files lie in the user's cache directory, for nobody else to read or write: what is loaded is
run by the engine as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

_KEPT = 64
"""Databases of so many sets of triggers, most of them below 200 kB."""


def cache_path(engine: str, patterns: Sequence[bytes]) -> Path | None:
    """Return where the database of these patterns is kept; None where there is no safe place."""
    directory = _directory()
    if directory is None:
        return None
    digest = hashlib.blake2b(digest_size=16)
    for part in (engine.encode(), *patterns):
        digest.update(len(part).to_bytes(4, "big") + part)
    return directory / f"{digest.hexdigest()}.hs"


def load(path: Path) -> bytes | None:
    """Return what is kept, None when there is nothing; the file counts as used now."""
    try:
        data = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    return data or None


def save(path: Path, data: bytes) -> None:
    """Keep a database and forget those unused for longest; a full disk is no reason to stop."""
    with contextlib.suppress(OSError):
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
        kept = sorted(path.parent.glob("*.hs"), key=lambda one: one.stat().st_mtime)
        for old in kept[:-_KEPT]:
            old.unlink(missing_ok=True)


def _directory() -> Path | None:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - no raise without a home
    directory = Path(base) / "aiops"
    if not directory.is_absolute():
        return None
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except OSError:
        return None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    return directory if is_ours else None
