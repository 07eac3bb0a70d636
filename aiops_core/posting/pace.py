"""How fast one target may be told: never more messages in a time than it takes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

_KEPT = 10_000


class Pace:
    """Let at most ``most`` messages pass in any ``period`` seconds; threads share one.

    Who has to wait is told how long, and finds a place kept: so each message comes back once.
    """

    def __init__(self, most: int, period: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._period = period
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: deque[float] = deque(maxlen=most)
        self._kept: OrderedDict[str, float] = OrderedDict()
        self._closed_until = 0.0

    def wait(self, key: str) -> float:
        """Return 0 when the message of this key may pass now, else after how many seconds it may."""
        with self._lock:
            now = self._clock()
            place = self._kept.pop(key, None)
            if place is None or place < self._closed_until:
                place = self._behind_all(now)
            elif place <= now:
                place = self._first_free(now)
            if place <= now:
                self._passed.append(now)
                return 0.0
            self._kept[key] = place
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return place - now

    def close(self, seconds: float) -> None:
        """Let nothing pass for a while: the target asked for it."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)

    def _behind_all(self, now: float) -> float:
        begin = max(now, self._closed_until)
        taken = sorted([*self._passed, *self._kept.values()])
        return max(begin, taken[-self._most] + self._period) if len(taken) >= self._most else begin

    def _first_free(self, now: float) -> float:
        """Return when one whose turn has come may pass: others that came late may have gone before."""
        return max(now, self._passed[0] + self._period) if len(self._passed) == self._most else now
