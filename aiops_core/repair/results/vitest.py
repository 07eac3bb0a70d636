"""What Vitest prints."""

from __future__ import annotations

import re

from aiops_core.repair.results.record import Results, counted

_END = re.compile(r"^ +Tests  (.+?) \((\d+)\)$", re.MULTILINE)
_FAILED = re.compile(r"^ ?FAIL  (\S.*?)(?: \[ .* \])?$", re.MULTILINE)
_PASSED = re.compile(r"^ ✓ (\S+ > .+?)(?: \d+m?s)?$", re.MULTILINE)


def read(output: str) -> Results | None:
    """Return the results, None where Vitest did not run; its verbose reporter names those that passed."""
    ends = _END.findall(output)
    if not ends:
        return None
    facts = [_fact(fact) for end, _ in ends for fact in end.split(" | ")]
    failed = tuple(dict.fromkeys(_FAILED.findall(output)))
    passed = tuple(dict.fromkeys(_PASSED.findall(output)))
    tests = sum(int(total) for _, total in ends)
    return Results(tests, failed, counted(facts, "skipped", "todo"), counted(facts, "failed"), passed)


def _fact(text: str) -> tuple[str, int]:
    number, _, name = text.partition(" ")
    return name, int(number) if number.isdigit() else 0
