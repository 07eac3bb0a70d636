"""Incidents: what is known of a problem, what people did with it, what it resembles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from aiops_core.errors import UserError
from aiops_core.records import Analysis, Decision, Event, Incident, IncidentState
from aiops_core.store.access import Access
from aiops_core.store.database import chunks, upsert
from aiops_core.store.ignoring import is_condition
from aiops_core.store.tables import aliases, analyses, decisions, events, fixes, incidents, runs, sightings

OPEN: tuple[IncidentState, ...] = ("new", "ongoing", "escalating", "regressed")
"""States of an incident that is not over."""
_LAST = "\U0010ffff"
INCIDENT = [incidents.c[name] for name in Incident.__struct_fields__ if name != "events"]
"""Columns of which an Incident is made."""


class Incidents(Access):
    """Look incidents up and change their state."""

    def get(self, incident_id: int) -> Incident:
        """Return an incident with its stored events, the first one first; raise UserError without one."""
        with self._read() as connection:
            row = connection.execute(_GET, {"of_id": incident_id}).first()
            if row is None:
                raise _missing(incident_id)
            return _incident(row, _events_of(connection, incident_id))

    def find(self, name: str) -> Incident:
        """Return the incident with this id or with the only fingerprint that starts so."""
        if name.isdecimal() and (found := self._ids(incidents.c.id == int(name))):
            return self.get(found[0])
        begins = and_(incidents.c.fingerprint >= name, incidents.c.fingerprint < f"{name}{_LAST}")
        found = self._ids(begins) if name else []  # no LIKE: it would look at every fingerprint there is
        if len(found) > 1:
            ids = ", ".join(map(str, found))
            raise UserError(f"incident {name}: several fingerprints start so (incidents {ids}). Name an id.")
        if not found:
            raise _missing(name)
        return self.get(found[0])

    def list(
        self, state: IncidentState | None = None, pipeline: str | None = None, limit: int = 100
    ) -> Sequence[Incident]:
        """Return incidents, the last seen first, without their events."""
        query = select(*INCIDENT).order_by(incidents.c.last_seen.desc(), incidents.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(incidents.c.state == state)
        if pipeline is not None:
            query = query.where(incidents.c.pipeline == pipeline)
        with self._read() as connection:
            return [_incident(row) for row in connection.execute(query)]

    def of_ids(self, incident_ids: Sequence[int]) -> Sequence[Incident]:
        """Return these incidents without their events; those that are not there are left out."""
        with self._read() as connection:
            return [
                _incident(row)
                for some in chunks(incident_ids)
                for row in connection.execute(select(*INCIDENT).where(incidents.c.id.in_(some)))
            ]

    def opened(
        self, pipeline: str | None = None, since: datetime | None = None, limit: int = 500
    ) -> Sequence[Incident]:
        """Return open incidents of which something was heard since then, each with its first event."""
        query = (
            select(*INCIDENT, events.c.event)
            .join(events, (events.c.incident_id == incidents.c.id) & (events.c.number == 1))
            .where(incidents.c.state.in_(OPEN))
            .order_by(incidents.c.heard_at.desc())
        )
        if pipeline is not None:
            query = query.where(incidents.c.pipeline == pipeline)
        if since is not None:
            query = query.where(incidents.c.heard_at > since)
        with self._read() as connection:
            rows = connection.execute(query.limit(limit)).mappings().all()
        return [with_event(row) for row in rows]

    def quiet(self, pipeline: str, since: datetime, limit: int = 500) -> Sequence[int]:
        """Return open incidents of which nothing was heard since then, but for those whose fix is watched."""
        is_quiet = (incidents.c.state.in_(OPEN), incidents.c.heard_at < since)
        watched = exists().where(fixes.c.incident_id == incidents.c.id, fixes.c.state != "regressed")
        query = select(incidents.c.id).where(incidents.c.pipeline == pipeline, *is_quiet, ~watched)
        with self._read() as connection:
            return connection.scalars(query.limit(limit)).all()

    def set_state(
        self, incident_id: int, state: IncidentState, decision: Decision | None = None, *, until: str = ""
    ) -> str:
        """Set the state as people or a policy decide, and why; return the one before.

        A resolved incident awaits no answer until it regresses; an ignored one is counted only, for ever or
        ``until`` a condition of ``ignoring`` holds.
        """
        changed: dict[str, object] = {"state": state, "changed_at": self._clock()}
        with self._write() as connection:
            columns = (incidents.c.state, incidents.c.awaits)
            row = connection.execute(select(*columns).where(incidents.c.id == incident_id)).first()
            if row is None:
                raise _missing(incident_id)
            before, awaits = row
            if state == "resolved" or until or is_condition(awaits):
                changed["awaits"] = until
            if before != state or changed.get("awaits", awaits) != awaits:
                connection.execute(update(incidents).where(incidents.c.id == incident_id).values(changed))
                by_hand = Decision("state", f"{state}: set by hand, it was {before}")
                self.decide(incident_id, None, decision or by_hand)
        return str(before)

    def releases(self, incident_id: int) -> Sequence[str]:
        """Return the releases an incident came from, each as ``release_named`` writes it."""
        with self._read() as connection:
            return connection.scalars(
                select(sightings.c.release).where(sightings.c.incident_id == incident_id)
            ).all()

    def count(self, incident_id: int) -> int:
        """Return how many events an incident has by now."""
        with self._read() as connection:
            return connection.scalar(select(incidents.c.count).where(incidents.c.id == incident_id)) or 0

    def await_events(self, incident_id: int, count: int) -> None:
        """Let the event that makes an incident's count so high cause another run."""
        with self._write() as connection:
            idle = (incidents.c.id == incident_id, incidents.c.awaits == "", incidents.c.state != "resolved")
            connection.execute(update(incidents).where(*idle).values(awaits=f"{count} events"))

    def alias(self, incident_id: int, fingerprint: str) -> None:
        """Let events with another fingerprint (of a newer version of its rules) count here."""
        with self._write() as connection:
            pipeline = pipeline_of(connection, incident_id)
            row = {"pipeline": pipeline, "fingerprint": fingerprint, "incident_id": incident_id}
            connection.execute(upsert(aliases, row), row)

    def similar(self, incident: Incident, limit: int = 5) -> Sequence[tuple[Incident, Analysis | None]]:
        """Return other incidents of the pipeline, the most alike first, with their last analysis.

        Alike means: raised at the same place or with the same message but for numbers and quoted
        words (two points each), or of the same type (one). Without their events.
        """
        with self._read() as connection:
            rows = connection.execute(_SIMILAR, {"of_id": incident.id, "most": limit}).all()
            known = connection.execute(_LAST_ANALYSES, {"of_ids": [row.id for row in rows]}).all()
        found: Mapping[int, Analysis] = dict(map(tuple, known))
        return [(_incident(row), found.get(row.id)) for row in rows]

    def answer(self, incident_id: int) -> Analysis | None:
        """Return the last analysis of an incident that an analyzer made of evidence, None without one."""
        query = select(analyses.c.analysis).join(runs).where(runs.c.incident_id == incident_id)
        query = query.where(analyses.c.evidence != "").order_by(analyses.c.id.desc()).limit(1)
        with self._read() as connection:
            found: Analysis | None = connection.scalar(query)
        return found

    def attributes_before(self, incident: Incident, limit: int = 20) -> Sequence[Mapping[str, str]]:
        """Return what events of the pipeline before an incident say of themselves, the latest first.

        Where the incident names its service, only events of that service count.
        """
        own = incident.events[0].attributes.get("service") if incident.events else None
        first = select(func.min(events.c.id)).where(events.c.incident_id == incident.id).scalar_subquery()
        query = (
            select(events.c.event)
            .join(incidents)
            .where(incidents.c.pipeline == incident.pipeline, incidents.c.id != incident.id)
            .where(events.c.id < first, events.c.seen_at < incident.first_seen)
            .order_by(events.c.id.desc())
            .limit(limit)
        )
        with self._read() as connection:
            found = [event.attributes for event in connection.scalars(query)]
        return [one for one in found if own is None or one.get("service") == own]

    def decide(self, incident_id: int, run_id: int | None, decision: Decision) -> None:
        """Keep why something was or was not done; without a time it is now."""
        self.decide_all([incident_id], run_id, decision)

    def decide_all(self, incident_ids: Iterable[int], run_id: int | None, decision: Decision) -> None:
        """Keep the same decision about each of these incidents."""
        row = {
            "run_id": run_id,
            "rule": decision.rule,
            "text": decision.text,
            "setting": decision.setting,
            "at": decision.at or self._clock(),
        }
        with self._write() as connection:
            connection.execute(_DECIDE, [{"incident_id": each, **row} for each in incident_ids])

    def decide_once(self, incident_id: int, run_id: int | None, decision: Decision) -> None:
        """Keep a decision unless the same stands there for the same run already."""
        same = {"of_id": incident_id, "of_run": run_id, "rule": decision.rule, "text": decision.text}
        with self._write() as connection:
            if connection.scalar(_DECIDED, same) is None:
                self.decide(incident_id, run_id, decision)

    def decisions(self, incident_id: int, run_id: int | None = None) -> Sequence[Decision]:
        """Return every decision about an incident, or of one of its runs, the first one first."""
        query, of = (_DECISIONS, {}) if run_id is None else (_DECISIONS_OF_RUN, {"of_run": run_id})
        with self._read() as connection:
            rows = connection.execute(query, {"of_id": incident_id, **of}).mappings()
            return [Decision(**row) for row in rows]

    def _ids(self, condition: ColumnElement[bool]) -> Sequence[int]:
        query = select(incidents.c.id).where(condition).order_by(incidents.c.id).limit(10)
        with self._read() as connection:
            return connection.scalars(query).all()


def _incident(row: Row[Any], stored: tuple[Event, ...] = ()) -> Incident:
    return Incident(**row._mapping, events=stored)


def with_event(row: Mapping[Any, Any]) -> Incident:  # Any: columns and their values
    """Return an incident whose row carries its first event."""
    values = {name: row[name] for name in row if name != "event"}
    return Incident(**values, events=(row["event"],))


_GET = select(*INCIDENT).where(incidents.c.id == bindparam("of_id"))
_EVENTS = (
    select(events.c.event, events.c.context_after)
    .where(events.c.incident_id == bindparam("of_id"))
    .order_by(events.c.number)
)
_DECIDE = insert(decisions)
_DECIDED = (
    select(decisions.c.id)
    .where(
        decisions.c.incident_id == bindparam("of_id"),
        decisions.c.run_id.is_not_distinct_from(bindparam("of_run")),
        decisions.c.rule == bindparam("rule"),
        decisions.c.text == bindparam("text"),
    )
    .limit(1)
)
_DECISIONS = (
    select(*(decisions.c[name] for name in Decision.__struct_fields__))
    .where(decisions.c.incident_id == bindparam("of_id"))
    .order_by(decisions.c.id)
)
_DECISIONS_OF_RUN = _DECISIONS.where(decisions.c.run_id == bindparam("of_run"))


def _events_of(connection: Connection, incident_id: int) -> tuple[Event, ...]:
    rows = connection.execute(_EVENTS, {"of_id": incident_id}).all()
    return tuple(
        event if after is None else replace(event, context_after=tuple(after)) for event, after in rows
    )


_WEIGHTS = {"place": 2, "template": 2, "type": 1}
_OWN = incidents.alias("own")
_POINTS: ColumnElement[int] = sum(
    (
        case((and_(_OWN.c[name] != "", incidents.c[name] == _OWN.c[name]), weight), else_=0)
        for name, weight in _WEIGHTS.items()
    ),
    start=literal(0),
)
_SIMILAR = (
    select(*INCIDENT)
    .join(_OWN, and_(_OWN.c.id == bindparam("of_id"), _OWN.c.pipeline == incidents.c.pipeline))
    .where(incidents.c.id != _OWN.c.id, _POINTS > 0)
    .order_by(_POINTS.desc(), incidents.c.last_seen.desc())
    .limit(bindparam("most"))
)
_LAST_OF_EACH = (
    select(func.max(analyses.c.id))
    .join(runs)
    .where(runs.c.incident_id.in_(bindparam("of_ids", expanding=True)))
    .group_by(runs.c.incident_id)
)
_LAST_ANALYSES = (
    select(runs.c.incident_id, analyses.c.analysis).join(runs).where(analyses.c.id.in_(_LAST_OF_EACH))
)


def pipeline_of(connection: Connection, incident_id: int) -> str:
    """Return the pipeline of an incident; raise UserError when there is none."""
    found = connection.scalar(select(incidents.c.pipeline).where(incidents.c.id == incident_id))
    if found is None:
        raise _missing(incident_id)
    return str(found)


def _missing(name: object) -> UserError:
    return UserError(f"incident {name}: there is none. `aiops incidents list` shows those that are.")
