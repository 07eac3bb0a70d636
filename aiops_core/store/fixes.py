"""Fixes that were merged, and what became of their incidents since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import func, select, update

from aiops_core.records import Outcome
from aiops_core.store.access import Access
from aiops_core.store.database import upsert
from aiops_core.store.sightings import wake_watchers
from aiops_core.store.tables import fixes, incidents, runs, sightings
from aiops_core.store.trends import counted_between

FixState: TypeAlias = Literal["merged", "verified", "regressed"]


class Fix(Struct, frozen=True):
    """A fix that was merged: where, as what commit, and how often its error came in the day before."""

    incident_id: int
    run_id: int
    step: str
    commit: str
    state: FixState
    outcome: Outcome
    rate: int
    merged_at: datetime
    served_from: datetime | None = None
    """Since when a release with the fix is known to run."""


class Sighting(Struct, frozen=True):
    """Events of one release: what they say of it, how many there were, and when."""

    release: str
    count: int
    first_seen: datetime
    last_seen: datetime


class Fixes(Access):
    """Keep merged fixes, and look up which releases events came from."""

    def begin(self, run_id: int, step: str, outcome: Outcome) -> None:
        """Watch the fix that an outcome says was merged, in place of an earlier fix of its incident."""
        now = self._clock()
        commit = outcome.data.get("merge_commit") or outcome.data.get("commit", "")
        with self._write() as connection:
            incident_id = connection.scalars(select(runs.c.incident_id).where(runs.c.id == run_id)).one()
            known = connection.execute(select(fixes).where(fixes.c.incident_id == incident_id)).first()
            if known is not None and (known.run_id, known.step, known.commit) == (run_id, step, commit):
                return
            rate = counted_between(connection, incident_id, now - timedelta(days=1), now)
            row = {"incident_id": incident_id, "run_id": run_id, "step": step, "commit": commit}
            row |= {
                "state": "merged",
                "outcome": outcome,
                "rate": rate,
                "merged_at": now,
                "served_from": None,
            }
            connection.execute(upsert(fixes, row), row)
            connection.execute(update(incidents).where(incidents.c.id == incident_id).values(awaits=""))
            wake_watchers(connection, [incident_id], now)

    def get(self, incident_id: int) -> Fix | None:
        """Return the fix of an incident, None where none was merged."""
        with self._read() as connection:
            row = connection.execute(select(fixes).where(fixes.c.incident_id == incident_id)).first()
        return None if row is None else Fix(**row._mapping)

    def note(self, incident_id: int, state: FixState, served_from: datetime | None) -> None:
        """Keep what became of a fix."""
        values = {"state": state, "served_from": served_from}
        with self._write() as connection:
            connection.execute(update(fixes).where(fixes.c.incident_id == incident_id).values(**values))

    def events_since_merge(self, fix: Fix) -> int:
        """Return how often the error of a fix came since it was merged, at least once where it did."""
        with self._read() as connection:
            return counted_between(connection, fix.incident_id, fix.merged_at, self._clock()) or 1

    def sightings(self, incident_id: int) -> Sequence[Sighting]:
        """Return from which releases the events of an incident came, the latest first."""
        query = select(*_SIGHTING).where(sightings.c.incident_id == incident_id)
        with self._read() as connection:
            rows = connection.execute(query.order_by(sightings.c.last_seen.desc())).all()
        return [Sighting(**row._mapping) for row in rows]

    def releases(self, pipeline: str, since: datetime, limit: int = 200) -> Sequence[Sighting]:
        """Return the releases that any event of a pipeline named since then, the latest first."""
        counted = [
            sightings.c.release,
            func.sum(sightings.c.count).label("count"),
            func.min(sightings.c.first_seen, type_=sightings.c.first_seen.type).label("first_seen"),
            func.max(sightings.c.last_seen, type_=sightings.c.last_seen.type).label("last_seen"),
        ]
        query = select(*counted).join(incidents).where(incidents.c.pipeline == pipeline)
        query = query.where(sightings.c.release != "", sightings.c.last_seen >= since)
        query = query.group_by(sightings.c.release).order_by(func.max(sightings.c.last_seen).desc())
        with self._read() as connection:
            rows = connection.execute(query.limit(limit)).all()
        return [Sighting(**row._mapping) for row in rows]

    def newcomers(self, pipeline: str, since: datetime) -> tuple[int, Mapping[str, int]]:
        """Return how many incidents are new since then, and of how many events named each release."""
        new = (incidents.c.pipeline == pipeline, incidents.c.first_seen >= since)
        by_release = select(sightings.c.release, func.count().label("incidents")).join(incidents)
        by_release = by_release.where(*new, sightings.c.release != "").group_by(sightings.c.release)
        with self._read() as connection:
            count = connection.execute(select(func.count()).select_from(incidents).where(*new)).scalar_one()
            rows = connection.execute(by_release).all()
        return count, {row.release: row.incidents for row in rows}


_SIGHTING = [sightings.c[name] for name in Sighting.__struct_fields__]
