"""Reports on their way to people: one delivery is one report to one target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Row, insert, select, update

from aiops_core.errors import UserError
from aiops_core.records import Receipt, Report
from aiops_core.store.access import Access
from aiops_core.store.queue import MAX_ATTEMPTS, Job, new_job
from aiops_core.store.tables import deliveries, jobs, receipts

DeliveryState: TypeAlias = Literal["waiting", "sent", "failed", "dead"]


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One report to one target: ``failed`` is tried again, ``dead`` only when somebody asks."""

    id: int
    run_id: int | None
    incident_id: int | None
    pipeline: str
    target: str
    key: str
    state: DeliveryState
    attempts: int
    max_attempts: int
    report: Report
    receipts: tuple[Receipt, ...]
    error: str
    created_at: datetime
    updated_at: datetime


_COLUMNS = [deliveries.c[name] for name in DeliveryRow.__dataclass_fields__ if name != "receipts"]


class Deliveries(Access):
    """Plan deliveries and keep how they went."""

    def plan(
        self,
        run_id: int | None,
        incident_id: int | None,
        target: str,
        report: Report,
        key: str,
        *,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> int:
        """Create a delivery with its job of kind ``deliver``; return its id.

        The same pipeline, target and key give the delivery that is there already. The job may be
        tried ``max_attempts`` times: give at least what the notifier asks for.
        """
        now = self._clock()
        place = {"pipeline": report.pipeline, "target": target, "key": key}
        with self._write() as connection:
            found = connection.scalar(select(deliveries.c.id).filter_by(**place))
            if found is not None:
                return int(found)
            row: dict[str, Any] = {  # Any: column values
                **place,
                "run_id": run_id,
                "incident_id": incident_id,
                "state": "waiting",
                "report": report,
            }
            row |= {"max_attempts": max_attempts, "created_at": now, "updated_at": now}
            created = connection.scalars(insert(deliveries).values(row).returning(deliveries.c.id)).one()
            _make_due(connection, int(created), now, max_attempts)
        return int(created)

    def get(self, delivery_id: int) -> DeliveryRow:
        """Return a delivery; raise UserError when there is none."""
        with self._read() as connection:
            row = connection.execute(select(*_COLUMNS).where(deliveries.c.id == delivery_id)).first()
            if row is None:
                raise _missing(delivery_id)
            return _delivery(connection, row)

    def list(self, state: DeliveryState | None = None, limit: int = 100) -> Sequence[DeliveryRow]:
        """Return deliveries, the last one first."""
        query = select(*_COLUMNS).order_by(deliveries.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(deliveries.c.state == state)
        with self._read() as connection:
            return [_delivery(connection, row) for row in connection.execute(query).all()]

    def of_incident(self, incident_id: int) -> Sequence[DeliveryRow]:
        """Return the deliveries about an incident, the first one first."""
        query = select(*_COLUMNS).where(deliveries.c.incident_id == incident_id).order_by(deliveries.c.id)
        with self._read() as connection:
            return [_delivery(connection, row) for row in connection.execute(query).all()]

    def sent(self, delivery_id: int, receipt: Receipt) -> None:
        """Keep the receipt of a delivery that arrived."""
        with self._write() as connection:
            self._tried(connection, delivery_id, "sent", "")
            row = {"delivery_id": delivery_id, "receipt": receipt, "at": self._clock()}
            connection.execute(insert(receipts).values(row))

    def failed(self, delivery_id: int, error: str, *, final: bool) -> None:
        """Note a failed attempt; a final one makes the delivery dead."""
        with self._write() as connection:
            self._tried(connection, delivery_id, "dead" if final else "failed", error)

    def retry(self, delivery_id: int) -> None:
        """Make a delivery due now, with all its attempts."""
        now = self._clock()
        again = update(deliveries).where(deliveries.c.id == delivery_id)
        again = again.values(state="waiting", attempts=0, updated_at=now)
        with self._write() as connection:
            max_attempts = connection.scalar(again.returning(deliveries.c.max_attempts))
            if max_attempts is None:
                raise _missing(delivery_id)
            _make_due(connection, delivery_id, now, max_attempts)

    def job_died(self, job: Job) -> None:
        """Note that nobody will deliver it any more, because its job is a dead letter."""
        dead = update(deliveries).where(
            deliveries.c.id == job.payload["delivery"], deliveries.c.state != "sent"
        )
        with self._write() as connection:
            connection.execute(dead.values(state="dead", error=job.error, updated_at=self._clock()))

    def _tried(self, connection: Connection, delivery_id: int, state: str, error: str) -> None:
        tried = {
            "state": state,
            "error": error,
            "attempts": deliveries.c.attempts + 1,
            "updated_at": self._clock(),
        }
        if not connection.execute(
            update(deliveries).where(deliveries.c.id == delivery_id).values(tried)
        ).rowcount:
            raise _missing(delivery_id)


_BEFORE_RUNS = 10  # a message takes moments and people wait for it; an analysis takes minutes


def _make_due(connection: Connection, delivery_id: int, now: datetime, max_attempts: int) -> None:
    key = f"deliver:{delivery_id}"
    again = update(jobs).where(jobs.c.key == key, jobs.c.state != "leased")
    if connection.execute(again.values(state="ready", attempts=0, due_at=now)).rowcount:
        return
    if connection.scalar(select(jobs.c.id).where(jobs.c.key == key)) is None:
        job = new_job("deliver", key, {"delivery": delivery_id}, now, now)
        connection.execute(
            insert(jobs).values({**job, "max_attempts": max_attempts, "priority": _BEFORE_RUNS})
        )


def _delivery(connection: Connection, row: Row[Any]) -> DeliveryRow:
    query = select(receipts.c.receipt).where(receipts.c.delivery_id == row.id).order_by(receipts.c.id)
    return DeliveryRow(**row._mapping, receipts=tuple(connection.scalars(query)))


def _missing(delivery_id: int) -> UserError:
    return UserError(f"delivery {delivery_id}: there is none. `aiops deliveries list` shows those that are.")
