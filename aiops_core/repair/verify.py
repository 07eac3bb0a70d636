"""Tests before and after a change: run alike, compared by name and number."""

from __future__ import annotations

import re
from typing import NoReturn

from aiops_core.errors import Refused
from aiops_core.records import TestRun
from aiops_core.repair.process import Limits, Result
from aiops_core.repair.results import Results, read_results
from aiops_core.repair.sandbox import Room, Sandbox

_PYTHON_TOOL = re.compile(r"\b(?:pip3?|python3?|poetry|pdm|uv|setup\.py)\b")
_OWN_PYTHON = """\
if python3 -m venv --system-site-packages "$HOME/.venv" >/dev/null 2>&1
then export VIRTUAL_ENV="$HOME/.venv"
else rm -rf "$HOME/.venv"
fi"""
_SHOWN = 10
_TAIL = 3_000
_REASONS = {
    "timeout": "it did not end within {seconds:.0f} s (repository.test_timeout)",
    "output": "it printed more than {printed} MB",
    "processes": "it started more than {processes} processes",
    "memory": "it used more than {memory} GB of memory",
    "disk": "the disk was almost full",
}


def run_tests(command: str, *, room: Room, sandbox: Sandbox, seconds: float) -> TestRun:
    """Run the test command without network and read its results."""
    limits = Limits(seconds=seconds)
    result = sandbox.run(command, room, limits)
    results = read_results(result.output)
    return TestRun(
        command=command,
        exit_code=result.exit_code,
        seconds=result.seconds,
        output=result.output + _said(result, limits),
        tests=results.tests,
        failed=results.failed,
        timed_out=result.stopped == "timeout",
        sandbox=sandbox.name,
    )


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


def compare(before: TestRun, after: TestRun) -> None:
    """Return where nothing newly fails; raise Refused (rule ``tests``) with what does.

    What failed before is not blamed. Fewer tests, more skipped ones, a new time limit and an
    end nobody can explain are failures.
    """
    if after.timed_out:
        _refuse(
            "the tests do not end any more" if not before.timed_out else "the tests still do not end", after
        )
    if before.timed_out:
        if not after.passed:
            _refuse("the tests end now, but fail, and there is no earlier result to compare with", after)
        return
    was, now = read_results(before.output), read_results(after.output)
    _compare_numbers(was, now, before, after)
    if new := newly_failing(before, after):
        _refuse(f"newly failing: {', '.join(new[:_SHOWN])}", after)
    if after.exit_code != 0 and before.exit_code == 0:
        _refuse(f"the test command ended with exit code 0 before and {after.exit_code} now", after)
    if after.exit_code != 0 and was.tests is None:
        _refuse(
            "the test command fails before and after, and does not say which tests", after, "repository.test"
        )
    if after.exit_code not in (0, before.exit_code) and not after.failed:
        _refuse(f"the test command now ends with exit code {after.exit_code} and names no test", after)


def newly_failing(before: TestRun, after: TestRun) -> list[str]:
    """Return the tests that fail after and did not before."""
    return [name for name in after.failed if name not in before.failed]


def _compare_numbers(was: Results, now: Results, before: TestRun, after: TestRun) -> None:
    if was.tests is not None and now.tests is None:
        _refuse(f"{was.tests} tests ran before, and none reports now", after)
    if (now.tests or 0) < (was.tests or 0):
        _refuse(f"{was.tests} tests ran before and only {now.tests} now", after)
    if now.skipped > was.skipped:
        _refuse(f"{was.skipped} tests were skipped before and {now.skipped} now", after)
    if now.bad > was.bad and not newly_failing(before, after):
        _refuse(f"{was.bad} tests failed before and {now.bad} now", after)


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
    )
    return f"\nstopped: {reason}\n"


def _refuse(what: str, after: TestRun, setting: str = "") -> NoReturn:
    raise Refused(
        f"tests: {what}. Propose a fix that keeps every test passing.\n{tail(after.output)}",
        rule="tests",
        setting=setting,
    )
