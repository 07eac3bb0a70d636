"""The whole structured repair: edits become a Change that passed policy and tests, or a refusal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from aiops_core.errors import Refused
from aiops_core.records import Change, ChangedFile, Edit, Incident, TestRun
from aiops_core.repair.diff import count_lines, source_text, unified_diff
from aiops_core.repair.edits import Inspect, apply_edits, matches
from aiops_core.repair.imports import check_imports, has_import, has_name, is_own
from aiops_core.repair.paths import Manifest, resolve
from aiops_core.repair.protected import check_mode, check_path, names_dependencies
from aiops_core.repair.reproducing import UNREPRODUCED, new_tests, refuse_unmended, reproducing
from aiops_core.repair.restoring import Originals, restored
from aiops_core.repair.sandbox import Room, Sandbox, open_sandbox
from aiops_core.repair.verify import Checked, compare, run_setup, run_tests, worse
from aiops_core.repair.workspace import copy_tree, make_work_clone, remove_tree, write_files
from aiops_core.repository import Mirror
from aiops_core.settings import Policy, Repository

UNVERIFIED = "not verified: repository.test is not set"
NOT_THE_EDITS_FAULT = frozenset({"sandbox", "setup", "workspace", "fixed-not-deployed"})
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
) -> Change:
    """Return the change the edits make to the base branch, tested where tests are set.

    ``commit`` is where the analysis saw the code, by default the head of the branch. ``scratch`` is
    a directory of this repair alone: a later round on the same commit finds the setup and the tests
    of the base there. ``log`` is told each step. ``find_secret`` names the rule by which added text
    holds a secret; ``originals`` says what the placeholders in a redacted text stand for. A fix that
    no test proves to mend ``incident`` is a draft. Raise Refused, whose text says to whoever proposed
    the edits what to do better, and GitError where the repository is out of reach.
    """
    branch = repository.branch or mirror.default_branch()
    base = _Base(mirror, commit or mirror.head(branch), branch, repository, originals)
    change = _change(edits, base, policy, find_secret)
    added, removed = count_lines(change.diff)
    log(f"the fix changes {', '.join(file.path for file in change.files)} (+{added} −{removed})")
    if not repository.test:
        return replace(change, notes=(*change.notes, UNVERIFIED))
    bench = _Bench(base, open_sandbox(repository.sandbox), scratch, log, incident)
    try:
        return bench.verify(change)
    finally:
        bench.clear()


@dataclass(frozen=True, slots=True)
class _Base:
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
            check_path(path, kind=edit.kind, files=base.files, commands=commands)
    changed = apply_edits(resolved, base.read, mode=base.mode, policy=policy, inspect=inspect)
    _check_imports(changed, base)
    diff = unified_diff({file.path: base.read(file.path) for file in changed}, changed)
    notes = dict.fromkeys(
        f"{edit.path} was taken to mean {better.path}"
        for edit, better in zip(edits, resolved, strict=True)
        if edit.path != better.path
    )
    return Change(base.commit, base.branch, changed, diff, notes=tuple(notes))


def _check_imports(changed: Sequence[ChangedFile], base: _Base) -> None:
    """Refuse a new dependency: nobody has approved it, and it may not exist."""
    repository = base.repository
    paths = [*base.files, *(file.path for file in changed)]

    def is_known(name: str) -> bool:
        if is_own(name, paths) or has_name(f"{repository.setup} {repository.test}", name):
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

    roots, strip, files = base.repository.paths, [base.name], base.files
    path = resolve(edit.path, kind=edit.kind, files=files, roots=roots, strip=strip, fits=fits)
    to = ""
    if edit.kind == "rename":
        to = resolve(edit.to, kind="create", files=files, roots=roots, strip=strip)
    return restored(replace(edit, path=path, to=to), base.read(path), base.originals)


@dataclass(frozen=True, slots=True)
class _Bench:
    """The base commit set up once, and a fresh copy of it for every run of the tests."""

    base: _Base
    sandbox: Sandbox
    scratch: Path
    log: Callable[[str], None]
    incident: Incident | None

    def verify(self, change: Change) -> Change:
        before, after = self._baseline(), self._run("after", change.files)
        unsteady: tuple[str, ...] = ()
        if worse(before, after) and not after.run.timed_out:
            before, after, unsteady = self._again(before, after, change.files)
        compare(before, after, unsteady)
        refuse_unmended(before, after, self.incident)
        notes = (*change.notes, *(f"{name} is unsteady: run again, it ended otherwise" for name in unsteady))
        steady = all(name in before.run.failed for name in unsteady)
        shown = tuple(
            name for name in self._reproduced_by(before, after, change.files) if name not in unsteady
        )
        notes += () if shown else (UNREPRODUCED,)
        reach = change.may_reach if steady and shown else "draft"
        runs = replace(change, before=before.run, after=after.run)
        return replace(runs, notes=notes, may_reach=reach, reproduced_by=shown)

    def _reproduced_by(
        self, before: Checked, after: Checked, files: Sequence[ChangedFile]
    ) -> tuple[str, ...]:
        """Return the tests that show the problem; new ones run on the base commit first."""
        added = new_tests(files, self.base.files)
        without = self._run("without", added) if added else before
        return reproducing(without, after, self.incident)

    def clear(self) -> None:
        remove_tree(self._run_root)

    @property
    def _base_root(self) -> Path:
        facts = [self.base.commit, self.base.repository.setup, self.base.repository.test, self.sandbox.name]
        digest = hashlib.blake2b("\0".join(facts).encode(), digest_size=6).hexdigest()
        return self.scratch / f"base-{digest}"

    @property
    def _run_root(self) -> Path:
        return self.scratch / "run"

    def _baseline(self) -> Checked:
        """Return how the tests end on the base commit, from an earlier round where there was one."""
        record = self._base_root / "before.json"
        if record.is_file():
            return _checked_type().validate_json(record.read_bytes())
        self._prepare()
        before = self._run("before", ())
        record.write_bytes(_checked_type().dump_json(before))
        return before

    def _prepare(self) -> None:
        """Keep what the setup made of the base commit; without one, its files are as quickly made anew."""
        for old in (*self.scratch.glob("base-*"), self._run_root):
            remove_tree(old)
        if self.base.repository.setup:
            room = self._checked_out()
            self.log("setup on the base commit, with network")
            run_setup(self.base.repository.setup, room=room, sandbox=self.sandbox, seconds=self._seconds)
            self._run_root.rename(self._base_root)
        self._base_root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _checked_out(self) -> Room:
        room = Room(self._run_root / "work", self._run_root / "home")
        room.home.mkdir(parents=True, mode=0o700)
        make_work_clone(self.base.mirror, self.base.commit, room.work)
        return room

    def _copied(self) -> Room:
        copy_tree(self._base_root, self._run_root)
        return Room(self._run_root / "work", self._run_root / "home")

    def _run(self, when: str, files: Sequence[ChangedFile]) -> Checked:
        """Run the tests in a fresh copy, always at the same place, as tools remember where they are."""
        remove_tree(self._run_root)
        room = self._copied() if self.base.repository.setup else self._checked_out()
        write_files(room.work, files)
        self.log(f"tests {when} the change: {self.base.repository.test}")
        checked = run_tests(self.base.repository.test, room=room, sandbox=self.sandbox, seconds=self._seconds)
        self.log(f"tests {when} the change: {_ending(checked.run)} in {checked.run.seconds:.1f} s")
        return checked

    def _again(
        self, before: Checked, after: Checked, files: Sequence[ChangedFile]
    ) -> tuple[Checked, Checked, tuple[str, ...]]:
        """Run the patched tree, and if need be the base, once more; what ends otherwise is unsteady.

        Return the base with what failed in either run, the second run of the patched tree, and
        the names of the unsteady tests.
        """
        suspects = worse(before, after)
        self.log(f"newly failing: {', '.join(suspects[:5])}; is it the change's fault?")
        again = self._run("after", files)
        if again.run.timed_out or (again.run.tests or 0) < (after.run.tests or 0):
            return before, after, ()
        worse_again = worse(before, again)
        blamed = set(suspects).intersection(worse_again)
        if blamed:
            base = self._run("before", ())
            blamed.difference_update(worse(before, base))
            failed = dict.fromkeys((*before.run.failed, *base.run.failed))
            before = replace(before, run=replace(before.run, failed=tuple(failed)))
        names = dict.fromkeys((*suspects, *worse_again))
        return before, again, tuple(name for name in names if name not in blamed)

    @property
    def _seconds(self) -> float:
        return self.base.repository.test_timeout.total_seconds()


def _ending(run: TestRun) -> str:
    if run.timed_out:
        return "stopped at the time limit"
    tests = "" if run.tests is None else f"{run.tests} tests, {len(run.failed)} failing, "
    return f"{tests}exit code {run.exit_code}"


@cache
def _checked_type() -> TypeAdapter[Checked]:
    return TypeAdapter(Checked)
