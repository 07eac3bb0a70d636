"""Read and compare journal cursors."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec import Struct

_PARTS = re.compile(r"([a-z])=([0-9a-f]{1,32})(?:;|$)")


class Cursor(Struct, frozen=True):
    """The parts of a cursor that say which entry it is; None and "" where unknown."""

    series: str
    number: int | None
    boot: str
    since_boot: int | None
    time: int | None
    """Microseconds since 1970."""
    content: str

    @property
    def when(self) -> str:
        """The time of the entry for people."""
        if self.time is None:
            return "an unknown time"
        try:
            return datetime.fromtimestamp(self.time / 1e6, UTC).isoformat(sep=" ", timespec="seconds")
        except (OverflowError, ValueError, OSError):
            return "an unknown time"


def parse_cursor(text: str) -> Cursor | None:
    """Return the parts of a cursor; None when journalctl would find no place by it."""
    parts = dict(_PARTS.findall(text))

    def number(name: str) -> int | None:
        return int(parts[name], 16) if name in parts else None

    cursor = Cursor(
        parts.get("s", ""), number("i"), parts.get("b", ""), number("m"), number("t"), parts.get("x", "")
    )
    has_number = cursor.series and cursor.number is not None
    has_clock = cursor.boot and cursor.since_boot is not None
    return cursor if has_number or has_clock or cursor.time is not None else None


def is_same(one: str, other: str) -> bool:
    """Tell whether two cursors are of the same entry, maybe in copies of the journal."""
    if one == other:
        return True
    first, second = parse_cursor(one), parse_cursor(other)
    if first is None or second is None:
        return False
    if first.series and first.series == second.series:
        return first.number == second.number
    return bool(first.boot and first.content) and (
        (first.boot, first.since_boot, first.time, first.content)
        == (second.boot, second.since_boot, second.time, second.content)
    )


def is_after(one: str, other: str) -> bool:
    """Tell whether an entry is surely later: number, clock of the boot and time must agree."""
    first, second = parse_cursor(one), parse_cursor(other)
    if first is None or second is None or first.time is None or second.time is None:
        return False
    if first.series == second.series and (first.number or 0) <= (second.number or 0):
        return False
    if first.boot == second.boot and (first.since_boot or 0) < (second.since_boot or 0):
        return False
    return first.time >= second.time
