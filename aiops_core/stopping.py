"""What tells parts of a run to stop, and shows whether they still look at it."""

from __future__ import annotations

import threading
import time


class Branch(threading.Event):
    """Tell a part of the run to stop: setting it stops the whole run, ``end`` this part alone."""

    def __init__(self, whole: threading.Event) -> None:
        super().__init__()
        self._whole = whole

    def set(self) -> None:
        self._whole.set()
        super().set()

    def end(self) -> None:
        """Stop this part."""
        super().set()


class Pulse(threading.Event):
    """The stop of a source, which also shows that the source lives: it has to look at it each second."""

    def __init__(self, branch: Branch) -> None:
        super().__init__()
        self._branch = branch
        self._looked_at = time.monotonic()
        self._waiting = 0

    def is_set(self) -> bool:
        """Return whether the source is to stop."""
        self._looked_at = time.monotonic()
        return self._branch.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the stop."""
        self._waiting += 1
        try:
            return self._branch.wait(timeout)
        finally:
            self._waiting -= 1
            self._looked_at = time.monotonic()

    def set(self) -> None:
        """Stop the whole run."""
        self._branch.set()

    @property
    def silence(self) -> float:
        """Seconds since the source last looked; 0 while it waits for the stop."""
        return 0.0 if self._waiting else time.monotonic() - self._looked_at
