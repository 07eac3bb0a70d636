"""A bare mirror of the configured repository: files, blame and history of any commit, read-only."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from pathlib import Path

from aiops_core.repository import history
from aiops_core.repository.errors import GitError, git_error
from aiops_core.repository.git import SLOW, Completed, run_git
from aiops_core.repository.history import BlameLine, Commit, Match, TreeEntry
from aiops_core.repository.locks import locked
from aiops_core.repository.remote import Remote, open_remote
from aiops_core.settings import Repository

_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_LOCK_WAIT = 2 * SLOW
_MANIFESTS = 8
_LOOKED_AT = 500
"""Commits of a branch looked through for a change."""


class Mirror:
    """One bare mirror; every method may be called from any thread."""

    def __init__(self, remote: Remote, path: Path) -> None:
        self.remote = remote
        self.path = path
        self._manifests: OrderedDict[str, Mapping[str, TreeEntry]] = OrderedDict()
        self._seen: set[str] = set()
        """Commits that are in the mirror: asked for before each look, and they stay."""
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Fetch what is new; make the mirror where it is missing or broken."""
        with locked(self.path.with_suffix(".lock"), wait=_LOCK_WAIT) as lock:
            if not self._is_whole():
                self._create(lock)
                return
            for stale in self._stale_locks():
                stale.unlink(missing_ok=True)
            try:
                self._fetch(self.path, lock)
            except GitError as error:
                if error.kind != "unknown":
                    raise
                self._create(lock)  # a crash of the machine can leave torn objects

    def default_branch(self) -> str:
        """Return the branch the remote's HEAD names; raise GitError where it has none."""
        branch = self._git("symbolic-ref", "--short", "HEAD", check=False).text
        if not branch or self.commit_of(f"refs/heads/{branch}") is None:
            raise git_error(f"repository {self.remote.url}", "", "empty")
        return branch

    def head(self, branch: str = "") -> str:
        """Return the commit a branch, or the default branch, is at."""
        branch = branch or self.default_branch()
        commit = self.commit_of(f"refs/heads/{branch}")
        if commit is None:
            raise GitError(
                f"repository {self.remote.url}: there is no branch {branch!r}. Correct repository.branch.",
                kind="not-found",
            )
        return commit

    def commit_of(self, name: str) -> str | None:
        """Return the commit a branch, tag or (short) commit id names, None where there is none."""
        if not name or name.startswith("-") or re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{", name):
            return None
        found = self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False)
        return found.text if found.code == 0 else None

    def contains(self, commit: str) -> bool:
        """Return whether the commit is in the mirror."""
        if commit in self._seen:
            return True
        found = bool(_COMMIT.fullmatch(commit)) and self.commit_of(commit) is not None
        if found:
            self._seen.add(commit)
        return found

    def has_ancestor(self, commit: str, ancestor: str) -> bool:
        """Return whether ``ancestor`` is ``commit`` or one of its ancestors."""
        return self._git("merge-base", "--is-ancestor", ancestor, commit, check=False).code == 0

    def common_ancestor(self, one: str, other: str) -> str | None:
        """Return the best commit that both go back to, None where they share no history."""
        return self._git("merge-base", one, other, check=False).text or None

    def diff(self, commit: str, since: str) -> str:
        """Return what the line of commits up to ``commit`` changes since it left that of ``since``."""
        span = f"{self._known(since)}...{self._known(commit)}"
        return self._git("diff", "--no-color", "--no-ext-diff", "--no-textconv", span).text

    def keep(self, commit: str, clone: Path) -> None:
        """Take over a commit that was made in a clone, so that it is known after its branch is gone."""
        local = Remote(str(clone), "file")
        fetch = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-gc",
            "--",
            local.url,
            commit,
        ]
        run_git(fetch, cwd=self.path, remote=local)

    def same_change(self, commit: str, base: str) -> str | None:
        """Return the commit of the branch at ``base`` that makes, in the same files, the change that the line
        of commits up to ``commit`` makes together: as a squashed or rebased merge has it. None where none does.
        """
        start = self.common_ancestor(self._known(commit), self._known(base))
        if start is None:
            return None
        plain = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--full-index", "--binary"]
        span = [*plain, start, commit]
        names = self._git("diff", "--name-only", "-z", "--no-renames", start, commit).out
        paths = [b":(literal,top)" + name for name in names.split(b"\0") if name]
        wanted = self._patch_ids(self._git("diff", *span).out)
        log = [
            "log",
            "-p",
            f"--max-count={_LOOKED_AT}",
            "--format=commit %H",
            *plain,
            f"{start}..{base}",
            "--",
        ]
        made = self._patch_ids(self._git(*log, *(os.fsdecode(path) for path in paths)).out) if paths else {}
        return next((made[patch] for patch in wanted if patch in made), None)

    def files(self, commit: str) -> Mapping[str, TreeEntry]:
        """Return every tracked file of a commit by its path, symlinks and submodules too."""
        commit = self._known(commit)
        with self._lock:
            if (manifest := self._manifests.get(commit)) is not None:
                self._manifests.move_to_end(commit)
                return manifest
        out = self._git("ls-tree", "-r", "-z", "-l", "--full-tree", commit).out
        manifest = history.parse_tree(out)
        with self._lock:
            self._manifests[commit] = manifest
            while len(self._manifests) > _MANIFESTS:
                self._manifests.popitem(last=False)
        return manifest

    def read(self, commit: str, path: str) -> bytes | None:
        """Return the bytes of a tracked regular file, None for anything else."""
        entry = self.files(commit).get(path)
        if entry is None or not entry.is_file:
            return None
        return self._git("cat-file", "blob", entry.id).out

    def blame(self, commit: str, path: str, start: int, end: int) -> list[BlameLine]:
        """Return who last changed lines ``start`` to ``end`` (included, from 1), as far as they exist."""
        entry = self.files(commit).get(path)
        if entry is None or not entry.is_file or end < max(start, 1):
            return []
        lines = f"-L{max(start, 1)},{end}"
        done = self._git("blame", "--line-porcelain", lines, commit, "--", path, check=False)
        if done.code != 0:
            if "has only" in done.err:  # the file ends before the first line asked for
                return []
            raise git_error(f"git blame {path}", done.err)
        return history.parse_blame(done.out)

    def log(
        self, commit: str, paths: Collection[str] = (), limit: int = 10, *, since: str = ""
    ) -> list[Commit]:
        """Return the latest commits up to ``commit`` that touch the paths, or all, newest first.

        ``since`` is a commit whose ancestors, itself included, are left out.
        """
        args = ["log", "-z", f"--max-count={limit}", f"--format={history.LOG_FORMAT}", "--no-show-signature"]
        literal = [f":(literal,top){path}" for path in paths]
        span = [self._known(commit), *([f"^{self._known(since)}"] if since else [])]
        return history.parse_log(self._git(*args, *span, "--", *literal).out)

    def tags(self) -> Mapping[str, str]:
        """Return the object every tag points to, in the end, by the tag's name."""
        form = "--format=%(refname:strip=2)%00%(objectname)%00%(*objectname)"
        rows = self._git("for-each-ref", form, "refs/tags").text.split("\n")
        parts = (row.split("\0") for row in rows if row)
        return {name: peeled or id_ for name, id_, peeled in parts}

    def tag_before(self, commit: str) -> tuple[str, str] | None:
        """Return the nearest tag of an ancestor of a commit, and its commit; None without one."""
        found = self._git("describe", "--tags", "--abbrev=0", f"{self._known(commit)}^", check=False)
        tagged = self.commit_of(f"refs/tags/{found.text}") if found.code == 0 else None
        return (found.text, tagged) if tagged else None

    def search(self, commit: str, text: str, under: str = "", *, ignore_case: bool = False) -> list[Match]:
        """Return the lines of text files in which a text stands, up to 50 of each file.

        ``under`` is a file or folder to stay in.
        """
        case = ["--ignore-case"] if ignore_case else []
        look = ["grep", "-n", "-z", "-I", "--fixed-strings", "--full-name", "--max-count=50", *case]
        places = [f":(literal,top){under}"] if under else []
        done = self._git(*look, "-e", text, self._known(commit), "--", *places, check=False)
        if done.code > 1:
            raise git_error("git grep", done.err)
        return history.parse_grep(done.out)

    def _patch_ids(self, diffs: bytes) -> dict[str, str]:
        """Return the commit of each diff by what git calls its patch, the same wherever it applies."""
        listed = run_git(["patch-id", "--stable"], cwd=self.path, stdin=diffs).text
        return dict(line.split() for line in listed.splitlines())

    def _known(self, commit: str) -> str:
        if not self.contains(commit):
            raise git_error(f"repository {self.remote.url}: commit {commit[:12]!r}", "", "missing-commit")
        return commit

    def _git(self, *args: str, check: bool = True) -> Completed:
        return run_git(args, cwd=self.path, check=check)

    def _is_whole(self) -> bool:
        if not (self.path / "HEAD").is_file():
            return False
        return run_git(["rev-parse", "--is-bare-repository"], cwd=self.path, check=False).text == "true"

    def _create(self, lock: int) -> None:
        """Build the mirror beside its place and move it in: a killed process leaves no half one."""
        making = self.path.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True, mode=0o700)
        try:
            run_git(["init", "--quiet", "--bare", "--template=", "."], cwd=making, lock=lock)
            run_git(["config", "uploadpack.allowAnySHA1InWant", "true"], cwd=making, lock=lock)
            self._fetch(making, lock)
            shutil.rmtree(self.path, ignore_errors=True)
            making.rename(self.path)
            self._seen.clear()
        finally:
            shutil.rmtree(making, ignore_errors=True)

    def _fetch(self, path: Path, lock: int) -> None:
        options = ["--prune", "--no-tags", "--no-write-fetch-head", "--quiet", "--update-head-ok"]
        fetch = ["fetch", *options, "--update-shallow", "--", self.remote.url, *_REFSPECS]
        run_git(fetch, cwd=path, remote=self.remote, timeout=SLOW, lock=lock)
        look = ["ls-remote", "--symref", "--", self.remote.url, "HEAD"]
        listed = run_git(look, cwd=path, remote=self.remote, lock=lock)
        if branch := re.match(rb"ref: (refs/heads/\S+)\tHEAD", listed.out):
            name = branch[1].decode("utf-8", "surrogateescape")
            run_git(["symbolic-ref", "HEAD", name], cwd=path, lock=lock)

    def _stale_locks(self) -> list[Path]:
        """Return what a killed git left; ours is the only writer, and it holds the lock."""
        return [*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")]


def open_mirror(repository: Repository, directory: Path) -> Mirror:
    """Return the mirror of the configured repository under ``directory``, made where missing.

    An existing one is returned as it is: call ``refresh`` for what is new. Raise GitError where
    the repository cannot be reached or its address cannot be used.
    """
    mirror = Mirror(open_remote(repository), mirror_path(repository, directory))
    if not mirror.path.joinpath("HEAD").is_file():
        mirror.refresh()
    return mirror


def remote_head(repository: Repository, directory: Path) -> str:
    """Return what can be said of the remote without fetching; raise GitError where it cannot be reached."""
    remote = open_remote(repository)
    branch = f"refs/heads/{repository.branch}" if repository.branch else "HEAD"
    found = run_git(["ls-remote", "--", remote.url, branch], cwd=directory, remote=remote).text.split()
    if not found and repository.branch:
        raise GitError(
            f"repository {remote.url}: has no branch {repository.branch}. Mend 'branch'.", kind="not-found"
        )
    return f"{remote.url}: reached, {repository.branch or 'its default branch'} is at {found[0][:12] if found else 'nothing'}"


def mirror_path(repository: Repository, directory: Path) -> Path:
    """Return where the mirror of a repository is under ``directory``; raise GitError as ``open_mirror`` does."""
    remote = open_remote(repository)
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", remote.url.rstrip("/").rsplit("/", 1)[-1]).strip(".-")
    digest = hashlib.blake2b(remote.url.encode("utf-8", "surrogateescape"), digest_size=5).hexdigest()
    return directory.absolute() / f"{name.removesuffix('.git') or 'mirror'}-{digest}.git"
