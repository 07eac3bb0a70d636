"""From which releases the events of an incident came, and who is to look at that."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, insert, select

from aiops_core.records import RELEASE_ATTRIBUTES
from aiops_core.store.database import chunks, upsert
from aiops_core.store.queue import new_job
from aiops_core.store.tables import fixes, jobs, sightings

MOST_RELEASES = 50
"""Releases told apart of one incident; events of later ones count as of an unknown release."""
_LONGEST = 200
_NAMES = frozenset(RELEASE_ATTRIBUTES)


class Seen(Struct):
    """How often events of one release came, and when."""

    count: int
    first_seen: datetime
    last_seen: datetime

    def add(self, count: int, first: datetime, last: datetime) -> None:
        """Count more of them."""
        self.count += count
        self.first_seen, self.last_seen = min(self.first_seen, first), max(self.last_seen, last)


def release_named(attributes: Mapping[str, str]) -> str:
    """Return what the attributes of an event say of its release as JSON, "" where they say nothing."""
    names = attributes.keys() & _NAMES
    if not names:
        return ""
    return json.dumps({name: attributes[name][:_LONGEST] for name in sorted(names)})


def save_sightings(connection: Connection, counted: Iterable[tuple[int, Mapping[str, Seen]]]) -> None:
    """Add what a batch saw to what is known of these incidents."""
    batch = {of: dict(releases) for of, releases in counted if releases}
    known: dict[int, dict[str, Seen]] = {of: {} for of in batch}
    for some in chunks(list(batch)):
        for row in connection.execute(select(sightings).where(sightings.c.incident_id.in_(some))):
            of = row._mapping
            known[of["incident_id"]][of["release"]] = Seen(of["count"], of["first_seen"], of["last_seen"])
    rows = [
        {"incident_id": of, "release": name, "count": seen.count}
        | {"first_seen": seen.first_seen, "last_seen": seen.last_seen}
        for of, releases in batch.items()
        for name, seen in _added(known[of], releases).items()
    ]
    if rows:
        connection.execute(upsert(sightings, rows[0]), rows)


def _added(known: dict[str, Seen], releases: Mapping[str, Seen]) -> dict[str, Seen]:
    changed: dict[str, Seen] = {}
    for name, seen in releases.items():
        place = name if name in known or len(known) < MOST_RELEASES else ""
        if place in known:
            known[place].add(seen.count, seen.first_seen, seen.last_seen)
        else:
            known[place] = seen
        changed[place] = known[place]
    return changed


def watched(connection: Connection, incident_ids: Collection[int]) -> set[int]:
    """Return which of these incidents have a merged fix that is watched."""
    found: set[int] = set()
    for some in chunks(list(incident_ids)):
        query = select(fixes.c.incident_id).where(fixes.c.incident_id.in_(some), fixes.c.state != "regressed")
        found.update(connection.scalars(query))
    return found


def wake_watchers(connection: Connection, incident_ids: Collection[int], now: datetime) -> None:
    """Let somebody look at the fixes of incidents that are back; who looks already comes again by himself."""
    keys = {f"watch:{of}": of for of in incident_ids}
    if not keys:
        return
    there = set(connection.scalars(select(jobs.c.key).where(jobs.c.key.in_(list(keys)))))
    new = [new_job("watch", key, {"incident": of}, now, now) for key, of in keys.items() if key not in there]
    if new:
        connection.execute(insert(jobs), new)
