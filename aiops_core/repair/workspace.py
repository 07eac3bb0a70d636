"""The two clones of a repair: one that untrusted code may ruin, one that only we ever touch.

The work clone holds no credential and no remote, and git never runs in it once anything else
did. The push clone is bare: files reach it as objects, so that no filter, hook or symlink of a
working tree can have a say.
"""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from aiops_core.errors import Refused
from aiops_core.records import ChangedFile
from aiops_core.repository import Mirror, Remote, run_git
from aiops_core.repository.git import SLOW
from aiops_core.repository.locks import locked, taken

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def make_work_clone(mirror: Mirror, commit: str, path: Path) -> None:
    """Check the commit out under ``path``: a repository of its own, one commit deep."""
    path.mkdir(parents=True, mode=0o700)
    local = Remote(str(mirror.path), "file")
    run_git(["init", "--quiet", "--template=", "."], cwd=path)
    fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--", local.url, commit]
    run_git(fetch, cwd=path, remote=local, timeout=SLOW)
    run_git(["checkout", "--quiet", "--detach", commit], cwd=path, timeout=SLOW)


def make_push_clone(mirror: Mirror, path: Path) -> None:
    """Make a bare repository in the empty directory ``path`` that borrows the mirror's objects.

    Where the remote is a shallow clone it ends where that one does.
    """
    run_git(["init", "--quiet", "--bare", "--template=", "."], cwd=path)
    alternates = path / "objects" / "info" / "alternates"
    alternates.parent.mkdir(exist_ok=True)
    alternates.write_text(f"{mirror.path / 'objects'}\n", "utf-8", "surrogateescape")
    with suppress(FileNotFoundError):
        (path / "shallow").write_bytes((mirror.path / "shallow").read_bytes())


@contextmanager
def own_directory(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a directory for the length of the block, beside those of other threads and processes.

    What killed processes left of the kind is removed first.
    """
    with locked(parent / f"{prefix}.lock", wait=SLOW):
        for left in parent.glob(f"{prefix}-*"):
            with _held(left) as is_ours:
                if is_ours:
                    remove_tree(left)
        made = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=parent))
        hold = os.open(made, _DIRECTORY)
        fcntl.flock(hold, fcntl.LOCK_EX)
    try:
        yield made
    finally:
        remove_tree(made)
        os.close(hold)


@contextmanager
def _held(directory: Path) -> Iterator[bool]:
    """Hold a directory nobody holds; False where somebody does, or it went meanwhile."""
    try:
        hold = os.open(directory, _DIRECTORY)
    except OSError:
        yield False
        return
    try:
        yield taken(hold)
    finally:
        os.close(hold)


def write_files(root: Path, files: Sequence[ChangedFile]) -> None:
    """Write a change into a working tree without ever following a symlink.

    Raise Refused (rule ``symlink``) where something put one, or no directory, in the way.
    """
    for file in files:
        *parents, name = file.path.split("/")
        try:
            with _directory(root, parents, make=file.content is not None) as directory:
                _write(directory, name, file)
        except (OSError, NotADirectoryError) as error:
            raise Refused(
                f"{file.path}: cannot be written ({error.strerror}). "
                "Its path leads through something that is no plain directory.",
                rule="symlink",
            ) from None


def copy_tree(source: Path, target: Path) -> None:
    """Copy a directory with modes, times and symlinks; raise Refused when the disk is full."""
    done = subprocess.run(["cp", "-a", "--", source, target], capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[:300]
        raise Refused(f"{target}: the work clone cannot be copied ({said}). Free space.", rule="workspace")


def remove_tree(path: Path) -> None:
    """Remove a directory whatever a test left in it: read-only, very deep, with odd names."""
    if not path.exists() or path.is_symlink():
        return
    for command in (["rm", "-rf", "--"], ["chmod", "-R", "u+rwX", "--"], ["rm", "-rf", "--"]):
        if path.exists():  # shutil.rmtree gives up in directories nested a thousand deep
            subprocess.run([*command, path], capture_output=True, check=False)


@contextmanager
def _directory(root: Path, parents: Sequence[str], *, make: bool) -> Iterator[int]:
    descriptor = os.open(root, _DIRECTORY)
    try:
        for name in parents:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=descriptor)
            below = os.open(name, _DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _write(directory: int, name: str, file: ChangedFile) -> None:
    try:
        if stat.S_ISLNK(os.lstat(name, dir_fd=directory).st_mode):
            raise NotADirectoryError(0, "a symlink stands there")
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        pass
    if file.content is None:
        return
    mode = 0o755 if file.mode == "100755" else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(name, flags, mode, dir_fd=directory), "wb") as out:
        out.write(file.content)
