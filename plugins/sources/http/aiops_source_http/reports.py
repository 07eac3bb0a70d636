"""Tell the operator what went wrong on the network, counted instead of repeated."""

from __future__ import annotations

import logging
import time
from collections import Counter

from aiops_core import counted

EVERY = 60.0


class Reports:
    """Log each kind of trouble at once, and its further cases once a minute with their number."""

    def __init__(self, logger: logging.Logger, name: str) -> None:
        self._logger = logger
        self._name = name
        self._told: dict[str, float] = {}
        self._counts: Counter[str] = Counter()
        self._last: dict[str, tuple[str, str]] = {}

    def tell(self, message: str, of: str = "", last: str = "") -> None:
        """Report a trouble; ``{count}`` in the message becomes how many ``of`` these there were, ``{last}`` the last."""
        self._counts[message] += 1
        self._last[message] = of, last
        self.flush()

    def flush(self) -> None:
        """Log what is due."""
        now = time.monotonic()
        for message in [one for one in self._counts if now - self._told.get(one, -EVERY) >= EVERY]:
            self._told[message] = now
            of, last = self._last.pop(message)
            text = message.replace("{count}", counted(self._counts.pop(message), of)).replace("{last}", last)
            self._logger.warning("%s: %s", self._name, text)
