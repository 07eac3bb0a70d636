"""Whether tests show the problem itself: they fail without the fix as the error did, and pass with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from aiops_core.records import ChangedFile, Event, Incident
from aiops_core.repair.protected import is_test
from aiops_core.repair.verify import Checked

UNREPRODUCED = (
    "not verified: no test fails without the fix as the logged error did, and passes with it. "
    "A new test that does would prove it"
)


def new_tests(files: Sequence[ChangedFile], existing: Iterable[str]) -> list[ChangedFile]:
    """Return the test files that a change adds."""
    there = set(existing)
    return [
        file for file in files if file.path not in there and file.content is not None and is_test(file.path)
    ]


def reproducing(without: Checked, fixed: Checked, incident: Incident | None) -> tuple[str, ...]:
    """Return the tests that show the problem: those that fail without the fix and pass with it.

    ``without`` ran the new tests on the base commit. Where the incident has a trace, the failing
    run must tell of its exception and of the frame that raised it, and the fixed one must not.
    A runner that names no tests is one test, its command.
    """
    if fixed.run.timed_out or without.run.timed_out:
        return ()
    names = [name for name in without.run.failed if _passes(name, fixed)]
    if not without.results and not fixed.results and fixed.run.passed and not without.run.passed:
        names = [without.run.command]
    if not names or (incident is not None and incident.events and not _tells(incident.event, without, fixed)):
        return ()
    return tuple(names)


def _passes(name: str, fixed: Checked) -> bool:
    for results in fixed.results.values():
        if name in results.passed:
            return True
    return name not in fixed.run.failed and not any(results.is_complete for results in fixed.results.values())


def _tells(event: Event, without: Checked, fixed: Checked) -> bool:
    """Return whether the run without the fix told more of the event than the run with it."""
    if not event.exceptions:
        return True
    before, after = without.said, fixed.said
    types = {_last(raised.type) for raised in event.exceptions}
    raising = next((frame for frame in reversed(event.frames) if frame.in_app), None)
    places = {_last(raising.function), re.split(r"[/\\]", raising.file)[-1]} if raising else set[str]()
    return _more(types, before, after) and (not any(places) or _more(places, before, after))


def _more(words: Iterable[str], before: str, after: str) -> bool:
    patterns = [re.compile(rf"(?<!\w){re.escape(word)}(?!\w)") for word in words if word]
    return any(len(one.findall(before)) > len(one.findall(after)) for one in patterns)


def _last(name: str) -> str:
    """Return the last part of a qualified name."""
    return re.split(r"[.:/\\$#]", name.strip().removesuffix("()"))[-1]
