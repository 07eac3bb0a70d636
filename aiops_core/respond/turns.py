"""Turns at the models: how many incidents are analysed at once, whatever the workers and pipelines."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """Hand out so many turns; runs that found none taken are called when one is free, in their order.

    ``call`` lets a run go on and returns whether it was waiting.
    """

    def __init__(self, most: int, call: Callable[[int], bool]) -> None:
        self._free = most
        self._call = call
        self._waiting: deque[int] = deque()
        self._lock = threading.Condition()

    @contextmanager
    def taken(self, *, patiently: bool = False) -> Iterator[bool]:
        """Hold a turn until the end of the block; yield False at once when none is free, or wait."""
        with self._lock:
            while not self._free and patiently:
                self._lock.wait()
            is_taken = self._free > 0
            self._free -= is_taken
        try:
            yield is_taken
        finally:
            if is_taken:
                with self._lock:
                    self._free += 1
                    self._lock.notify()
                self._call_next()

    def wait(self, run_id: int) -> None:
        """Have a run called that was put aside since no turn was free."""
        with self._lock:
            if run_id not in self._waiting:
                self._waiting.append(run_id)
        self._call_next()

    def _call_next(self) -> None:
        while True:
            with self._lock:
                if not self._free or not self._waiting:
                    return
                run_id = self._waiting.popleft()
            if self._call(run_id):
                return
