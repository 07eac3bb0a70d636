"""When to look at all files again: soon where nothing else tells of changes, never for long."""

from __future__ import annotations

import time

RESCAN = 1.0
"""Seconds between two looks when there are few files."""
SOONEST = 0.05
SOONEST_SHARE = 5
"""A look that news asked for waits this many times as long as the last one took."""
SHARE = 20
"""A look may take one part in this many of the time, whatever the number of files."""
TRUSTING_SHARE = 150
"""The same while the system tells every change, and a look only makes sure."""
LONGEST = 20.0
TIDY_FIRST, TIDY = 60.0, 3600.0
"""Seconds to the first time that memory is tidied, and from one to the next."""


class Pace:
    """Measure how long a look takes, and space them accordingly."""

    def __init__(self) -> None:
        self.began_at = 0.0
        """When the last look began, in seconds since the epoch."""
        self._began = self._soonest = self._next = self._next_small = 0.0
        self._next_tidying = time.monotonic() + TIDY_FIRST

    def begin(self) -> None:
        """Note that a look begins."""
        self.began_at, self._began = time.time(), time.monotonic()

    def end(self, *, is_told: bool) -> None:
        """Note that it ended, and whether changes are told meanwhile."""
        now = time.monotonic()
        took = now - self._began
        pause = SHARE * took
        if is_told:
            pause = max(pause, min(TRUSTING_SHARE * took, LONGEST))
        self._next = now + max(RESCAN, pause)
        self._soonest = now + max(SOONEST, SOONEST_SHARE * took)

    def left(self, *, is_due: bool) -> float:
        """Return the seconds until the next look; fewer when something is known to be new."""
        return max(0.0, (self._soonest if is_due else self._next) - time.monotonic())

    def is_time_for_few(self) -> bool:
        """Whether it is time for a look at the few files that need one often."""
        now = time.monotonic()
        if now < self._next_small:
            return False
        self._next_small = now + RESCAN
        return True

    def is_time_to_tidy(self) -> bool:
        """Whether it is time to forget what nobody needs."""
        now = time.monotonic()
        if now < self._next_tidying:
            return False
        self._next_tidying = now + TIDY
        return True
