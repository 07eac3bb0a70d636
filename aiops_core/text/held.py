"""Logging lines held back until it is known whether they belong to a trace."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import TypeAlias

from aiops_core.text.candidates import Candidate
from aiops_core.text.lines import LOOK_BACK
from aiops_core.text.repeats import RepeatedLine

_MOST_BETWEEN = 8
"""Lines that may stand between a logging line and the trigger of the trace it introduces."""

Held: TypeAlias = Candidate | RepeatedLine


class HeldLines:
    """Of each writer the last logging lines, those that follow each other without a gap.

    A trace that comes after them may begin in any: a program may log each line of it as an error.
    What a method returns is held no more.
    """

    def __init__(self) -> None:
        self._runs: dict[str, list[Held]] = {}

    def __bool__(self) -> bool:
        return bool(self._runs)

    def __iter__(self) -> Iterator[Held]:
        return (held for run in self._runs.values() for held in run)

    def hold(
        self, stream: str, line: Held, *, is_inside: Callable[[int], bool] = lambda end: False
    ) -> list[Held]:
        """Hold a line; return those of its writer it does not follow, or that are too far above.

        One within the message of the last needs no holding.
        ``is_inside`` tells whether it is of the record a line of which ends at an offset.
        """
        run = self._runs.get(stream, [])
        if run and line.start < run[-1].end:
            return []
        follows = bool(run) and (run[-1].end == line.start or is_inside(run[-1].end))
        kept = run[1 - LOOK_BACK :] if follows else []
        self._runs[stream] = [*kept, line]
        return run[: len(run) - len(kept)]

    def release(self, stream: str) -> list[Held]:
        """Return the lines of a writer."""
        return self._runs.pop(stream, [])

    def expire(self, lines_since: Callable[[int], int], quiet_to: int) -> list[Held]:
        """Return the lines that too many others, or too long a silence, part from what comes now."""
        passed = [
            stream
            for stream, run in self._runs.items()
            if run[-1].end <= quiet_to or lines_since(run[-1].end) >= _MOST_BETWEEN
        ]
        return [held for stream in passed for held in self.release(stream)]

    def take(self, places: Container[int]) -> list[Held]:
        """Return the lines that start at these places."""
        taken = [held for held in self if held.start in places]
        left = {
            stream: [held for held in run if held.start not in places] for stream, run in self._runs.items()
        }
        self._runs = {stream: run for stream, run in left.items() if run}
        return taken
