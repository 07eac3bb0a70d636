"""What a fix lets code do that it did not do before: a person decides on that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from aiops_core.records import ChangedFile, Question
from aiops_core.repair.diff import source_text
from aiops_core.repair.layout import is_test
from aiops_core.repair.powers import Power, powers

_TESTS_READ = 40


def new_powers(
    changed: Sequence[ChangedFile], before: Mapping[str, bytes | None], tests: Callable[[], Iterable[str]]
) -> tuple[tuple[Question, str], ...]:
    """Ask about files that can do more than the changed ones could together before.

    ``before`` holds the files as they were. ``tests`` gives the texts of the tests there are, which say what
    tests may do here.
    """
    known = {power for file in changed for power in _of(file.path, before.get(file.path))}
    found: list[str] = []
    for file in changed:
        gained = _of(file.path, file.content) - known
        if gained and is_test(file.path):
            gained = {power for power in gained if not power.startswith("names ")} - _of_tests(
                file.path, tests
            )
        found += [f"{file.path} now {power}" for power in sorted(gained)]
    return (("new-capability", "; ".join(found)),) if found else ()


def _of(path: str, content: bytes | None) -> set[Power]:
    return powers(path, source_text(content))


def _of_tests(path: str, tests: Callable[[], Iterable[str]]) -> set[Power]:
    """Return what the tests there are can do."""
    found: set[Power] = set()
    for number, text in enumerate(tests()):
        if number == _TESTS_READ:
            break
        found |= powers(path, text)
    return found
