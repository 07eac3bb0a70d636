"""Tell the operator what went wrong on the network, counted instead of repeated."""

from __future__ import annotations

import logging
import time
from collections import Counter

EVERY = 60.0


class Reports:
    """Log each kind of trouble at once, and its further cases once a minute with their number."""

    def __init__(self, logger: logging.Logger, name: str) -> None:
        self._logger = logger
        self._name = name
        self._told: dict[str, float] = {}
        self._counts: Counter[str] = Counter()
        self._last: dict[str, str] = {}

    def tell(self, message: str, last: str = "") -> None:
        """Report a trouble; ``message`` may hold ``{count}`` and ``{last}``."""
        self._counts[message] += 1
        self._last[message] = last
        self.flush()

    def flush(self) -> None:
        """Log what is due."""
        now = time.monotonic()
        for message in [one for one in self._counts if now - self._told.get(one, -EVERY) >= EVERY]:
            self._told[message] = now
            text = message.format(count=self._counts.pop(message), last=self._last.pop(message))
            self._logger.warning("%s: %s", self._name, text)
