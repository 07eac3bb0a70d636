"""The Test Anything Protocol, with the subtests of its version 14."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from aiops_core.repair.results.record import Results, named

_HEAD = re.compile(r"^TAP version \d+|^1\.\.\d+", re.MULTILINE)
_LINE = re.compile(
    r"^( *)(?:(not )?ok\b *(\d*)(?: +- +| +|$)(.*?)(?:\s*(?<!\\)#\s*((?i:skip|todo))\b.*)?|# Subtest: (.+)|1\.\.(\d+).*)$"
)
_BAIL = re.compile(r"^Bail out!", re.MULTILINE | re.IGNORECASE)


class _Point(NamedTuple):
    depth: int
    name: str
    outcome: str


def read(output: str) -> Results | None:
    """Return the results, None where the output is none of TAP.

    Only the innermost tests count. What the plan promised and nothing told is a failure.
    """
    if not _HEAD.search(output):
        return None
    points, missing = _points(output)
    if not points and not missing:
        return None
    outcomes = dict(_innermost(points))
    results = named(outcomes)
    return replace(results, bad=results.bad + missing + len(_BAIL.findall(output)))


def _points(output: str) -> tuple[list[_Point], int]:
    points: list[_Point] = []
    parents: dict[int, str] = {}
    planned = 0
    for match in filter(None, map(_LINE.match, _without_diagnostics(output))):
        indent, failed, number, text, directive, subtest, plan = match.groups()
        depth = len(indent)
        if subtest is not None:
            parents = {level: name for level, name in parents.items() if level < depth} | {depth: subtest}
        elif plan is not None:
            planned += int(plan) if not depth else 0
        else:
            path = [name for level, name in sorted(parents.items()) if level < depth]
            outcome = "skip" if directive else "fail" if failed else "pass"
            points.append(_Point(depth, " > ".join([*path, text or number]), outcome))
    return points, max(planned - sum(point.depth == 0 for point in points), 0)


def _without_diagnostics(output: str) -> Iterator[str]:
    """Yield the lines outside YAML blocks, which may quote anything."""
    inside = False
    for line in output.split("\n"):
        word = line.strip()
        if inside or (word == "---" and line != word):
            inside = word != "..."
        else:
            yield line


def _innermost(points: list[_Point]) -> Iterator[tuple[str, str]]:
    """Yield the points without their parents, which follow them; names that repeat are numbered."""
    seen: dict[str, int] = {}
    deepest = 0
    for depth, name, outcome in points:
        if deepest <= depth:
            seen[name] = seen.get(name, 0) + 1
            yield (name if seen[name] == 1 else f"{name} ({seen[name]})"), outcome
        deepest = depth
