"""How often each incident occurred, by the minute: one row per incident and hour."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from aiops_core.store.access import Access
from aiops_core.store.database import chunks, upsert
from aiops_core.store.tables import events, trends

Minutes = Mapping[datetime, int]


class Trends(Access):
    """Look up counts by the minute."""

    def since(self, start: datetime, incident_ids: Collection[int] | None = None) -> dict[int, Minutes]:
        """Return the count of every minute from ``start`` on in which an incident occurred, by incident."""
        query = select(trends).where(trends.c.hour > start - timedelta(hours=1))
        if incident_ids is not None:
            query = query.where(trends.c.incident_id.in_(incident_ids))
        found: defaultdict[int, dict[datetime, int]] = defaultdict(dict)
        with self._read() as connection:
            for row in connection.execute(query.order_by(trends.c.hour)):
                for minute, count in row.minutes.items():
                    at = row.hour + timedelta(minutes=int(minute))
                    if at >= start:
                        found[row.incident_id][at] = count
        return dict(found)

    def moments(self, start: datetime) -> dict[int, list[tuple[datetime, int]]]:
        """Return time and number of every stored event from ``start`` on, in order, by incident."""
        query = select(events.c.incident_id, events.c.seen_at, events.c.id).where(events.c.seen_at >= start)
        found: defaultdict[int, list[tuple[datetime, int]]] = defaultdict(list)
        with self._read() as connection:
            for incident_id, seen_at, number in connection.execute(query):
                found[incident_id].append((seen_at, number))
        return {incident_id: sorted(moments) for incident_id, moments in found.items()}


def counted_between(connection: Connection, incident_id: int, start: datetime, end: datetime) -> int:
    """Return how often an incident occurred from ``start`` on and before ``end``, to the minute."""
    query = select(trends).where(trends.c.incident_id == incident_id, trends.c.hour < end)
    return sum(
        count
        for row in connection.execute(query.where(trends.c.hour > start - timedelta(hours=1)))
        for minute, count in row.minutes.items()
        if start <= row.hour + timedelta(minutes=int(minute)) < end
    )


def save_trends(connection: Connection, counted: Iterable[tuple[int, Minutes]]) -> None:
    """Add counts by the minute to what is known of these incidents."""
    rows: dict[tuple[int, datetime], Counter[str]] = {}
    for incident_id, minutes in counted:
        for at, count in minutes.items():
            place = (incident_id, at.replace(minute=0))
            rows.setdefault(place, Counter())[str(at.minute)] += count
    _add_known(connection, list(rows), rows)
    if rows:
        values = [
            {"incident_id": incident_id, "hour": hour, "minutes": dict(minutes)}
            for (incident_id, hour), minutes in rows.items()
        ]
        connection.execute(upsert(trends, values[0]), values)


def _add_known(
    connection: Connection,
    places: Sequence[tuple[int, datetime]],
    rows: Mapping[tuple[int, datetime], Counter[str]],
) -> None:
    hours = {hour for _, hour in places}
    for some in chunks(sorted({incident_id for incident_id, _ in places}), 1_000):
        of = trends.c.incident_id.in_(some)  # pairs would be looked for in the whole table
        known = (trends.c.hour >= min(hours), trends.c.hour <= max(hours))
        for row in connection.execute(select(trends).where(of, *known)):
            if (row.incident_id, row.hour) in rows:
                rows[row.incident_id, row.hour].update(row.minutes)
