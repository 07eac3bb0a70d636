"""``make repair-matrix``: run scripted answers through the repair and say what came of them."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from pathlib import Path

from repair_matrix.cases import Case, read_cases
from repair_matrix.generate import own_cases, write_cases
from repair_matrix.guards import GUARDS
from repair_matrix.judge import Verdict
from repair_matrix.matrix import is_possible, run_matrix, run_without_guards
from repair_matrix.report import guards_text, report_json, report_text, untested

from aiops_core.errors import UserError


def main() -> int:
    """Return 0 where all is as expected, 1 where it is not, 2 for cases that cannot be read."""
    arguments = _arguments()
    logging.disable(logging.CRITICAL)
    try:
        if arguments.write:
            write_cases(arguments.write)
            return 0
        cases = read_cases(arguments.cases, _note) if arguments.cases else own_cases()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.guards:
        return _guards(_possible(cases), arguments)
    start = time.monotonic()
    verdicts = run_matrix(_possible(cases), jobs=arguments.jobs, only=arguments.only, done=_tell)
    seconds = time.monotonic() - start
    if not verdicts:
        print(f"{arguments.only}: no case has an answer of that name", file=sys.stderr)
        return 2
    print((report_json if arguments.json else report_text)(verdicts, seconds))
    return int(any(one.problems for one in verdicts))


def _guards(cases: list[Case], arguments: argparse.Namespace) -> int:
    """Return 1 where a guard is untested."""
    only = f"{cases[0].name}/*" if arguments.only == "*" else arguments.only
    if arguments.only == "*" and arguments.cases is None:
        only = "cart-missing-count/*"
    verdicts = run_without_guards(cases, jobs=arguments.jobs, only=only, done=_tell_without)
    if not verdicts:
        told = f"{only}: no answer here has a name that belongs to a guard. tests/repair_matrix/guards.py has them"
        print(told, file=sys.stderr)
        return 2
    print(guards_text(verdicts))
    tried = {one.without for one in verdicts}
    left = [guard.name for guard in GUARDS if guard.name not in tried and arguments.only == "*"]
    if left:
        print(f"UNTESTED, no answer is there for them: {', '.join(left)}")
    return int(bool(untested(verdicts) or left))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make repair-matrix", description=__doc__)
    parser.add_argument("--cases", type=Path, help="folder of cases; the project's own when not given")
    parser.add_argument("--write", type=Path, help="folder to write the project's made cases to, and no more")
    parser.add_argument("--only", default="*", help="CASE/ANSWER to run, with * and ?")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--guards", action="store_true", help="switch each guard off instead")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _note(text: str) -> None:
    print(text, file=sys.stderr)


def _possible(cases: list[Case]) -> list[Case]:
    for case in cases:
        if not is_possible(case):
            print(f"{case.name}: left out, it needs {', '.join(case.file.requires)}", file=sys.stderr)
    return [case for case in cases if is_possible(case)]


def _tell(verdict: Verdict) -> None:
    if verdict.problems or sys.stderr.isatty():
        mark = "✗" if verdict.problems else "·"
        print(f"{mark} {verdict.case}/{verdict.answer}: {verdict.observed.outcome}", file=sys.stderr)


def _tell_without(verdict: Verdict) -> None:
    mark = "escapes" if verdict.is_escape else verdict.observed.reason or verdict.observed.outcome
    print(f"without {verdict.without}: {verdict.answer} {mark}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
