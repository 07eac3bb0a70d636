"""What a test runner printed: how many tests there were, which failed, how many were skipped."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_UNITTEST_END = re.compile(r"^(?:OK|FAILED|NO TESTS RAN)(?: \(([^)\n]*)\))?\s*$", re.MULTILINE)
_UNITTEST_FAILED = re.compile(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (.+?)\s*$", re.MULTILINE)
_METHOD = re.compile(r"^(\w+) \(([\w.<>]+)\)")
_PYTEST_FAILED = re.compile(
    r"^(?:FAILED|ERROR) ((?:[^\s:]+\.py|[^\s:]+)(?:::(?:[^\[\n]+?(?:\[.*?\])?))?)(?: - .*)?$", re.MULTILINE
)
_PYTEST_END = re.compile(r"^(?:=+ )?((?:\d+ \w+|no tests ran)(?:, \d+ \w+)*) in [\d.:]+s?\b.*$", re.MULTILINE)
_SKIPPED = ("skipped", "xfailed", "deselected", "expected failures")
_BAD = ("failed", "error", "errors", "failures", "unexpected successes")
_UNCOUNTED = ("warning", "warnings", "rerun", "deselected", "subtests passed")


@dataclass(frozen=True, slots=True)
class Results:
    """Results of one run; ``tests`` is None where the output says no number."""

    tests: int | None = None
    failed: tuple[str, ...] = ()
    skipped: int = 0
    bad: int = 0
    """How many tests failed, as the runner counts them."""


def read_results(output: str) -> Results:
    """Read what unittest and pytest print; several runs in one output are added up."""
    unittest, pytest = _unittest(output), _pytest(output)
    if unittest is None or pytest is None:
        return unittest or pytest or Results()
    return Results(
        (unittest.tests or 0) + (pytest.tests or 0),
        tuple(dict.fromkeys((*unittest.failed, *pytest.failed))),
        unittest.skipped + pytest.skipped,
        unittest.bad + pytest.bad,
    )


def _unittest(output: str) -> Results | None:
    ran = [int(number) for number in _RAN.findall(output)]
    if not ran:
        return None
    facts = [fact for end in _UNITTEST_END.findall(output) for fact in end.split(", ") if "=" in fact]
    counts = [(name.strip(), int(number)) for name, _, number in (fact.partition("=") for fact in facts)]
    return Results(
        sum(ran),
        tuple(dict.fromkeys(_unittest_name(name) for name in _UNITTEST_FAILED.findall(output))),
        sum(number for name, number in counts if name in _SKIPPED),
        sum(number for name, number in counts if name in _BAD),
    )


def _unittest_name(text: str) -> str:
    """Return ``module.Class.test`` from both spellings unittest has had; subtests count as their test."""
    match = _METHOD.match(text)
    if match is None:
        return text
    method, place = match.groups()
    return place if place.endswith(f".{method}") else f"{place}.{method}"


def _pytest(output: str) -> Results | None:
    ends = _PYTEST_END.findall(output)
    if not ends:
        return None
    counts: list[tuple[str, int]] = []
    for end in ends:
        for fact in end.split(", "):
            number, _, name = fact.partition(" ")
            counts.append((name, int(number) if number.isdigit() else 0))
    return Results(
        sum(number for name, number in counts if name not in _UNCOUNTED),
        tuple(dict.fromkeys(_PYTEST_FAILED.findall(output))),
        sum(number for name, number in counts if name in _SKIPPED),
        sum(number for name, number in counts if name in _BAD),
    )
