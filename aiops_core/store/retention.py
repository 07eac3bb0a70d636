"""What is forgotten, and when: the database stays as small as its settings say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    type_coerce,
)

from aiops_core.errors import StoreError
from aiops_core.store.access import Access
from aiops_core.store.columns import JsonValue, Record, opened
from aiops_core.store.spending import DAY
from aiops_core.store.tables import (
    analyses,
    changes,
    decisions,
    deliveries,
    effects,
    events,
    evidence,
    faults,
    fixes,
    jobs,
    metadata,
    outcomes,
    plans,
    receipts,
    remarks,
    requests,
    runs,
    sightings,
    silences,
    spending,
    steps,
    trends,
    triage,
    volumes,
)

BATCH = 500
"""Rows looked for in one transaction, so that nobody waits long for the writer."""


class Cut(Struct, frozen=True):
    """From when on things are kept."""

    events: datetime
    runs: datetime
    trends: datetime


class Retention(Access):
    """Measure the database and delete what is older than a cut."""

    def prune(self, cut: Cut) -> int:
        """Delete one batch of what is older; return how many rows went, 0 when nothing is left.

        Incidents stay with their counts, and so do the first and the last stored event of each, its
        last run, and runs and deliveries that something still waits for.
        """
        with self._write() as connection:
            for query, forget in (
                (_old_events(cut.events), _forget_events),
                (_old_runs(cut.runs), _forget_runs),
                (_old_deliveries(cut.runs), _forget_deliveries),
            ):
                if ids := connection.scalars(query.limit(BATCH)).all():
                    return forget(connection, ids)
            return _forget_rows(connection, cut, self._clock())

    def size(self) -> int:
        """Return the bytes of the database file that hold something."""
        with self._read() as connection:
            pages, free, size = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    def damaged(self) -> Iterator[str]:
        """Yield what is not as it was written: table, row and column; reads everything that has a checksum."""
        for name, table in sorted(metadata.tables.items()):
            columns = [column for column in table.c if isinstance(column.type, JsonValue | Record)]
            keys = list(table.primary_key)
            if not columns:
                continue
            query = select(*keys, *(type_coerce(column, Text).label(column.name) for column in columns))
            with self._read() as connection:
                for row in connection.execute(query):
                    which = ", ".join(str(row[number]) for number in range(len(keys)))
                    for column, text in zip(columns, row[len(keys) :], strict=True):
                        if not _is_sound(text):
                            yield f"{name}, row {which}: {column.name} is not as it was written"

    def rows(self) -> Mapping[str, int]:
        """Return how many rows every table has."""
        with self._read() as connection:
            return {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in sorted(metadata.tables.items())
            }


def _is_sound(text: str | None) -> bool:
    try:
        opened(text or "")
    except StoreError:
        return False
    return True


def _old_events(before: datetime) -> Select[Any]:  # Any: of one column, an id
    other = events.alias()
    of_incident = other.c.incident_id == events.c.incident_id
    is_between = and_(
        exists().where(of_incident, other.c.number < events.c.number),
        exists().where(of_incident, other.c.number > events.c.number),
    )
    return select(events.c.id).where(events.c.seen_at < before, is_between)


def _old_runs(before: datetime) -> Select[Any]:  # Any: of one column, an id
    later = runs.alias()
    return select(runs.c.id).where(
        runs.c.finished_at < before,
        exists().where(later.c.incident_id == runs.c.incident_id, later.c.id > runs.c.id),
        ~_has_job("run:", runs.c.id),
        ~exists().where(jobs.c.kind == "follow", jobs.c.key.startswith(func.printf("follow:%d:", runs.c.id))),
        ~exists().where(deliveries.c.run_id == runs.c.id, _is_wanted()),
        ~exists().where(fixes.c.run_id == runs.c.id),
        ~exists().where(requests.c.run_id == runs.c.id, requests.c.closed_at.is_(None)),
    )


def _old_deliveries(before: datetime) -> Select[Any]:  # Any: of one column, an id
    of_no_run = or_(deliveries.c.run_id.is_(None), ~exists().where(runs.c.id == deliveries.c.run_id))
    return select(deliveries.c.id).where(deliveries.c.updated_at < before, of_no_run, ~_is_wanted())


def _is_wanted() -> ColumnElement[bool]:
    return deliveries.c.state.in_(["waiting", "failed"])


def _has_job(prefix: str, number: ColumnElement[int]) -> ColumnElement[bool]:
    return exists().where(jobs.c.key == func.printf(f"{prefix}%d", number), jobs.c.state != "dead")


def _forget_events(connection: Connection, ids: Sequence[int]) -> int:
    return _drop(connection, events, events.c.id, ids)


def _forget_runs(connection: Connection, ids: Sequence[int]) -> int:
    told = connection.scalars(select(deliveries.c.id).where(deliveries.c.run_id.in_(ids))).all()
    gone = _forget_deliveries(connection, told)
    for table in (evidence, analyses, changes, plans, outcomes, effects, requests, steps, decisions, triage):
        gone += _drop(connection, table, table.c.run_id, ids)
    return gone + _drop(connection, runs, runs.c.id, ids)


def _forget_deliveries(connection: Connection, ids: Sequence[int]) -> int:
    gone = _drop(connection, receipts, receipts.c.delivery_id, ids)
    return gone + _drop(connection, deliveries, deliveries.c.id, ids)


def _forget_rows(connection: Connection, cut: Cut, now: datetime) -> int:
    gone = 0
    for table, time, before in (
        (trends, trends.c.hour, cut.trends),
        (sightings, sightings.c.last_seen, cut.trends),
        (volumes, volumes.c.hour, cut.trends),
        (faults, faults.c.last_at, cut.runs),
        (silences, silences.c.ends_at, cut.runs),
        (spending, spending.c.reserved_at, min(cut.runs, now - DAY)),
    ):
        gone += connection.execute(delete(table).where(time < before)).rowcount
    over = ~exists().where(jobs.c.key == _talk_of(remarks))
    return gone + connection.execute(delete(remarks).where(remarks.c.heard_at < cut.runs, over)).rowcount


def _talk_of(table: Table) -> ColumnElement[str]:
    """Return the key of the job that listens to the request of a remark: what it heard is kept till then."""
    return func.printf("talk:%s:%s:%s", table.c.pipeline, table.c.action, table.c.request)


def _drop(connection: Connection, table: Table, column: ColumnElement[Any], ids: Sequence[int]) -> int:
    return connection.execute(delete(table).where(column.in_(ids))).rowcount
