"""Tell the operator what went wrong on the network, counted instead of repeated."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from aiops_core import Context, counted

EVERY = 60.0
_DROPS = -1
_INODE = 9


class Reports:
    """Tell each kind of trouble at once, and its further cases once a minute with their number."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._losses: set[str] = set()
        self._told: dict[str, float] = {}
        self._counts: Counter[str] = Counter()
        self._of: dict[str, str] = {}

    def tell(self, message: str, of: str = "", count: int = 1) -> None:
        """Report a trouble; ``{count}`` in the message becomes how many ``of`` these there were."""
        self._counts[message] += count
        self._of[message] = of
        self.flush()

    def lose(self, message: str, of: str, count: int) -> None:
        """Report messages that are lost: people are told."""
        self._losses.add(message)
        self.tell(message, of, count)

    def flush(self) -> None:
        """Tell what is due."""
        now = time.monotonic()
        self._tell([one for one in self._counts if now - self._told.get(one, -EVERY) >= EVERY])

    def finish(self) -> None:
        """Tell all that was not told yet: there is no next minute."""
        self._tell(list(self._counts))

    def _tell(self, messages: list[str]) -> None:
        for message in messages:
            self._told[message] = time.monotonic()
            count = counted(self._counts.pop(message), self._of.pop(message))
            text = f"{self._context.name}: {message.replace('{count}', count)}"
            if message in self._losses:
                self._context.fault("messages are lost", text)
            else:
                self._context.logger.warning("%s", text)


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
