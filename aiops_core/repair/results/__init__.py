"""What test runners print and write: how many tests there were, which failed, how many were skipped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aiops_core.repair.results import go, jest, junit, node, pytest, tap, unittest, vitest
from aiops_core.repair.results.record import Results

__all__ = ["Results", "failures", "number_of_tests", "plain", "read_results"]

_READERS = {
    "pytest": pytest.read,
    "unittest": unittest.read,
    "jest": jest.read,
    "vitest": vitest.read,
    "go": go.read,
    "node": node.read,
    "tap": tap.read,
}
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LONGEST_LINE = 4_000


def read_results(output: str, reports: Iterable[str] = ()) -> dict[str, Results]:
    """Return the results by format, several runs of one format added up; empty where nothing is known.

    ``reports`` are the JUnit files the run wrote. They may tell of the same tests as the output.
    """
    text = plain(output)
    lines = "\n".join(line[:_LONGEST_LINE] for line in text.split("\n"))  # patterns meet no endless line
    found = {name: read(lines) for name, read in _READERS.items()}
    found["junit"] = junit.read([*reports, *junit.printed(text)])
    return {name: results for name, results in found.items() if results is not None}


def plain(output: str) -> str:
    """Return what a terminal would show, without colours."""
    return _ANSI.sub("", output.replace("\r\n", "\n"))


def number_of_tests(results: Mapping[str, Results]) -> int | None:
    """Return how many tests there were, None where no runner says; reports repeat what was printed."""
    numbers = {name: found.tests for name, found in results.items() if found.tests is not None}
    reported = numbers.pop("junit", 0)
    return max(reported, sum(numbers.values())) if numbers or "junit" in results else None


def failures(results: Mapping[str, Results]) -> tuple[str, ...]:
    """Return the names of all tests that failed."""
    return tuple(dict.fromkeys(name for found in results.values() for name in found.failed))
