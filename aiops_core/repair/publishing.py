"""A Change becomes a commit on a fix branch of the remote: once, whatever happens in between."""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from aiops_core.errors import Refused
from aiops_core.plain import from_plain, to_plain
from aiops_core.records import Analysis, Change, ChangedFile, Incident, Json
from aiops_core.repair.asking import check_asked
from aiops_core.repair.lineage import check_fit, check_lineage
from aiops_core.repair.protected import MODES, check_path
from aiops_core.repair.pushing import EMAIL, NAME, push_branch, push_onto, remote_head
from aiops_core.repair.wording import commit_subject, one_line
from aiops_core.repair.workspace import make_push_clone, own_directory
from aiops_core.repository import GitError, Mirror, open_mirror, open_remote, run_git
from aiops_core.settings import Repository
from aiops_core.text.sanitising import silence_commands

BRANCH_PREFIX = "fix/"
_BRANCH = re.compile(r"fix/[A-Za-z0-9][A-Za-z0-9._-]*")
_IDENTITY = (("NAME", NAME), ("EMAIL", EMAIL))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SLUG_LIMIT = 40
_PARAGRAPH = 700


class Published(Struct, frozen=True):
    """Where a Change now is: a branch of the remote, its commit, and what it is based on."""

    branch: str
    commit: str
    base_commit: str
    remote_url: str
    """Address of the remote, without credentials."""


def branch_name(incident: Incident) -> str:
    """Return ``fix/<slug>-<12 characters of the fingerprint>``, the same for every event of one incident."""
    name = re.split(r"[.:/\\$]", incident.type.strip())[-1] or incident.type
    slug = re.sub(r"[^a-z0-9]+", "-", _CAMEL.sub("-", name).lower()).strip("-")[:_SLUG_LIMIT].strip("-")
    return f"{BRANCH_PREFIX}{slug or incident.language or 'error'}-{_short(incident.fingerprint)}"


def commit_message(incident: Incident, analysis: Analysis, change: Change) -> str:
    """Return the commit's message: ``fix(<area>): …``, one paragraph of reason, trailers.

    The model's words are defused and kept out of the trailers.
    """
    reason = one_line(analysis.root_cause or analysis.summary, _PARAGRAPH)
    paragraph = textwrap.fill(reason, 72, break_long_words=False, break_on_hyphens=False)
    paragraph = silence_commands(paragraph)  # the wrapping makes new beginnings of lines
    trailers = [f"Incident: {one_line(incident.fingerprint, 100)}"]
    model = (analysis.usage.model if analysis.usage is not None else "") or analysis.analyzer
    if model:
        trailers.append(f"Model: {one_line(model, 100)}")
    trailers += [f"Run: {change.run}"] if change.run else []
    trailers.append(f"Tested: {'yes' if change.is_verified else 'no'}")
    if change.onto:
        trailers.append(f"Review: of {change.base_commit[:12]}")
    parts = [commit_subject(incident, analysis, change), paragraph, "\n".join(trailers)]
    return "\n\n".join(part for part in parts if part) + "\n"


def publish(
    change: Change, *, branch: str, message: str, repository: Repository, mirrors: Path, scratch: Path
) -> Published:
    """Commit the change onto its base and push it; adopt or replace our own earlier push.

    A change made in review is pushed onto what the branch holds, and replaces nothing. The same
    change and message give the same commit, so it may be called again after a crash and by two
    workers at once; what a later run makes alike is there already. ``mirrors`` is where
    ``open_mirror`` finds the repository; the commit is made in a clone of its own under ``scratch``.
    Raise Refused when the branch holds a commit that is not ours or of another incident, when history
    or paths are not as they must be, or the base branch has changed the lines of the fix since; raise
    GitError when git or the remote cannot do it.
    """
    mirror = open_mirror(repository, mirrors)
    mirror.refresh()
    _check_branch(branch, change, mirror)
    check_lineage(change, mirror)
    _check_files(change, mirror, repository)
    with own_directory(scratch.absolute(), "push") as clone:
        make_push_clone(mirror, clone)
        commit = _commit(change, message, mirror, clone, repository.signing_key)
        _check_commit(change, commit, clone)
        base = mirror.head(change.base_branch)
        if change.onto:
            push_onto(commit, branch, change.base_commit, remote=mirror.remote, clone=clone)
        else:
            if base != change.base_commit and remote_head(branch, mirror.remote, clone) != commit:
                check_fit(change, mirror)
            commit = push_branch(
                commit, branch, message=message, base=base, remote=mirror.remote, clone=clone
            )
        mirror.keep(commit, clone)
    return Published(branch, commit, change.base_commit, mirror.remote.url)


def _check_branch(branch: str, change: Change, mirror: Mirror) -> None:
    if not _BRANCH.fullmatch(branch) or ".." in branch or branch.endswith((".lock", ".")):
        raise Refused(
            f"branch {branch!r}: only plain names under {BRANCH_PREFIX} are pushed. Retry the incident.",
            rule="branch-name",
        )
    if branch in (change.base_branch, mirror.default_branch()):
        raise Refused(
            f"branch {branch}: the branch a fix is proposed to is never pushed.", rule="branch-name"
        )
    if mirror.commit_of(f"refs/heads/{BRANCH_PREFIX.rstrip('/')}") is not None:
        raise Refused(
            f"branch {branch}: the remote has a branch named {BRANCH_PREFIX.rstrip('/')!r}, so there can be "
            f"none under {BRANCH_PREFIX}. Rename that branch, then retry the incident.",
            rule="branch-name",
        )


def _commit(change: Change, message: str, mirror: Mirror, clone: Path, signing_key: str) -> str:
    """Return the commit of the change; the same change gives the same commit, whenever that is made.

    Its date is that of the change, and never before the commit it is made from.
    """
    run_git(["read-tree", change.base_commit], cwd=clone)
    rows = b"".join(_index_row(file, clone, len(change.base_commit)) for file in change.files)
    run_git(["update-index", "-z", "--index-info"], cwd=clone, stdin=rows)
    tree = run_git(["write-tree"], cwd=clone).text
    (base,) = mirror.log(change.base_commit, limit=1)
    moment = f"{int(max(base.at, change.made_at or base.at).timestamp())} +0000"
    env = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _IDENTITY}
    env |= {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    text = message.encode("utf-8", "replace")
    commit = ["commit-tree", *(["-S"] if signing_key else []), tree, "-p", change.base_commit]
    with _signing(signing_key) as signing:
        return run_git([*signing, *commit], cwd=clone, stdin=text, env=env).text


@contextmanager
def _signing(key: str) -> Iterator[list[str]]:
    """Give git what it needs to sign with an SSH key; raise Refused where it cannot."""
    if not key:
        yield []
        return
    file = Path(key).expanduser().absolute()
    try:
        yield ["-c", "gpg.format=ssh", "-c", f"user.signingKey={file}"]
    except GitError as error:
        raise Refused(
            f"repository.signing_key: git cannot sign with {file} ({error.detail}). Name a file with a private "
            "SSH key without a passphrase, and see that ssh-keygen is installed.",
            rule="signing",
            setting="repository.signing_key",
        ) from None


def _index_row(file: ChangedFile, clone: Path, id_length: int) -> bytes:
    path = file.path.encode("utf-8", "surrogateescape")
    if file.content is None:
        return b"0 " + b"0" * id_length + b"\t" + path + b"\0"
    blob = run_git(["hash-object", "-w", "--no-filters", "--stdin"], cwd=clone, stdin=file.content).text
    return f"{file.mode} {blob}\t".encode() + path + b"\0"


def _check_files(change: Change, mirror: Mirror, repository: Repository) -> None:
    check_asked(change)
    files = mirror.files(change.base_commit)
    for file in change.files:
        check_path(file.path, files=files, commands=(repository.test, repository.setup))


def _check_commit(change: Change, commit: str, clone: Path) -> None:
    """Look at what would be pushed once more: exactly these paths, all plain files."""
    raw = ["diff-tree", "-r", "-z", "--raw", "--no-renames", change.base_commit, commit]
    fields = run_git(raw, cwd=clone).out.decode("utf-8", "surrogateescape").split("\0")
    modes = {path: facts.split()[1] for facts, path in zip(fields[::2], fields[1::2], strict=False)}
    if set(modes) != {file.path for file in change.files}:
        raise Refused(
            "the commit would not hold exactly the files of the fix; they may be on the base branch already. "
            "Retry the incident for a new fix.",
            rule="no-op",
        )
    for path, mode in modes.items():
        if mode not in (*MODES, "000000"):
            raise Refused(f"{path}: mode {mode} is no plain file. Retry the incident.", rule="symlink")


def remote_address(repository: Repository) -> str:
    """Return the address that is pushed to; raise GitError for one that cannot be used or holds secrets."""
    return open_remote(repository).url


def change_to_json(change: Change) -> Json:
    """Return the change as JSON values, contents in base64."""
    return to_plain(change)


def change_from_json(data: Json) -> Change:
    """Return the change that ``change_to_json`` wrote."""
    return from_plain(Change, data)


def _short(fingerprint: str) -> str:
    tail = re.split(r"[:\-]", fingerprint)[-1].lower()
    if re.fullmatch(r"[0-9a-f]{12,}", tail):
        return tail[:12]
    return hashlib.blake2b(fingerprint.encode(), digest_size=6).hexdigest()
