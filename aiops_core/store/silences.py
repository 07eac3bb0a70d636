"""Silences people set by command: what they hide, until when, and how often they did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import bindparam, insert, select, update

from aiops_core.errors import UserError
from aiops_core.notices import Match
from aiops_core.store.access import Access
from aiops_core.store.deliveries import release
from aiops_core.store.queue import new_job
from aiops_core.store.tables import deliveries, jobs, silences


class SilenceRow(Struct, frozen=True):
    """A silence: messages that match wait until it ends. ``count`` says how many did.

    With ``until_resolved`` it ends earlier, once no open incident matches any more.
    """

    id: int
    match: Match
    why: str
    by: str
    created_at: datetime
    ends_at: datetime
    count: int
    until_resolved: bool = False
    starts_at: datetime | None = None
    """When it begins, of one that was set for later."""

    @property
    def begins_at(self) -> datetime:
        """When it holds messages back for the first time."""
        return self.starts_at or self.created_at

    @property
    def remind_at(self) -> datetime:
        """When people are reminded of it: after four fifths of its time."""
        return self.begins_at + (self.ends_at - self.begins_at) * 0.8

    @property
    def name(self) -> str:
        """What a message that waits for its end is held by."""
        return f"silence {self.id}"


_COLUMNS = [silences.c[name] for name in SilenceRow.__struct_fields__]
_UNENDED = select(*_COLUMNS).where(silences.c.ends_at > bindparam("now")).order_by(silences.c.ends_at.desc())


class Silences(Access):
    """Keep silences."""

    def add(
        self,
        match: Match,
        ends_at: datetime,
        why: str,
        by: str,
        *,
        starts_at: datetime | None = None,
        until_resolved: bool = False,
    ) -> int:
        """Hold back messages that match until then, from now on or from ``starts_at``; return its number.

        A job of kind ``silence`` looks after it.
        """
        now = self._clock()
        begin = starts_at or now
        row: dict[str, Any] = {"match": match, "why": why, "by": by, "created_at": now, "ends_at": ends_at}
        row |= {"count": 0, "until_resolved": until_resolved, "starts_at": starts_at}
        with self._write() as connection:
            number = int(connection.scalars(insert(silences).values(row).returning(silences.c.id)).one())
            due = now if until_resolved else begin + (ends_at - begin) * 0.8
            job = new_job("silence", f"silence:{number}", {"silence": number}, due, now)
            connection.execute(insert(jobs).values({**job, "max_attempts": 1_000}))
        return number

    def get(self, silence_id: int) -> SilenceRow | None:
        """Return a silence, None when there is none of this number."""
        query = select(*_COLUMNS).where(silences.c.id == silence_id)
        with self._read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else SilenceRow(**row)

    def hidden_in(self, silence_id: int) -> Sequence[str]:
        """Return the pipelines in which a silence holds messages back now."""
        held = deliveries.c.held == f"silence {silence_id}"
        open_ = deliveries.c.state.in_(["waiting", "failed"])
        query = select(deliveries.c.pipeline).where(held, open_).distinct().order_by(deliveries.c.pipeline)
        with self._read() as connection:
            return connection.scalars(query).all()

    def active(self) -> Sequence[SilenceRow]:
        """Return the silences that hold now, the one that ends last first."""
        now = self._clock()
        return [silence for silence in self._unended(now) if silence.begins_at <= now]

    def planned(self) -> Sequence[SilenceRow]:
        """Return the silences that were set for later, the one that ends last first."""
        now = self._clock()
        return [silence for silence in self._unended(now) if silence.begins_at > now]

    def _unended(self, now: datetime) -> Sequence[SilenceRow]:
        with self._read() as connection:
            return [SilenceRow(**row) for row in connection.execute(_UNENDED, {"now": now}).mappings()]

    def list(self, limit: int = 100) -> Sequence[SilenceRow]:
        """Return silences, the last one first, those that ended too."""
        query = select(*_COLUMNS).order_by(silences.c.id.desc()).limit(limit)
        with self._read() as connection:
            return [SilenceRow(**row) for row in connection.execute(query).mappings()]

    def counted(self, silence_id: int) -> None:
        """Count one more message that waits for the end of a silence."""
        more = update(silences).where(silences.c.id == silence_id).values(count=silences.c.count + 1)
        with self._write() as connection:
            connection.execute(more)

    def end(self, silence_id: int) -> int:
        """End a silence now; return how many messages it held back that are told if they still hold."""
        now = self._clock()
        ended = update(silences).where(silences.c.id == silence_id, silences.c.ends_at > now)
        with self._write() as connection:
            if not connection.execute(ended.values(ends_at=now)).rowcount:
                raise UserError(
                    f"silence {silence_id}: none holds now. `aiops silence list` shows those that do."
                )
            return release(connection, f"silence {silence_id}", now)
