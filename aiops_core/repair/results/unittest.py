"""What Python's unittest prints."""

from __future__ import annotations

import re

from aiops_core.repair.results.record import Results, counted

_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_END = re.compile(r"^(?:OK|FAILED|NO TESTS RAN)(?: \(([^)\n]*)\))?\s*$", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (.+?)\s*$", re.MULTILINE)
_PASSED = re.compile(r"^(\w+ \([\w.<>]+\))(?:\n[^\n]*)? \.\.\. ok$", re.MULTILINE)
_METHOD = re.compile(r"^(\w+) \(([\w.<>]+)\)")
_SKIPPED = ("skipped", "expected failures")
_BAD = ("failures", "errors", "unexpected successes")


def read(output: str) -> Results | None:
    """Return the results, None where unittest did not run; ``-v`` names those that passed."""
    ran = [int(number) for number in _RAN.findall(output)]
    if not ran:
        return None
    facts = [_fact(fact) for end in _END.findall(output) for fact in end.split(", ") if "=" in fact]
    failed = tuple(dict.fromkeys(map(_name, _FAILED.findall(output))))
    passed = dict.fromkeys(map(_name, _PASSED.findall(output)))
    return Results(
        sum(ran),
        failed,
        counted(facts, *_SKIPPED),
        counted(facts, *_BAD),
        tuple(name for name in passed if name not in failed),
    )


def _fact(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    return name.strip(), int(number) if number.strip().isdigit() else 0


def _name(text: str) -> str:
    """Return ``module.Class.test`` from both spellings unittest has had; subtests count as their test."""
    match = _METHOD.match(text)
    if match is None:
        return text
    method, place = match.groups()
    return place if place.endswith(f".{method}") else f"{place}.{method}"
