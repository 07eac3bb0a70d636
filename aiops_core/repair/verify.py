"""Tests before and after a change: run alike, compared test by test and by number."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NoReturn

from msgspec import Struct

from aiops_core.errors import Refused
from aiops_core.records import TestRun
from aiops_core.repair.altered import altered, traces
from aiops_core.repair.process import Limits, Result
from aiops_core.repair.reports import moment, reports_since
from aiops_core.repair.results import Results, failures, number_of_tests, read_results
from aiops_core.repair.sandbox import Room, Sandbox
from aiops_core.text.phrases import counted

_PYTHON_TOOL = re.compile(r"\b(?:pip3?|python3?|poetry|pdm|uv|setup\.py)\b")
_OWN_PYTHON = """\
if python3 -m venv --system-site-packages "$HOME/.venv" >/dev/null 2>&1
then export VIRTUAL_ENV="$HOME/.venv"
else rm -rf "$HOME/.venv"
fi"""
_NAME_ALL = 'export PYTEST_ADDOPTS="-rap $PYTEST_ADDOPTS"'
_SHOWN = 10
_TAIL = 3_000
_REASONS = {
    "timeout": "it did not end within {seconds:.0f} s (repository.test_timeout)",
    "output": "it printed more than {printed} MB",
    "processes": "it started more than {processes} processes",
    "memory": "it used more than {memory} GB of memory",
    "written": "it left more than {written} GB on the disk",
    "disk": "the disk was almost full",
}


class Checked(Struct, frozen=True):
    """One run of the tests, and its results by the format they were told in."""

    run: TestRun
    results: Mapping[str, Results]
    reports: tuple[str, ...] = ()
    """JUnit files the run wrote."""
    altered: tuple[str, ...] = ()
    """Test files the run itself changed or removed."""

    @property
    def said(self) -> str:
        """All that the run told, in print and in files."""
        return "\n".join((self.run.output, *self.reports))


def run_tests(
    command: str, *, room: Room, sandbox: Sandbox, seconds: float, tests: Collection[str] = ()
) -> Checked:
    """Run the test command without network and read its results; pytest is asked to name all tests.

    ``tests`` are the paths of test files, which the run had better leave alone.
    """
    limits = Limits(seconds=seconds)
    start, untouched = moment(room.work), traces(room.work, tests)
    result = sandbox.run(f"{_NAME_ALL}\n{command}", room, limits)
    reports = reports_since(start, room.work)
    results = read_results(result.output, reports)
    run = TestRun(
        command=command,
        exit_code=result.exit_code,
        seconds=result.seconds,
        output=result.output + _said(result, limits),
        tests=number_of_tests(results),
        failed=failures(results),
        timed_out=result.stopped == "timeout",
        sandbox=sandbox.name,
    )
    return Checked(run, results, reports, altered(untouched, traces(room.work, tests)))


def run_setup(command: str, *, room: Room, sandbox: Sandbox, seconds: float) -> None:
    """Run the setup command with network; raise Refused (rule ``setup``) when it fails.

    A command that uses Python's tools gets a virtual environment in its home, first on PATH in
    the tests too: nothing is installed into this program's or the system's Python.
    """
    limits = Limits(seconds=seconds, processes=2048)
    script = f"{_OWN_PYTHON}\n{command}" if _PYTHON_TOOL.search(command) else command
    result = sandbox.run(script, room, limits, network=True)
    if result.exit_code != 0:
        raise Refused(
            f"repository.setup: the command ended with exit code {result.exit_code} on the base commit. "
            f"Make it work there.\n{tail(result.output + _said(result, limits))}",
            rule="setup",
            setting="repository.setup",
        )


def compare(before: Checked, after: Checked, unsteady: Collection[str] = ()) -> None:
    """Return where nothing is worse; raise Refused (rule ``tests``) with what is.

    What failed before is not blamed, nor what is ``unsteady``. Fewer tests, more skipped ones, a
    new time limit and an end nobody can explain are failures.
    """
    was, now = before.run, after.run
    if now.timed_out:
        _refuse("the tests do not end any more" if not was.timed_out else "the tests still do not end", now)
    if rewritten := [path for path in after.altered if path not in before.altered]:
        raise Refused(
            f"tests: {', '.join(rewritten[:_SHOWN])} changed or vanished while the tests ran. "
            "Propose a fix that leaves the tests alone.",
            rule="tests-weakened",
        )
    if was.timed_out:
        if not now.passed:
            _refuse("the tests end now, but fail, and there is no earlier result to compare with", now)
        return
    for name, results in before.results.items():
        _compare_numbers(results, after.results.get(name, Results()), unsteady, now)
    if new := [name for name in newly_failing(before, after) if name not in unsteady]:
        _refuse(f"newly failing: {', '.join(new[:_SHOWN])}", now)
    if gone := [name for name in missing(before, after) if name not in unsteady]:
        _refuse(f"passed before and are not run now: {', '.join(gone[:_SHOWN])}", now)
    _compare_endings(before, after, unsteady)


def worse(before: Checked, after: Checked) -> list[str]:
    """Return the tests that newly fail or are not run any more."""
    return [*newly_failing(before, after), *missing(before, after)]


def newly_failing(before: Checked, after: Checked) -> list[str]:
    """Return the tests that fail after and did not before."""
    return [name for name in after.run.failed if name not in before.run.failed]


def missing(before: Checked, after: Checked) -> list[str]:
    """Return the tests that passed before and are not told of after, where all are told by name."""
    gone: list[str] = []
    for name, was in before.results.items():
        now = after.results.get(name)
        if now is not None and was.is_complete and now.is_complete:
            there = {*now.passed, *now.failed}
            gone += [test for test in was.passed if test not in there]
    return gone


def _compare_numbers(was: Results, now: Results, unsteady: Collection[str], run: TestRun) -> None:
    if was.tests is not None and now.tests is None:
        _refuse(f"{counted(was.tests, 'test')} ran before, and none reports now", run)
    if (now.tests or 0) < (was.tests or 0):
        _refuse(f"{counted(was.tests or 0, 'test')} ran before and only {now.tests} now", run)
    if now.skipped > was.skipped:
        _refuse(f"{counted(was.skipped, 'test')} skipped before, {now.skipped} now", run)
    known = {*was.failed, *unsteady}
    if now.bad - sum(name in unsteady for name in now.failed) > was.bad and known.issuperset(now.failed):
        _refuse(f"{counted(was.bad, 'test')} failed before and {now.bad} now", run)


def _compare_endings(before: Checked, after: Checked, unsteady: Collection[str]) -> None:
    was, now = before.run, after.run
    if now.exit_code != 0 and any(name in unsteady for name in now.failed):
        return  # they explain it, and nothing else is worse
    if now.exit_code != 0 and was.exit_code == 0:
        _refuse(f"the test command ended with exit code 0 before and {now.exit_code} now", now)
    if now.exit_code != 0 and was.tests is None:
        _refuse(
            "the test command fails before and after, and does not say which tests", now, "repository.test"
        )
    if now.exit_code not in (0, was.exit_code) and not now.failed:
        _refuse(f"the test command now ends with exit code {now.exit_code} and names no test", now)


def tail(output: str) -> str:
    """Return the end of an output, as much as feedback needs."""
    return output if len(output) <= _TAIL else f"[…]\n{output[-_TAIL:]}"


def _said(result: Result, limits: Limits) -> str:
    if not result.stopped:
        return ""
    reason = _REASONS[result.stopped].format(
        seconds=limits.seconds,
        printed=limits.printed >> 20,
        processes=limits.processes,
        memory=limits.memory >> 30,
        written=limits.written >> 30,
    )
    return f"\nstopped: {reason}\n"


def _refuse(what: str, after: TestRun, setting: str = "") -> NoReturn:
    raise Refused(
        f"tests: {what}. Propose a fix that keeps every test passing.\n{tail(after.output)}",
        rule="tests",
        setting=setting,
    )
