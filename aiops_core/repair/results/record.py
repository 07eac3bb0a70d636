"""The results of one run of tests, as one test runner tells them."""

from __future__ import annotations

from msgspec import Struct


class Results(Struct, frozen=True):
    """Results of one run; ``tests`` is None where the output says no number."""

    tests: int | None = None
    failed: tuple[str, ...] = ()
    skipped: int = 0
    bad: int = 0
    """How many tests failed, as the runner counts them."""
    passed: tuple[str, ...] = ()
    """The tests that passed, where the runner names them."""

    @property
    def is_complete(self) -> bool:
        """Whether every test that was not skipped is known by its name."""
        return self.tests == len(self.passed) + len(self.failed) + self.skipped


def named(outcomes: dict[str, str], skipped: int = 0) -> Results:
    """Return the results of tests that are all named: ``pass``, ``fail`` or ``skip`` by name.

    ``skipped`` counts those beyond them that have no name.
    """
    failed = tuple(name for name, outcome in outcomes.items() if outcome == "fail")
    passed = tuple(name for name, outcome in outcomes.items() if outcome == "pass")
    skips = skipped + len(outcomes) - len(failed) - len(passed)
    return Results(len(outcomes) + skipped, failed, skips, len(failed), passed)


def counted(facts: list[tuple[str, int]], *names: str) -> int:
    """Return the sum of the counts that go by one of the names."""
    return sum(number for name, number in facts if name in names)
