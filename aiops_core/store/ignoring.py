"""Until when an incident is ignored: until a time, so many events, or another release; kept in ``awaits``."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta

_BEGINS = "ignored until "
AFTER = f"{_BEGINS}after "
"""How the condition on a time begins."""


def until_time(at: datetime) -> str:
    """Return the condition that an event comes after a time."""
    return f"{AFTER}{at.isoformat()}"


def moved(condition: str, jump: timedelta) -> str:
    """Return the condition on a time with the time moved by so much."""
    return until_time(datetime.fromisoformat(condition.removeprefix(AFTER)) + jump)


def until_count(count: int) -> str:
    """Return the condition that there are so many events in all."""
    return f"{_BEGINS}{count} events"


def until_release(known: Collection[str]) -> str:
    """Return the condition that an event comes from a release that is none of these."""
    return f"{_BEGINS}release {json.dumps(sorted(known))}"


def is_condition(awaits: str) -> bool:
    """Return whether this says until when an incident is ignored; else it is what a run waits for."""
    return awaits.startswith(_BEGINS)


def is_over(condition: str, count: int, release: str, now: datetime) -> bool:
    """Return whether what was ignored is to be answered again; without a condition it never is."""
    if not is_condition(condition):
        return False
    kind, _, what = condition.removeprefix(_BEGINS).partition(" ")
    if kind.isdigit():
        return count >= int(kind)
    if kind == "after":
        return now >= datetime.fromisoformat(what)
    return kind == "release" and release != "" and release not in json.loads(what)
