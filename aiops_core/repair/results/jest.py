"""What Jest prints, with ``--verbose`` and without."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiops_core.repair.results.record import Results, counted

_END = re.compile(r"^Tests: +((?:\d+ \w+, )*)(\d+) total$", re.MULTILINE)
_FILE = re.compile(r"^(?:PASS|FAIL) +(?:\S+ )*?(\S+\.\w+)(?: \([\d.]+ m?s\))?$")
_HEADLINE = re.compile(r"^  ● (.+)$")
_LINE = re.compile(r"^((?:  )+)(?:([✓√✕×○✎]) )?(\S.*?)(?: \([\d.]+ m?s\))?$")
_NO_TEST = ("Console",)


def read(output: str) -> Results | None:
    """Return the results, None where Jest did not run."""
    ends = _END.findall(output)
    if not ends:
        return None
    facts = [_fact(fact) for end, _ in ends for fact in end.split(", ") if fact]
    told = list(_told(output))
    failed = tuple(dict.fromkeys(name for mark, name in told if mark in "✕×"))
    passed = tuple(dict.fromkeys(name for mark, name in told if mark in "✓√"))
    tests = sum(int(total) for _, total in ends)
    return Results(tests, failed, counted(facts, "skipped", "todo"), counted(facts, "failed"), passed)


def _fact(text: str) -> tuple[str, int]:
    number, _, name = text.partition(" ")
    return name, int(number)


def _told(output: str) -> Iterator[tuple[str, str]]:
    """Yield mark and name of every test told: in the tree below a file, or by a failure's headline."""
    file, groups, in_tree = "", list[str](), False
    for line in output.split("\n"):
        if match := _FILE.match(line):
            file, groups, in_tree = match[1], [], True
        elif file and (match := _HEADLINE.match(line)):
            in_tree = False
            if match[1] not in _NO_TEST:
                yield "✕", f"{file} › {match[1]}"
        elif in_tree and (match := _LINE.match(line)):
            depth = len(match[1]) // 2 - 1
            groups[depth:] = [match[3]]
            if match[2]:
                yield match[2], f"{file} › {' › '.join(groups)}"
        else:
            in_tree = False
