"""What was decided about each incident of a storm: analysed, told as it is, or part of another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, and_, bindparam, exists, func, insert, or_, select, update

from aiops_core.errors import UserError
from aiops_core.records import Decision, Incident, Severity
from aiops_core.store.access import Access
from aiops_core.store.database import chunks
from aiops_core.store.incidents import INCIDENT, OPEN, Incidents, with_event
from aiops_core.store.runs import BY_ITSELF
from aiops_core.store.tables import events, incidents, runs, triage

Verdict: TypeAlias = Literal["analysed", "raw", "part"]
_MINUTE = timedelta(minutes=1)
_MOST = 1_000


class Triaged(Struct, frozen=True):
    """One incident of a storm, by the run that answers it; ``until`` is when its storm is over.

    ``severity`` and ``count`` are as of now. An incident is part of another as long as its last run is.
    """

    run_id: int
    incident_id: int
    pipeline: str
    service: str
    verdict: Verdict
    part_of: int | None
    began_at: datetime
    until: datetime
    severity: Severity
    count: int

    def of(self, head: int) -> Triaged:
        """Return it as part of another incident."""
        return replace(self, verdict="part", part_of=head)

    def judged(self, *, analysed: bool) -> Triaged:
        """Return it as one that is analysed, or told as it is."""
        return replace(self, verdict="analysed" if analysed else "raw")


_OWN = [triage.c[name] for name in Triaged.__struct_fields__ if name not in ("severity", "count")]
_ROWS = select(*_OWN, incidents.c.severity, incidents.c["count"]).join(
    incidents, incidents.c.id == triage.c.incident_id
)
_OF_RUN = _ROWS.where(triage.c.run_id == bindparam("of_run"))
_NEAR = (
    select(runs.c.created_at)
    .where(
        runs.c.pipeline == bindparam("of"),
        runs.c.created_at.between(bindparam("first"), bindparam("last")),
        runs.c.reason.in_(BY_ITSELF),
    )
    .order_by(runs.c.created_at)
    .limit(bindparam("most"))
)
_LAST_RUN = select(func.max(runs.c.id)).where(runs.c.incident_id == triage.c.incident_id).scalar_subquery()
_IS_LAST = triage.c.run_id == _LAST_RUN


class Triage(Access):
    """Keep what was decided in storms."""

    def of_run(self, run_id: int) -> Triaged | None:
        """Return what was decided about a run, None outside of storms."""
        with self._read() as connection:
            row = connection.execute(_OF_RUN, {"of_run": run_id}).mappings().first()
        return None if row is None else Triaged(**row)

    def is_storm(self, pipeline: str, at: datetime, most: int) -> bool:
        """Return whether more incidents came up or came back within a minute, about that moment."""
        near = {"of": pipeline, "first": at - _MINUTE, "last": at + _MINUTE, "most": 2 * most + 1}
        with self._read() as connection:
            times = connection.scalars(_NEAR, near).all()
        return any(last - first < _MINUTE for first, last in zip(times, times[most:], strict=False))

    def going_on(self, pipeline: str) -> Sequence[Triaged]:
        """Return everything decided in the storm that is not over."""
        return self._rows(triage.c.pipeline == pipeline, triage.c.until > self._clock())

    def undecided(
        self, pipeline: str, run_id: int, since: datetime
    ) -> Sequence[tuple[int, datetime, Incident]]:
        """Return run, beginning and incident of those that wait to be answered since then, and of this run."""
        waits = and_(
            runs.c.pipeline == pipeline,
            runs.c.created_at > since,
            runs.c.reason.in_(BY_ITSELF),
            runs.c.started_at.is_(None),
            incidents.c.state.in_(OPEN),
        )
        is_own = runs.c.id == run_id
        query = (
            select(runs.c.id.label("run"), runs.c.created_at.label("began"), *INCIDENT, events.c.event)
            .join(incidents, incidents.c.id == runs.c.incident_id)
            .join(events, and_(events.c.incident_id == incidents.c.id, events.c.number == 1))
            .where(or_(waits, is_own), ~exists().where(triage.c.run_id == runs.c.id))
            .order_by(is_own.desc(), runs.c.id)
        )
        with self._read() as connection:
            rows = connection.execute(query.limit(_MOST)).mappings().all()
        return [
            (row["run"], row["began"], with_event({k: row[k] for k in row if k not in ("run", "began")}))
            for row in rows
        ]

    def save(self, decided: Sequence[Triaged]) -> None:
        """Keep what was decided."""
        names = [column.name for column in _OWN]
        rows = [{name: getattr(one, name) for name in names} for one in decided]
        if rows:
            with self._write() as connection:
                connection.execute(insert(triage), rows)

    def part_of(self, incident_id: int) -> int | None:
        """Return the incident that an incident is part of, None for one of its own."""
        return self.parts([incident_id]).get(incident_id)

    def parts(self, incident_ids: Sequence[int]) -> dict[int, int]:
        """Return which of these incidents are part of another, and of which."""
        return {
            one.incident_id: one.part_of
            for some in chunks(incident_ids)
            for one in self._rows(triage.c.incident_id.in_(some), _IS_LAST)
            if one.part_of is not None
        }

    def members(self, incident_id: int) -> Sequence[int]:
        """Return the incidents that are part of this one."""
        return [one.incident_id for one in self._rows(triage.c.part_of == incident_id, _IS_LAST)]

    def is_led(self, incident_id: int) -> bool:
        """Return whether an incident is part of one that is open."""
        head = self.part_of(incident_id)
        query = select(incidents.c.id).where(incidents.c.id == head, incidents.c.state.in_(OPEN))
        with self._read() as connection:
            return head is not None and connection.scalar(query) is not None

    def take_out(self, incident_id: int) -> int:
        """Let an incident be one of its own again; return the one it was part of."""
        head = self.part_of(incident_id)
        if head is None:
            raise UserError(f"incident {incident_id}: is not part of another. Nothing was changed.")
        own = and_(triage.c.incident_id == incident_id, triage.c.part_of.is_not(None))
        with self._write() as connection:
            connection.execute(update(triage).where(own).values(part_of=None, verdict="raw"))
            why = Decision("storm", f"no longer part of incident {head}: taken out by hand")
            Incidents(self._database, self._clock).decide(incident_id, None, why)
        return head

    def _rows(self, *conditions: ColumnElement[bool]) -> Sequence[Triaged]:
        with self._read() as connection:
            rows = connection.execute(_ROWS.where(*conditions).order_by(triage.c.run_id)).mappings()
            return [Triaged(**row) for row in rows]
