"""When: what keeps messages from being too many, and what holds one back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from aiops_core.config import duration_text
from aiops_core.notices import Storm
from aiops_core.records import Decision


class Gate(Struct, frozen=True):
    """A message waits until then, for what ``held`` names, and why."""

    until: datetime
    held: str
    decision: Decision


def crowded(recent: Sequence[datetime], storm: Storm) -> Gate | None:
    """Return until when further messages to a target wait, to go out as one; ``recent`` the latest first."""
    if len(recent) < storm.messages:
        return None
    until = recent[storm.messages - 1] + storm.within
    text = (
        f"not told alone: a target got {storm.messages} messages within {duration_text(storm.within)}, what "
        "follows goes out as one"
    )
    return Gate(until, "storm", Decision("storm", text, setting="notices.storm"))
