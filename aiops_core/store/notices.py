"""What people were told of each incident, when they are reminded, and who took it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace
from sqlalchemy import and_, bindparam, exists, func, or_, select

from aiops_core.records import Decision, IncidentState, Json, ReportKind, Severity
from aiops_core.store.access import Access
from aiops_core.store.database import upsert
from aiops_core.store.incidents import OPEN, Incidents
from aiops_core.store.tables import deliveries, incidents, notices


class Notice(Struct, frozen=True):
    """What was told of one incident.

    ``news`` is when each kind of news was last told. ``chain`` names who is told next while nobody
    acknowledges, at ``climb_at`` the first of them.
    """

    incident_id: int
    state: IncidentState
    severity: Severity
    told_at: datetime
    count: int
    news: Json = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    reminded: int = 0
    remind_at: datetime | None = None
    chain: tuple[str, ...] = ()
    chain_seconds: int = 0
    climb_at: datetime | None = None
    acked_by: str = ""
    acked_at: datetime | None = None

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody took it on."""
        return bool(self.acked_by)


_SHORT = ("reminder", "escalating", "resolved")
_COLUMNS = [notices.c[name] for name in Notice.__struct_fields__]
_GET = select(*_COLUMNS).where(notices.c.incident_id == bindparam("of_incident"))
_SAVE = upsert(notices, Notice.__struct_fields__)


class Notices(Access):
    """Keep what was told."""

    def get(self, incident_id: int) -> Notice | None:
        """Return what was told of an incident, None before the first message."""
        with self._read() as connection:
            row = connection.execute(_GET, {"of_incident": incident_id}).mappings().first()
        return None if row is None else _notice(row)

    def save(self, notice: Notice) -> None:
        """Keep what was told."""
        row = asdict(notice) | {"targets": list(notice.targets), "chain": list(notice.chain)}
        with self._write() as connection:
            connection.execute(_SAVE, row)

    def untold(self, incident_id: int, kind: ReportKind, at: datetime) -> None:
        """Forget the news of a message that was to be sent then: it was not."""
        notice = self.get(incident_id)
        if notice is not None:
            own = {name for name in notice.news if (name if name in _SHORT else "incident") == kind}
            news = {
                name: told for name, told in notice.news.items() if name not in own or told != at.isoformat()
            }
            self.save(replace(notice, news=news))

    def due(self, pipeline: str, now: datetime) -> Sequence[Notice]:
        """Return the incidents of a pipeline of which somebody is to be reminded or told next."""
        is_due = or_(notices.c.remind_at <= now, notices.c.climb_at <= now)
        return self._rows(incidents.c.pipeline == pipeline, is_due)

    def changed(self, pipeline: str) -> Sequence[Notice]:
        """Return the incidents of a pipeline whose state is not the one that was told."""
        return self._rows(incidents.c.pipeline == pipeline, incidents.c.state != notices.c.state)

    def next_due(self, pipeline: str) -> datetime | None:
        """Return when somebody is to be reminded or told next."""
        times = [
            select(func.min(column, type_=column.type))
            .join(incidents)
            .where(incidents.c.pipeline == pipeline)
            for column in (notices.c.remind_at, notices.c.climb_at)
        ]
        with self._read() as connection:
            found = [at for query in times if (at := connection.scalar(query)) is not None]
        return min(found, default=None)

    def is_open(self, pipeline: str) -> bool:
        """Return whether an incident that people were told of is open, or ended and they do not know."""
        is_open = or_(incidents.c.state.in_(OPEN), incidents.c.state != notices.c.state)
        query = select(notices.c.incident_id).join(incidents).where(incidents.c.pipeline == pipeline, is_open)
        with self._read() as connection:
            return connection.scalar(query.limit(1)) is not None

    def is_begun(self, incident_id: int) -> bool:
        """Return whether any message about an incident was tried."""
        begun = exists().where(deliveries.c.incident_id == incident_id, deliveries.c.batch > 0)
        with self._read() as connection:
            return bool(connection.scalar(select(begun)))

    def waits(self, incident_id: int) -> bool:
        """Return whether a message about an incident still waits."""
        waits = and_(deliveries.c.incident_id == incident_id, deliveries.c.state.in_(["waiting", "failed"]))
        with self._read() as connection:
            return bool(connection.scalar(select(exists().where(waits))))

    def acknowledge(self, incident_id: int, by: str) -> None:
        """Note that somebody takes an incident on: nobody is reminded, nobody else is told."""
        values = {"acked_by": by, "acked_at": self._clock(), "remind_at": None, "climb_at": None}
        text = f"acknowledged by {by}: nobody is reminded, nobody else is told"
        self._note(incident_id, values, text)

    def unacknowledge(self, incident_id: int) -> None:
        """Note that nobody has an incident any more: people are told again at once who comes next."""
        now = self._clock()
        values = {"acked_by": "", "acked_at": None, "remind_at": now, "climb_at": now}
        self._note(incident_id, values, "not acknowledged any more: people are reminded and told again")

    def _note(self, incident_id: int, values: Json, text: str) -> None:
        with self._write() as connection:
            columns = (incidents.c.state, incidents.c.severity, incidents.c.count)
            row = connection.execute(select(*columns).where(incidents.c.id == incident_id)).one()
            known, now = self.get(incident_id), self._clock()
            blank = Notice(incident_id, row.state, row.severity, now, row._mapping["count"])
            self.save(replace(known or blank, **values))
            Incidents(self._database, self._clock).decide(incident_id, None, Decision("ack", text))

    def _rows(self, *conditions: Json) -> Sequence[Notice]:
        query = select(*_COLUMNS).join(incidents).where(*conditions).order_by(notices.c.incident_id)
        with self._read() as connection:
            rows = connection.execute(query.limit(1_000)).mappings().all()
        return [_notice(row) for row in rows]


def _notice(row: Mapping[Any, Any]) -> Notice:  # Any: columns and their values
    return Notice(**{**row, "targets": tuple(row["targets"]), "chain": tuple(row["chain"])})
