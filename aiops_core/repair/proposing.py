"""The whole structured repair: edits become a Change that passed policy and tests, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.errors import Refused
from aiops_core.records import Change, ChangedFile, Edit, Incident
from aiops_core.repair.asking import asked_about, beyond_limits, names_dependencies
from aiops_core.repair.bench import Bench
from aiops_core.repair.diff import count_lines, source_text, unified_diff
from aiops_core.repair.edits import Inspect, apply_edits, matches
from aiops_core.repair.ground import Grounds
from aiops_core.repair.imports import check_imports, has_import, has_name, is_own
from aiops_core.repair.layout import is_test
from aiops_core.repair.new_powers import new_powers
from aiops_core.repair.paths import MEANT, EditKind, Manifest, resolve
from aiops_core.repair.protected import check_mode, check_path, check_protected
from aiops_core.repair.restoring import Originals, restored
from aiops_core.repair.sandbox import open_sandbox
from aiops_core.repository import Mirror
from aiops_core.settings import Policy, Repository

UNVERIFIED = "not verified: repository.test is not set"
NOT_THE_EDITS_FAULT = frozenset({"sandbox", "setup", "workspace", "disk", "fixed-not-deployed"})
"""Rules no better edit can satisfy: do not ask the analyzer again."""


def propose(
    edits: Sequence[Edit],
    *,
    mirror: Mirror,
    repository: Repository,
    policy: Policy,
    scratch: Path,
    commit: str = "",
    log: Callable[[str], None] = lambda text: None,
    find_secret: Callable[[str], str | None] = lambda text: None,
    originals: Originals = lambda text: {},
    incident: Incident | None = None,
    fork: str = "",
    grounds: Grounds | None = None,
) -> Change:
    """Return the change the edits make to the base branch, tested where tests are set.

    ``commit`` is where the analysis saw the code, by default the head of the branch. ``scratch`` is
    a directory of this repair alone: a later round on the same commit finds the setup and the tests
    of the base there. ``grounds`` are used again by other repairs. ``log`` is told each step.
    ``find_secret`` names the rule by which added text holds a secret; ``originals`` says what the
    placeholders in a redacted text stand for. A fix that no test proves to mend ``incident`` is a draft; of a further commit on a fix branch, which left its base
    at ``fork``, the proof is that of the whole branch. Raise Refused, whose text says to whoever proposed
    the edits what to do better, and GitError where the repository is out of reach.
    """
    branch = repository.branch or mirror.default_branch()
    base = _Base(mirror, commit or mirror.head(branch), branch, repository, originals)
    change = _change(edits, base, policy, find_secret)
    added, removed = count_lines(change.diff)
    log(f"the fix changes {', '.join(file.path for file in change.files)} (+{added} −{removed})")
    if not repository.test:
        return replace(change, notes=(*change.notes, UNVERIFIED))
    sandbox = open_sandbox(repository.sandbox)
    own = Grounds(scratch / "grounds")
    with (grounds or own).lent(mirror, base.commit) as ground:
        bench = Bench(mirror, base.commit, repository, sandbox, ground, scratch, log, incident, fork)
        try:
            return bench.verify(change)
        finally:
            bench.clear()
            own.close()


class _Base(Struct, frozen=True):
    """The commit a fix starts from."""

    mirror: Mirror
    commit: str
    branch: str
    repository: Repository
    originals: Originals

    @property
    def files(self) -> Manifest:
        return self.mirror.files(self.commit)

    @property
    def name(self) -> str:
        """The name of the repository, which people and models put before its paths."""
        return self.repository.url.rstrip("/").replace("\\", "/").rpartition("/")[2].removesuffix(".git")

    def read(self, path: str) -> bytes | None:
        return self.mirror.read(self.commit, path)

    def tests(self) -> Iterator[str]:
        """Yield what the tests there are say."""
        return (source_text(self.read(path)) for path in self.files if is_test(path))

    def mode(self, path: str) -> str:
        return self.files[path].mode if path in self.files else "100644"


def _inspector(find_secret: Callable[[str], str | None], base: _Base, kept: Collection[str]) -> Inspect:
    """Refuse added secrets; those a changed line had before may stay in ``kept`` files."""

    def inspect(path: str, text: str) -> None:
        if path in kept:
            for secret in base.originals(source_text(base.read(path))).values():
                text = text.replace(secret, "")
        if (name := find_secret(text)) is not None:
            raise Refused(
                f"{path}: the fix adds a secret ({name}). Read it from the configuration instead.",
                rule="secret",
            )

    return inspect


def _change(
    edits: Sequence[Edit], base: _Base, policy: Policy, find_secret: Callable[[str], str | None]
) -> Change:
    for edit in edits:
        check_mode(edit.path, edit.mode)
    resolved = [_resolve(edit, base) for edit in edits]
    kept = {better.path for edit, better in zip(edits, resolved, strict=True) if edit.search != better.search}
    inspect = _inspector(find_secret, base, kept)
    commands = (base.repository.test, base.repository.setup)
    for edit in resolved:
        for path in filter(None, (edit.path, edit.to)):
            check_path(path, files=base.files, commands=commands)
    changed = apply_edits(resolved, base.read, mode=base.mode, inspect=inspect)
    _check_imports(changed, base)
    before = {file.path: base.read(file.path) for file in changed}
    diff = unified_diff(before, changed)
    notes = dict.fromkeys(
        f"{edit.path}{MEANT}{better.path}"
        for edit, better in zip(edits, resolved, strict=True)
        if edit.path != better.path
    )
    asks = (
        asked_about(resolved)
        + beyond_limits(diff, len(changed), policy)
        + new_powers(changed, before, base.tests)
    )
    return Change(base.commit, base.branch, changed, diff, notes=tuple(notes), asks=asks)


def _check_imports(changed: Sequence[ChangedFile], base: _Base) -> None:
    """Refuse a dependency no manifest names: it may not exist. What a changed one names a person is asked about."""
    repository = base.repository
    asked = [source_text(file.content) for file in changed if names_dependencies(file.path)]
    paths = [*base.files, *(file.path for file in changed)]

    def is_known(name: str) -> bool:
        if is_own(name, paths) or has_name(f"{repository.setup} {repository.test}", name):
            return True
        if any(has_name(text, name) for text in asked):
            return True
        spellings = dict.fromkeys((name, name.replace("_", "-")))
        matches = (
            one for text in spellings for one in base.mirror.search(base.commit, text, ignore_case=True)
        )
        return any(
            has_name(match.text, name) if names_dependencies(match.path) else has_import(match.text, name)
            for match in matches
        )

    for file in changed:
        check_imports(file.path, source_text(base.read(file.path)), source_text(file.content), is_known)


def _resolve(edit: Edit, base: _Base) -> Edit:
    """Return the edit with the paths of the repository that it means."""

    def fits(path: str) -> bool:
        content = base.read(path)
        try:
            return matches(content, restored(edit, content, base.originals).search)
        except Refused:
            return False

    path = _resolved(edit.path, edit.kind, base, fits)
    to = _resolved(edit.to, "create", base, fits) if edit.kind == "rename" else ""
    return restored(replace(edit, path=path, to=to), base.read(path), base.originals)


def _resolved(path: str, kind: EditKind, base: _Base, fits: Callable[[str], bool]) -> str:
    try:
        return resolve(
            path, kind=kind, files=base.files, roots=base.repository.paths, strip=[base.name], fits=fits
        )
    except Refused as refusal:
        if refusal.rule == "path":
            check_protected(path)  # then that is the reason, and a better path is none
        raise
