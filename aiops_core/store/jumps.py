"""Jumps of the machine's clock: what waits keeps the time it still has to wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Text,
    delete,
    func,
    select,
    true,
    type_coerce,
    update,
)

from aiops_core.store.database import Database, upsert
from aiops_core.store.ignoring import AFTER, moved
from aiops_core.store.tables import (
    clocks,
    deliveries,
    faults,
    incidents,
    jobs,
    notices,
    plans,
    remarks,
    requests,
    runs,
    silences,
    spending,
    triage,
)

_NOTICED = timedelta(seconds=30)
"""A smaller difference is no jump: clocks are set right, and processes wait."""
_SAVED_EVERY = 600.0
_RECENTLY = timedelta(days=2)
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Uptime(Struct, frozen=True):
    """A clock that nobody sets: which it is, and its seconds."""

    name: str
    seconds: float


@cache
def _boot() -> str:
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""


def uptime() -> Uptime | None:
    """Return how long this machine runs, sleep included; None where it does not tell."""
    name = _boot()
    return Uptime(name, time.clock_gettime(time.CLOCK_BOOTTIME)) if name else None


class Jumps:
    """Compare the wall clock with one that nobody sets, and move what waits where it jumped.

    What is known is kept in the database, so that a jump between two starts is noticed too, unless
    the machine was started in between.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], uptime: Callable[[], Uptime | None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._uptime = uptime
        self._known: tuple[str, float] | None = None
        self._saved = 0.0
        self.jumped_at: datetime | None = None
        """When the clock last jumped, by the new time."""

    def settle(self) -> timedelta:
        """Move what waits by as much as the clock jumped since the last call; return how far that is."""
        up = self._uptime()
        if up is None:
            return timedelta(0)
        now = self._clock()
        begin = now.timestamp() - up.seconds
        known = self._known or self._read(up)
        if known is None or known[0] != up.name:
            self._save(up, begin)
            return timedelta(0)
        jump = timedelta(seconds=begin - known[1])
        self._known = (up.name, begin)
        if abs(jump) < _NOTICED:
            if up.seconds - self._saved > _SAVED_EVERY:
                self._save(up, begin)
            return timedelta(0)
        with self._database.write() as connection:
            _move(connection, jump, now)
            self._save(up, begin)
        self.jumped_at = now
        return jump

    def _read(self, up: Uptime) -> tuple[str, float] | None:
        with self._database.read() as connection:
            row = connection.execute(select(clocks.c.begin).where(clocks.c.name == up.name)).first()
        return None if row is None else (up.name, row.begin)

    def _save(self, up: Uptime, begin: float) -> None:
        self._known, self._saved = (up.name, begin), up.seconds
        row = {"name": up.name, "begin": begin}
        with self._database.write() as connection:
            connection.execute(delete(clocks).where(clocks.c.name != up.name))
            connection.execute(upsert(clocks, row), row)


def _move(connection: Connection, jump: timedelta, now: datetime) -> None:
    """Add the jump to every time that something waits for, and to those it is compared with."""
    before = now - jump
    recent = deliveries.c.updated_at > before - _RECENTLY
    for condition, *columns in (
        (jobs.c.state != "dead", jobs.c.due_at, jobs.c.lease_until),
        (recent, deliveries.c.due_at, deliveries.c.wanted_at, deliveries.c.updated_at),
        (true(), notices.c.told_at, notices.c.remind_at, notices.c.climb_at),
        (silences.c.ends_at > before, silences.c.created_at, silences.c.starts_at, silences.c.ends_at),
        (triage.c.until > before - _RECENTLY, triage.c.began_at, triage.c.until),
        (true(), faults.c.told_at),
        (spending.c.reserved_at > before - _RECENTLY, spending.c.reserved_at),
        (incidents.c.state != "resolved", incidents.c.heard_at),
        (runs.c.finished_at.is_(None), runs.c.created_at),
        (plans.c.approved_at.is_(None), plans.c.expires_at),
        (requests.c.opened_at > before - _RECENTLY, requests.c.opened_at),
        (remarks.c.heard_at > before - _RECENTLY, remarks.c.heard_at),
    ):
        values = {column.name: _moved(column, jump) for column in columns}
        connection.execute(update(columns[0].table).where(condition).values(values))
    for row in connection.execute(select(notices.c.incident_id, notices.c.news)).all():
        news = {name: (datetime.fromisoformat(at) + jump).isoformat() for name, at in row.news.items()}
        own = notices.c.incident_id == row.incident_id
        connection.execute(update(notices).where(own).values(news=news))
    ignored = select(incidents.c.id, incidents.c.awaits).where(incidents.c.awaits.startswith(AFTER))
    for row in connection.execute(ignored).all():
        awaits = moved(row.awaits, jump)
        connection.execute(update(incidents).where(incidents.c.id == row.id).values(awaits=awaits))


def _moved(column: Column[Any], jump: timedelta) -> ColumnElement[Any]:  # Any: a time as it is kept
    """Return a time moved by so much, as text of the same width; what is not set stays so."""
    text = func.strftime("%Y-%m-%dT%H:%M:%f", column, f"{jump.total_seconds():+.3f} seconds")
    return type_coerce(text.op("||")("000Z"), Text)
