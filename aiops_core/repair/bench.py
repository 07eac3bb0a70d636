"""Where a change is proven: its tests run on the base commit and on a patched copy of it, alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.plain import from_text, to_text
from aiops_core.records import Change, ChangedFile, Incident, TestRun
from aiops_core.repair.asking import names_dependencies
from aiops_core.repair.ground import Ground
from aiops_core.repair.layout import is_test
from aiops_core.repair.reproducing import UNREPRODUCED, new_tests, refuse_unmended, reproducing
from aiops_core.repair.sandbox import Room, Sandbox
from aiops_core.repair.verify import Checked, compare, run_setup, run_tests, worse
from aiops_core.repair.workspace import copy_tree, make_work_clone, remove_tree, write_files
from aiops_core.repository import Mirror
from aiops_core.settings import Repository
from aiops_core.text.phrases import counted

UNTRIED = "not verified: the tests ran without the change of {}, with the dependencies of the base commit"


class Bench(Struct, frozen=True):
    """The base commit, set up once, as it was for every run of the tests."""

    mirror: Mirror
    commit: str
    repository: Repository
    sandbox: Sandbox
    ground: Ground
    """Where the tests run when there is no setup, whose products nobody but it can make."""
    scratch: Path
    log: Callable[[str], None]
    incident: Incident | None
    fork: str = ""
    """Where the branch that the change is a further commit of left its base."""

    def verify(self, change: Change) -> Change:
        """Return the change with its test runs; raise Refused where anything is worse with it.

        Tests that it adds are left out of one run: they may not cover up what the others find. Files that
        name dependencies are left out of all: what is installed is what the base commit asks for.
        """
        tested = [file for file in change.files if not names_dependencies(file.path)]
        before, added = self._baseline(), new_tests(tested, self.mirror.files(self.commit))
        rest = [file for file in tested if file not in added]
        unsteady: dict[str, None] = {}
        when = "after the change, but for its tests" if added else "after the change"
        before, alone = self._compared(when, before, rest, unsteady)
        refuse_unmended(before, alone, None if self.fork else self.incident)
        without, after = before, alone
        if added:
            before, after = self._compared("after the change", before, tested, unsteady)
            without = before if self.fork else self._run("without the change", added)
        if self.fork:
            without = self._run("without the fix", self._unfixed(added))
        shown = reproducing(without, after, self.incident)
        shown = tuple(name for name in shown if name not in unsteady and name not in alone.run.failed)
        notes = [f"{name} is unsteady: run again, it ended otherwise" for name in unsteady]
        notes += [UNTRIED.format(file.path) for file in change.files if file not in tested]
        is_steady = all(name in before.run.failed for name in unsteady)
        return replace(
            change,
            before=before.run,
            after=after.run,
            notes=(*change.notes, *notes, *(() if shown else (UNREPRODUCED,))),
            may_reach=change.may_reach if is_steady and shown else "draft",
            reproduced_by=shown,
        )

    def _compared(
        self, when: str, before: Checked, files: Sequence[ChangedFile], unsteady: dict[str, None]
    ) -> tuple[Checked, Checked]:
        """Return the runs without and with the files, none of which is worse; name what is unsteady."""
        after = self._run(when, files)
        if worse(before, after) and not after.run.timed_out:
            before, after, found = self._again(when, before, after, files)
            unsteady.update(dict.fromkeys(found))
        compare(before, after, unsteady)
        return before, after

    def _unfixed(self, added: Sequence[ChangedFile]) -> list[ChangedFile]:
        """Return the files that undo the branch since its fork, but for tests and what is installed."""
        now, then = self.mirror.files(self.commit), self.mirror.files(self.fork)
        differing = sorted(path for path in {*now, *then} if now.get(path) != then.get(path))
        undone = [
            ChangedFile(
                path, self.mirror.read(self.fork, path), then[path].mode if path in then else "100644"
            )
            for path in differing
            if not is_test(path) and not names_dependencies(path)
        ]
        return [*undone, *added]

    def clear(self) -> None:
        """Remove the last copy; the base stays for a later round."""
        remove_tree(self._run_root)

    @property
    def _base_root(self) -> Path:
        facts = [self.commit, self.repository.setup, self.repository.test, self.sandbox.name]
        digest = hashlib.blake2b("\0".join(facts).encode(), digest_size=6).hexdigest()
        return self.scratch / f"base-{digest}"

    @property
    def _run_root(self) -> Path:
        return self.scratch / "run"

    def _baseline(self) -> Checked:
        """Return how the tests end on the base commit, from an earlier round where there was one."""
        record = self._base_root / "before.json"
        if record.is_file():
            return from_text(Checked, record.read_text())
        self._prepare()
        before = self._run("before the change", ())
        record.write_text(to_text(before))
        return before

    def _prepare(self) -> None:
        """Keep what the setup made of the base commit."""
        for old in (*self.scratch.glob("base-*"), self._run_root):
            remove_tree(old)
        if self.repository.setup:
            room = self._checked_out()
            self.log("setup on the base commit, with network")
            run_setup(self.repository.setup, room=room, sandbox=self.sandbox, seconds=self._seconds)
            self._run_root.rename(self._base_root)
        self._base_root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _checked_out(self) -> Room:
        room = Room(self._run_root / "work", self._run_root / "home")
        room.home.mkdir(parents=True, mode=0o700)
        make_work_clone(self.mirror, self.commit, room.work)
        return room

    def _renewed(self) -> Room:
        room = Room(self.ground.renew(), self._run_root / "home")
        room.home.mkdir(parents=True, mode=0o700)
        return room

    def _copied(self) -> Room:
        copy_tree(self._base_root, self._run_root)
        return Room(self._run_root / "work", self._run_root / "home")

    def _run(self, when: str, files: Sequence[ChangedFile]) -> Checked:
        """Run the tests on the base as it was, always at the same place, as tools remember where they are."""
        remove_tree(self._run_root)
        room = self._copied() if self.repository.setup else self._renewed()
        write_files(room.work, files)
        self.log(f"tests {when}: {self.repository.test}")
        paths = (*self.mirror.files(self.commit), *(file.path for file in files))
        tests = [path for path in paths if is_test(path)]
        command, sandbox = self.repository.test, self.sandbox
        checked = run_tests(command, room=room, sandbox=sandbox, seconds=self._seconds, tests=tests)
        self.log(f"tests {when}: {_ending(checked.run)} in {checked.run.seconds:.1f} s")
        return checked

    def _again(
        self, when: str, before: Checked, after: Checked, files: Sequence[ChangedFile]
    ) -> tuple[Checked, Checked, tuple[str, ...]]:
        """Run the patched tree, and if need be the base, once more; what ends otherwise is unsteady.

        Return the base with what failed in either run, the second run of the patched tree, and
        the names of the unsteady tests.
        """
        suspects = worse(before, after)
        self.log(f"newly failing: {', '.join(suspects[:5])}; is it the change's fault?")
        again = self._run(when, files)
        if again.run.timed_out or (again.run.tests or 0) < (after.run.tests or 0):
            return before, after, ()
        worse_again = worse(before, again)
        blamed = set(suspects).intersection(worse_again)
        if blamed:
            base = self._run("before the change", ())
            blamed.difference_update(worse(before, base))
            failed = dict.fromkeys((*before.run.failed, *base.run.failed))
            before = replace(before, run=replace(before.run, failed=tuple(failed)))
        names = dict.fromkeys((*suspects, *worse_again))
        return before, again, tuple(name for name in names if name not in blamed)

    @property
    def _seconds(self) -> float:
        return self.repository.test_timeout.total_seconds()


def _ending(run: TestRun) -> str:
    if run.timed_out:
        return "stopped at the time limit"
    tests = "" if run.tests is None else f"{counted(run.tests, 'test')}, {len(run.failed)} failing, "
    return f"{tests}exit code {run.exit_code}"
