"""What Node's own test runner prints for people, its reporter ``spec``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiops_core.repair.results.record import Results, counted

_COUNT = re.compile(r"^ℹ (tests|pass|fail|cancelled|skipped|todo) (\d+)$", re.MULTILINE)
_LINE = re.compile(r"^((?:  )*)([▶✔✖﹣]) (.+?)(?: \([\d.]+ms\))?(?: # .*)?$")
_AGAIN = "✖ failing tests:"


def read(output: str) -> Results | None:
    """Return the results, None where the runner did not run."""
    facts = [(name, int(number)) for name, number in _COUNT.findall(output)]
    if not any(name == "tests" for name, _ in facts):
        return None
    told = list(_told(output))
    return Results(
        counted(facts, "tests"),
        tuple(dict.fromkeys(name for mark, name in told if mark == "✖")),
        counted(facts, "skipped", "todo"),
        counted(facts, "fail", "cancelled"),
        tuple(dict.fromkeys(name for mark, name in told if mark == "✔")),
    )


def _told(output: str) -> Iterator[tuple[str, str]]:
    """Yield mark and name of the innermost tests; a group is told before them and again after."""
    groups: list[str] = []
    again = False
    for line in output.split("\n"):
        again = (again or line == _AGAIN) and not line.startswith("▶")
        match = None if again else _LINE.match(line)
        if match is None:
            continue
        depth, mark, name = len(match[1]) // 2, match[2], match[3]
        ends_group = len(groups) > depth and groups[depth] == name
        del groups[depth:]
        if mark == "▶" and not ends_group:
            groups.append(name)
        elif not ends_group and "# TODO" not in line:
            yield mark, " > ".join([*groups, name])
