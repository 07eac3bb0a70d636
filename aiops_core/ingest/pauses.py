"""Notice that the whole process was held up: by SIGSTOP, with its machine, or in want of the processor."""

from __future__ import annotations

import threading
import time

_BEAT = 0.25
_LATE = 0.5
"""Seconds by which a beat comes too late for the want of a processor alone."""


class Pauses:
    """Say since when the process runs: while it does not, nobody can read, and nothing heard is no silence."""

    def __init__(self) -> None:
        self._beat = time.monotonic()
        self._since = 0.0

    def start(self, stopping: threading.Event) -> None:
        """Listen in a thread of its own until the run stops."""
        self._beat = time.monotonic()
        threading.Thread(target=self._listen, args=(stopping,), name="pauses", daemon=True).start()

    @property
    def runs_since(self) -> float:
        """When the last pause ended, in seconds of the monotonic clock; now, while it is not sure that it did."""
        now = time.monotonic()
        return now if self._is_late(now) else self._since

    def _listen(self, stopping: threading.Event) -> None:
        while not stopping.wait(_BEAT):
            now = time.monotonic()
            if self._is_late(now):
                self._since = now
            self._beat = now

    def _is_late(self, now: float) -> bool:
        return now - self._beat > _BEAT + _LATE
