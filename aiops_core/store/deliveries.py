"""Reports on their way to people: one delivery is one report to one target, one job drains a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.sqlite import Insert, insert

from aiops_core.errors import UserError
from aiops_core.records import SEVERITIES, Receipt, RecipientResult, Report
from aiops_core.store.access import Access
from aiops_core.store.database import chunks
from aiops_core.store.queue import MAX_ATTEMPTS, new_job
from aiops_core.store.tables import deliveries, jobs, receipts

DeliveryState: TypeAlias = Literal["waiting", "sent", "failed", "dropped", "dead"]
MOST_AT_ONCE = 1_000
"""Deliveries looked at together, and so the most that one message may stand for."""
_BEFORE_RUNS = 10  # a message takes moments and people wait for it; an analysis takes minutes
_ENDLESS = 1_000  # attempts are counted by delivery, not by the job of their target


class DeliveryRow(Struct, frozen=True):
    """One report to one target: ``failed`` is tried again, ``dead`` only when somebody asks.

    ``wanted_at`` is since when the target was to have it, once it was tried.
    ``dropped`` was not sent on purpose. Those with one ``batch`` go out as one message, in every
    try the same. ``held`` says what a waiting one waits for, "" when for nothing but its turn.
    """

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
    due_at: datetime
    wanted_at: datetime | None
    batch: int
    held: str
    fallback: str


_COLUMNS = [deliveries.c[name] for name in DeliveryRow.__struct_fields__ if name != "receipts"]
_IS_OPEN = deliveries.c.state.in_(["waiting", "failed"])

# Statements that every message needs are made once: making one costs more than what it does.
_TO = and_(deliveries.c.pipeline == bindparam("of_pipeline"), deliveries.c.target == bindparam("of_target"))
_IS_DUE = and_(_TO, _IS_OPEN, deliveries.c.batch == 0, deliveries.c.due_at <= bindparam("now"))
_FIRST_DUE = func.min(deliveries.c.due_at, type_=deliveries.c.due_at.type)
_SENT_AT = func.max(deliveries.c.updated_at, type_=deliveries.c.updated_at.type)
_ADD = (
    insert(deliveries)
    .on_conflict_do_nothing(index_elements=["pipeline", "target", "key"])
    .returning(deliveries.c.id)
)
_KNOWN = select(deliveries.c.id).where(_TO, deliveries.c.key == bindparam("of_key"))
_BEGUN = select(*_COLUMNS).where(_TO, _IS_OPEN, deliveries.c.batch > 0).order_by(deliveries.c.id)
_DUE = select(*_COLUMNS).where(_IS_DUE).order_by(deliveries.c.urgency, deliveries.c.id)
_WAITING = select(deliveries.c.held, _FIRST_DUE).where(_IS_DUE).group_by(deliveries.c.held)
_NEXT_DUE = select(_FIRST_DUE).where(_TO, _IS_OPEN)
_SENT_SINCE = (
    select(_SENT_AT)
    .where(_TO, deliveries.c.state == "sent", deliveries.c.updated_at > bindparam("since"))
    .group_by(deliveries.c.batch)
    .order_by(_SENT_AT.desc())
)
_CHANGE = update(deliveries).where(deliveries.c.id.in_(bindparam("of_ids", expanding=True)))
_BEGIN = _CHANGE.values(
    attempts=deliveries.c.attempts + 1, wanted_at=func.coalesce(deliveries.c.wanted_at, deliveries.c.due_at)
)
_PUT_OFF = _CHANGE.values(attempts=deliveries.c.attempts - 1)
_RECEIPTS = (
    select(receipts.c.receipt)
    .where(receipts.c.delivery_id == bindparam("of_delivery"))
    .order_by(receipts.c.id)
)
_RECEIVE = insert(receipts)


class Deliveries(Access):
    """Plan deliveries, hand them out by target, and keep how they went."""

    def plan(
        self,
        run_id: int | None,
        incident_id: int | None,
        target: str,
        report: Report,
        key: str,
        *,
        max_attempts: int = MAX_ATTEMPTS,
        due_at: datetime | None = None,
        held: str = "",
        fallback: str = "",
    ) -> int:
        """Create a delivery and have the job of its target look at it; return its id.

        The same pipeline, target and key give the delivery that is there already. After
        ``max_attempts`` tries in vain ``fallback`` is told as well.
        """
        now = self._clock()
        place = {"pipeline": report.pipeline, "target": target, "key": key}
        with self._write() as connection:
            row: dict[str, Any] = {  # Any: column values
                **place,
                "run_id": run_id,
                "incident_id": incident_id,
                "state": "waiting",
                "report": report,
                "urgency": SEVERITIES.index(report.severity),
                "due_at": due_at or now,
                "held": held,
                "fallback": fallback,
            }
            row |= {"max_attempts": max_attempts, "created_at": now, "updated_at": now}
            created = connection.scalar(_ADD, row)
            if created is None:
                return int(
                    connection.execute(
                        _KNOWN, {f"of_{name}": value for name, value in place.items()}
                    ).scalar_one()
                )
            _look_at(connection, report.pipeline, target, row["due_at"], now)
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
        return self._rows(deliveries.c.incident_id == incident_id)

    def faults(self) -> Sequence[DeliveryRow]:
        """Return the deliveries of reports of failures of aiops itself, the first one first."""
        begins = and_(deliveries.c.key >= "fault/", deliveries.c.key < "fault0")
        return self._rows(deliveries.c.incident_id.is_(None), begins)

    def troubles(self) -> Sequence[tuple[str, str, int]]:
        """Return the targets with messages they did not take: the last error, and how many wait or were given up."""
        bad = deliveries.c.state.in_(["failed", "dead"])
        last = func.max(deliveries.c.id)
        query = select(deliveries.c.target, deliveries.c.error, func.count(), last).where(bad)
        with self._read() as connection:
            rows = connection.execute(query.group_by(deliveries.c.target).order_by(deliveries.c.target))
            return [(target, error, count) for target, error, count, _ in rows]

    def begun(self, pipeline: str, target: str) -> Sequence[DeliveryRow]:
        """Return the deliveries of a target that were tried and not sent, the first one first."""
        return self._found(_BEGUN.limit(MOST_AT_ONCE), {"of_pipeline": pipeline, "of_target": target})

    def due(self, pipeline: str, target: str, limit: int = MOST_AT_ONCE) -> Sequence[DeliveryRow]:
        """Return what a target is to be told now and never was, the most urgent first, then the oldest."""
        return self._found(_DUE.limit(limit), self._now(pipeline, target))

    def waiting(self, pipeline: str, target: str) -> Mapping[str, datetime]:
        """Return since when something is due to a target, by what it was held for."""
        with self._read() as connection:
            return {row[0]: row[1] for row in connection.execute(_WAITING, self._now(pipeline, target))}

    def hold_due(
        self, pipeline: str, target: str, until: datetime, why: str
    ) -> Sequence[tuple[int | None, int | None, str]]:
        """Let all that is due to a target wait; return incident, run and key of each."""
        held = update(deliveries).where(_IS_DUE).values(due_at=until, held=why)
        with self._write() as connection:
            columns = (deliveries.c.incident_id, deliveries.c.run_id, deliveries.c.key)
            rows = connection.execute(held.returning(*columns), self._now(pipeline, target))
            return [(row.incident_id, row.run_id, row.key) for row in rows]

    def _now(self, pipeline: str, target: str) -> dict[str, object]:
        return {"of_pipeline": pipeline, "of_target": target, "now": self._clock()}

    def next_due(self, pipeline: str, target: str) -> datetime | None:
        """Return when the next waiting delivery of a target is due."""
        with self._read() as connection:
            found: datetime | None = connection.scalar(
                _NEXT_DUE, {"of_pipeline": pipeline, "of_target": target}
            )
        return found

    def sent_since(self, pipeline: str, target: str, since: datetime, limit: int) -> Sequence[datetime]:
        """Return when the last messages to a target were sent, the latest first."""
        of = {"of_pipeline": pipeline, "of_target": target, "since": since}
        with self._read() as connection:
            return connection.scalars(_SENT_SINCE.limit(limit), of).all()

    def begin(self, ids: Sequence[int]) -> None:
        """Bind deliveries into one message and count the try, before it is made."""
        self._set(ids, {"batch": min(ids), "held": "", "updated_at": self._clock()}, _BEGIN)

    def sent(self, ids: Sequence[int], receipt: Receipt) -> None:
        """Keep the receipt of deliveries that arrived as one message."""
        self._set(ids, {"state": "sent", "error": "", "updated_at": self._clock()})
        self._keep(ids, receipt)

    def receive(self, ids: Sequence[int], served: Sequence[RecipientResult]) -> None:
        """Keep who was served by a message that is tried again for the others."""
        if served:
            self._keep(ids, Receipt(recipients=tuple(served)))

    def _keep(self, ids: Sequence[int], receipt: Receipt) -> None:
        rows = [{"delivery_id": each, "receipt": receipt, "at": self._clock()} for each in ids]
        with self._write() as connection:
            connection.execute(_RECEIVE, rows)

    def put_off(self, ids: Sequence[int], due_at: datetime) -> None:
        """Try again then; the try does not count, for nothing was sent."""
        self._set(ids, {"due_at": due_at}, _PUT_OFF)

    def failed(self, ids: Sequence[int], error: str, due_at: datetime) -> None:
        """Note a try in vain; the next one is due then."""
        self._set(ids, {"state": "failed", "error": error, "due_at": due_at, "updated_at": self._clock()})

    def give_up(self, ids: Sequence[int], error: str) -> None:
        """Note that nobody will send them any more, unless somebody asks."""
        self._set(ids, {"state": "dead", "error": error, "updated_at": self._clock()})

    def hold(self, ids: Sequence[int], until: datetime, why: str) -> None:
        """Let deliveries wait; they are looked at again then."""
        self._set(ids, {"due_at": until, "held": why})

    def drop(self, ids: Sequence[int], why: str) -> None:
        """Note that they are not sent on purpose."""
        self._set(ids, {"state": "dropped", "error": why, "updated_at": self._clock()})

    def fell_back(self, ids: Sequence[int]) -> None:
        """Note that the fallback is told."""
        self._set(ids, {"fallback": ""})

    def release(self, held: str) -> int:
        """Make due what waits for this, in whatever pipeline; return how many deliveries."""
        with self._write() as connection:
            return release(connection, held, self._clock())

    def recover(self) -> None:
        """Have every target with something to be told looked at, whatever became of its job."""
        now = self._clock()
        query = select(deliveries.c.pipeline, deliveries.c.target).where(_IS_OPEN).distinct()
        with self._write() as connection:
            for pipeline, target in connection.execute(query).all():
                _look_at(connection, pipeline, target, now, now)

    def retry(self, delivery_id: int) -> None:
        """Make a delivery due now, by itself, with all its attempts."""
        now = self._clock()
        again = {"state": "waiting", "attempts": 0, "batch": 0, "held": "", "due_at": now}
        again |= {"wanted_at": None, "updated_at": now}
        with self._write() as connection:
            row = connection.execute(
                update(deliveries)
                .where(deliveries.c.id == delivery_id)
                .values(again)
                .returning(deliveries.c.pipeline, deliveries.c.target)
            ).first()
            if row is None:
                raise _missing(delivery_id)
            _look_at(connection, row.pipeline, row.target, now, now, is_asked=True)

    def _set(
        self, ids: Sequence[int], values: dict[str, Any], change: Update = _CHANGE
    ) -> None:  # Any: column values
        with self._write() as connection:
            for some in chunks(ids):
                if connection.execute(change, {"of_ids": some, **values}).rowcount < len(some):
                    raise _missing(next(iter(some)))

    def _rows(self, *conditions: ColumnElement[bool]) -> Sequence[DeliveryRow]:
        query = select(*_COLUMNS).where(*conditions).order_by(deliveries.c.id)
        return self._found(query.limit(MOST_AT_ONCE), {})

    def _found(self, query: Select[Any], of: Mapping[str, object]) -> Sequence[DeliveryRow]:
        with self._read() as connection:
            return [_delivery(connection, row) for row in connection.execute(query, of).all()]


def delivery_key(pipeline: str, target: str) -> str:
    """Return the key of the job that tells one target of a pipeline, one message after the other."""
    return f"deliver:{pipeline}:{target}"


def release(connection: Connection, held: str, now: datetime) -> int:
    """Make due what waits for this, in whatever pipeline; return how many deliveries."""
    waiting = and_(_IS_OPEN, deliveries.c.held == held, deliveries.c.due_at > now)
    where = (deliveries.c.pipeline, deliveries.c.target)
    targets = connection.execute(select(*where).where(waiting).distinct()).all()
    if not targets:
        return 0
    count = connection.execute(update(deliveries).where(waiting).values(due_at=now)).rowcount
    for pipeline, target in targets:
        _look_at(connection, pipeline, target, now, now)
    return count


def _look_at(
    connection: Connection,
    pipeline: str,
    target: str,
    due: datetime,
    now: datetime,
    *,
    is_asked: bool = False,
) -> None:
    """Let the job of a target look at its deliveries; one that waits for the target to be back is left so.

    ``is_asked``: a person wants it at once.
    """
    key = delivery_key(pipeline, target)
    job = new_job("deliver", key, {"pipeline": pipeline, "target": target}, due, now)
    job |= {"max_attempts": _ENDLESS, "priority": _BEFORE_RUNS}
    connection.execute(_LOOK_AT_ONCE if is_asked else _LOOK, job)


def _waking(waits: ColumnElement[bool]) -> Insert:
    """Return what adds the job of a target, or makes the one that is there due where that holds."""
    statement = insert(jobs)
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={"state": "ready", "due_at": statement.excluded.due_at, "error": ""},
        where=and_(jobs.c.state != "leased", waits),
    )


_IS_TOO_LATE = and_(jobs.c.due_at > insert(jobs).excluded.due_at, jobs.c.error == "")
_LOOK = _waking(or_(jobs.c.state == "dead", _IS_TOO_LATE))
_LOOK_AT_ONCE = _waking(true())


def _delivery(connection: Connection, row: Row[Any]) -> DeliveryRow:
    values = dict(row._mapping)
    if not values["report"].key:  # a damaged one
        values["report"] = replace(values["report"], key=row.key, pipeline=row.pipeline)
    return DeliveryRow(**values, receipts=tuple(connection.scalars(_RECEIPTS, {"of_delivery": row.id})))


def _missing(delivery_id: int) -> UserError:
    return UserError(f"delivery {delivery_id}: there is none. `aiops deliveries list` shows those that are.")
