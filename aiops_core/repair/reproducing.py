"""Whether tests show the problem itself: they fail without the fix as the error did, and pass with it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aiops_core.errors import Refused
from aiops_core.records import ChangedFile, Frame, Incident
from aiops_core.repair.layout import is_test
from aiops_core.repair.results import plain
from aiops_core.repair.verify import Checked

UNREPRODUCED = (
    "not verified: no test fails without the fix as the logged error did, and passes with it. "
    "A new test that does would prove it"
)
_ABOVE, _BELOW = 40, 30
"""Lines round an exception's name where its frame is told: above in Python, below elsewhere."""
_RULER = re.compile(
    r"\s*(?:[=*-]{8,}|_{8,}|(?:_ ){5,}|(?P<mark>={2,}|_{2,}|-{4}) .* (?P=mark)$"
    r"|--- (?:FAIL|PASS|SKIP)|● |✖ |⎯{5,}|(?:not )?ok \d|<testcase|(?:FAIL|ok  )\t)|.*<<< (?:ERROR|FAILURE)!"
)
"""What runners draw between tests, and between the frames of one."""
_NAME = re.compile(r"[^\W\d]\w*")


def new_tests(files: Sequence[ChangedFile], existing: Iterable[str]) -> list[ChangedFile]:
    """Return the test files that a change adds."""
    there = set(existing)
    return [
        file for file in files if file.path not in there and file.content is not None and is_test(file.path)
    ]


def reproducing(without: Checked, fixed: Checked, incident: Incident | None) -> tuple[str, ...]:
    """Return the tests that show the problem: those that fail without the fix and pass with it.

    ``without`` ran the new tests on the base commit. Where the incident has a trace, the failing
    run must tell of its exception and of the function that raised it, and the fixed one must not.
    A runner that names no tests is one test, its command.
    """
    if fixed.run.timed_out or without.run.timed_out:
        return ()
    names = [name for name in without.run.failed if _passes(name, fixed)]
    if not without.results and not fixed.results and fixed.run.passed and not without.run.passed:
        names = [without.run.command]
    signs = _signs(incident)
    if signs and (_told(signs, without) <= _told(signs, fixed) or _still(without, fixed, signs)):
        return ()
    return tuple(names)


def refuse_unmended(before: Checked, after: Checked, incident: Incident | None) -> None:
    """Refuse a fix (rule ``tests``) under which tests go on failing with the very error it is for."""
    signs = _signs(incident)
    if signs and _still(before, after, signs) and _told(signs, after) >= _told(signs, before):
        raise Refused(
            f"tests: the error the fix is for is still raised in tests that fail as before: "
            f"{', '.join(_failing_still(before, after)[:10])}. Propose a fix that removes its cause.",
            rule="tests",
        )


def _passes(name: str, fixed: Checked) -> bool:
    for results in fixed.results.values():
        if name in results.passed:
            return True
    return name not in fixed.run.failed and not any(results.is_complete for results in fixed.results.values())


def _still(before: Checked, after: Checked, signs: Sequence[_Sign]) -> bool:
    """Return whether tests fail as before, and tell of the error."""
    return bool(_failing_still(before, after)) and _told(signs, after) > 0


def _failing_still(before: Checked, after: Checked) -> list[str]:
    return [name for name in after.run.failed if name in before.run.failed]


class _Sign(NamedTuple):
    """By what an exception is known in the output of tests: its name, and the place that raised it."""

    type: re.Pattern[str]
    place: re.Pattern[str] | None


def _signs(incident: Incident | None) -> list[_Sign]:
    """Return what tells of the incident's exceptions; nothing where its log had no trace."""
    exceptions = incident.event.exceptions if incident is not None and incident.events else ()
    found = [_Sign(_word(_last(one.type)), _place(one.frames)) for one in exceptions if _last(one.type)]
    placed = [sign for sign in found if sign.place is not None]
    return placed or found


def _place(frames: Sequence[Frame]) -> re.Pattern[str] | None:
    """Return what names the innermost frame of the program itself: its function, else its file."""
    raising = next((frame for frame in reversed(frames) if frame.in_app), None)
    if raising is None:
        return None
    function = _last(raising.function)
    name = function if _NAME.fullmatch(function) else re.split(r"[/\\]", raising.file)[-1]
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") if name else None


def _word(name: str) -> re.Pattern[str]:
    """Match a word, with any ending: what is a panic in the log has panicked in the test."""
    return re.compile(rf"(?<!\w){re.escape(name)}")


def _last(name: str) -> str:
    """Return the last part of a qualified name."""
    return re.split(r"[.:/\\$#]", name.strip().removesuffix("()"))[-1].strip()


def _told(signs: Iterable[_Sign], run: Checked) -> int:
    """Return how often a run tells of an exception beside the place that raised it."""
    return sum(_times(sign, part) for part in _parts(plain(run.said)) for sign in signs)


def _times(sign: _Sign, lines: Sequence[str]) -> int:
    named = [number for number, line in enumerate(lines) if sign.type.search(line)]
    if sign.place is None:
        return len(named)
    places = [number for number, line in enumerate(lines) if sign.place.search(line)]
    return sum(bisect_left(places, here - _ABOVE) < bisect_right(places, here + _BELOW) for here in named)


def _parts(output: str) -> Iterator[list[str]]:
    """Yield the lines between the rulers."""
    part: list[str] = []
    for line in output.split("\n"):
        if _RULER.match(line):
            yield part
            part = []
        else:
            part.append(line)
    yield part
