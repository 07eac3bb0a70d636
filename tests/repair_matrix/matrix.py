"""Run every answer of every case, on as many processes as there are processors."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from shutil import which

from repair_matrix.cases import Case
from repair_matrix.guards import GUARDS, changed_by, guard_named, switched_off
from repair_matrix.judge import Verdict
from repair_matrix.scene import BENCHES
from repair_matrix.trial import Observed, run_trial

_FORGES = tuple(BENCHES)


def run_matrix(
    cases: Sequence[Case],
    *,
    jobs: int,
    only: str = "*",
    done: Callable[[Verdict], None] = lambda verdict: None,
) -> list[Verdict]:
    """Return the verdicts of all answers whose ``case/answer`` fits ``only``, in their order."""
    named = [(case, answer) for case in cases for answer in case.file.answers]
    wanted = [Trial(case, answer) for case, answer in named if fnmatch(f"{case.name}/{answer}", only)]
    return run_trials(wanted, jobs, done)


def run_without_guards(
    cases: Sequence[Case],
    *,
    jobs: int,
    only: str = "*",
    done: Callable[[Verdict], None] = lambda verdict: None,
) -> list[Verdict]:
    """Return the verdicts of the answers each guard is there for, with that guard switched off."""
    wanted = [
        Trial(changed_by(guard, case), answer, guard.name)
        for guard in GUARDS
        for case in cases
        for answer in case.file.answers
        if any(fnmatch(answer, one) for one in guard.answers) and fnmatch(f"{case.name}/{answer}", only)
    ]
    return run_trials(wanted, jobs, done)


@dataclass(frozen=True)
class Trial:
    """One answer of a case, with or without a guard."""

    case: Case
    answer: str
    without: str = ""

    def judged(self, scratch: Path) -> Verdict:
        """Run it; the forge is chosen by its name, so that both get as many."""
        forge = _FORGES[zlib.crc32(f"{self.case.name}/{self.answer}".encode()) % len(_FORGES)]
        try:
            with switched_off(guard_named(self.without)) if self.without else nullcontext():
                observed = run_trial(self.case, self.answer, forge=forge, templates=scratch)
        except Exception as error:  # noqa: BLE001 told as a trial that failed
            said = f"the trial failed: {type(error).__name__}: {error}"
            observed = Observed("blocked", "harness", damage=(said,))
        expected = self.case.file.answers[self.answer]
        return Verdict(self.case.name, self.answer, forge, expected, observed, self.without)


def is_possible(case: Case) -> bool:
    """Return whether the programs the case needs are installed."""
    return all(which(program) for program in case.file.requires)


def run_trials(wanted: Sequence[Trial], jobs: int, done: Callable[[Verdict], None]) -> list[Verdict]:
    """Run trials, as many at a time, and return their verdicts in order."""
    with tempfile.TemporaryDirectory(prefix="repair-matrix-") as scratch:
        found = dict(_verdicts(wanted, Path(scratch), jobs, done))
    return [found[number] for number in range(len(wanted))]


def _verdicts(
    wanted: Sequence[Trial], scratch: Path, jobs: int, done: Callable[[Verdict], None]
) -> Iterator[tuple[int, Verdict]]:
    with ProcessPoolExecutor(jobs, initializer=_own_scratch, initargs=(scratch,)) as pool:
        running = {pool.submit(_judge_here, trial): number for number, trial in enumerate(wanted)}
        for future in as_completed(running):
            done(future.result())
            yield running[future], future.result()


_place: list[Path] = []


def _own_scratch(scratch: Path) -> None:
    """Give this process a directory of its own for the repositories of cases."""
    _place.append(Path(tempfile.mkdtemp(prefix="worker-", dir=scratch)))


def _judge_here(trial: Trial) -> Verdict:
    return trial.judged(_place[0])
