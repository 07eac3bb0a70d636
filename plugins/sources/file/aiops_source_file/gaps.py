"""Say which bytes are known to be lost, and remember it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiops_core import Context
from aiops_source_file.troubles import printable

_KEPT = 20


class Gaps:
    """Tell people of bytes that will never be read, and keep the count and the latest in the step's state."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock: Callable[[], datetime] = context.clock

    def tell(self, path: str, start: int, size: int, cause: str) -> None:
        """Report ``size`` bytes from byte ``start`` on."""
        self._context.fault(
            "bytes are lost", f"{printable(path)}: {size} bytes from byte {start} on are lost: {cause}"
        )
        known = self._context.state.get("gaps", {})
        latest = {
            "path": printable(path),
            "offset": start,
            "bytes": size,
            "cause": cause,
            "at": self._clock().isoformat(timespec="seconds"),
        }
        self._context.state["gaps"] = {  # replaced as a whole: another thread may be saving it
            "count": known.get("count", 0) + 1,
            "bytes": known.get("bytes", 0) + size,
            "latest": [*known.get("latest", []), latest][-_KEPT:],
        }
