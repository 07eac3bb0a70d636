"""A small repository with a bare remote, as tests need it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENV = {
    "PATH": os.environ.get("PATH", ""),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "LC_ALL": "C",
}


class GitRepository:
    """A working copy at ``path`` and the bare repository ``remote`` that everything is pushed to."""

    def __init__(self, root: Path, name: str = "shop", branch: str = "main") -> None:
        self.path = root / name
        self.remote = root / f"{name}.git"
        self.branch = branch
        if not self.path.exists():
            self.path.mkdir(parents=True)
            self.git("init", "--quiet", "--bare", f"--initial-branch={branch}", str(self.remote))
            self.git("init", "--quiet", f"--initial-branch={branch}")
            self.git("remote", "add", "origin", f"../{name}.git")

    def copy(self, root: Path) -> GitRepository:
        """Return a copy under another directory, made much faster than a new one."""
        shutil.copytree(self.path.parent, root, symlinks=True)
        return GitRepository(root, self.path.name, self.branch)

    def git(self, *args: str) -> str:
        """Run git in the working copy and return what it prints."""
        done = subprocess.run(["git", *args], cwd=self.path, env=_ENV, check=True, capture_output=True)
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def on_remote(self, *args: str) -> str:
        """Run git in the remote and return what it prints, "" where it fails."""
        done = subprocess.run(["git", *args], cwd=self.remote, env=_ENV, check=False, capture_output=True)
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "change") -> str:
        """Write (None: remove) the files, commit and push them; return the commit."""
        for name, content in files.items():
            place = self.path / name
            if content is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.commit_all(message)

    def commit_all(self, message: str = "change") -> str:
        """Commit and push what stands in the working copy; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{self.branch}")
        return self.git("rev-parse", "HEAD")

    def branches(self) -> dict[str, str]:
        """Return the remote's branches and the commits they are at."""
        rows = self.on_remote("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
        return dict(row.split(" ", 1) for row in rows.splitlines())
