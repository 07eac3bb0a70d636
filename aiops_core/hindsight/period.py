"""The incidents of a period, with when they occurred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from aiops_core.records import Incident
from aiops_core.store import Store


class Occurrences(Struct, frozen=True):
    """One incident in a period: its counts by the minute, and the moments of its stored events."""

    incident: Incident
    minutes: Mapping[datetime, int]
    moments: Sequence[tuple[datetime, int]]
    """Time and number of stored events, in order; of many events, a sample."""

    @property
    def count(self) -> int:
        """Events in the period."""
        return sum(self.minutes.values())


class Period(Struct, frozen=True):
    """A stretch of time and the incidents that occurred in it, the most frequent first."""

    start: datetime
    end: datetime
    occurred: Sequence[Occurrences]


def look_back(store: Store, start: datetime, end: datetime, pipeline: str | None = None) -> Period:
    """Return what occurred from ``start`` on, in one pipeline or in all."""
    minutes = store.trends.since(start)
    moments = store.trends.moments(start)
    found = [
        Occurrences(incident, minutes[incident.id], moments.get(incident.id, ()))
        for incident in store.incidents.of_ids(sorted(minutes))
        if pipeline in {None, incident.pipeline}
    ]
    return Period(start, end, sorted(found, key=lambda one: -one.count))
