"""Tell the operator what went wrong on the network, counted instead of repeated."""

from __future__ import annotations

import logging
import time
from collections import Counter
from pathlib import Path

EVERY = 60.0
_DROPS = -1
_INODE = 9


class Reports:
    """Log each kind of trouble at once, and its further cases once a minute with their number."""

    def __init__(self, logger: logging.Logger, name: str) -> None:
        self._logger = logger
        self._name = name
        self._told: dict[str, float] = {}
        self._counts: Counter[str] = Counter()

    def tell(self, message: str, count: int = 1) -> None:
        """Report a trouble; ``message`` may hold ``{count}``."""
        self._counts[message] += count
        self.flush()

    def flush(self) -> None:
        """Log what is due."""
        now = time.monotonic()
        for message in [one for one in self._counts if now - self._told.get(one, -EVERY) >= EVERY]:
            self._told[message] = now
            self._logger.warning("%s: %s", self._name, message.format(count=self._counts.pop(message)))


def dropped_by_system(inode: int) -> int:
    """Return how many datagrams the kernel dropped for one socket; 0 where it does not say (not Linux)."""
    for name in ("udp", "udp6"):
        try:
            table = Path("/proc/net", name).read_text("ascii").splitlines()
        except OSError:
            continue
        for row in table[1:]:
            fields = row.split()
            if fields[_INODE] == str(inode):
                return int(fields[_DROPS])
    return 0
