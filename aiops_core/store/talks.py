"""What people said on open requests, and what became of each comment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import ColumnElement, delete, insert, select, update

from aiops_core.records import Remark
from aiops_core.store.access import Access
from aiops_core.store.tables import remarks, webhooks

RemarkState: TypeAlias = Literal["waiting", "taken", "answered", "ignored"]
_DELIVERIES_KEPT = timedelta(days=7)


class Place(Struct, frozen=True):
    """One request people talk about: the action that opened it, and its number."""

    pipeline: str
    action: str
    request: str


class RemarkRow(Struct, frozen=True):
    """One comment: as it was first heard, what it asks for, and how far that is.

    ``waiting`` for a round or an answer, ``taken`` by run ``run_id``, ``answered``, or ``ignored``
    for the reason in ``why``. ``digest`` tells whether it was edited since.
    """

    remark: Remark
    digest: str
    wish: str
    state: RemarkState
    why: str
    run_id: int | None
    heard_at: datetime
    taken_at: datetime | None


_ROW = [remarks.c[name] for name in RemarkRow.__struct_fields__]


class Talks(Access):
    """Keep what was heard, so that nothing is answered twice."""

    def remarks(self, place: Place) -> list[RemarkRow]:
        """Return every comment heard on a request, the first one written first."""
        with self._read() as connection:
            rows = connection.execute(select(*_ROW).where(*_at(place))).mappings()
            return sorted((RemarkRow(**row) for row in rows), key=lambda row: row.remark.at)

    def hear(self, place: Place, heard: Sequence[RemarkRow]) -> None:
        """Keep comments that are new, and what else is to be said of those that were known."""
        with self._write() as connection:
            for row in heard:
                values = {name: getattr(row, name) for name in RemarkRow.__struct_fields__}
                of = (*_at(place), remarks.c.comment == row.remark.id)
                if not connection.execute(update(remarks).where(*of).values(values)).rowcount:
                    keys = {
                        "pipeline": place.pipeline,
                        "action": place.action,
                        "request": place.request,
                        "comment": row.remark.id,
                    }
                    connection.execute(insert(remarks).values({**keys, **values}))

    def take(self, place: Place, comments: Collection[str], run_id: int) -> None:
        """Note that a run answers these comments."""
        self._set(place, comments, state="taken", run_id=run_id, taken_at=self._clock())

    def settle(self, place: Place, comments: Collection[str], state: RemarkState, why: str = "") -> None:
        """Note that comments are answered, or why they never will be."""
        self._set(place, comments, state=state, why=why)

    def is_new_delivery(self, pipeline: str, action: str, delivery: str) -> bool:
        """Note the delivery of a webhook; return False for one that came before, within a week."""
        now = self._clock()
        place = {"pipeline": pipeline, "action": action, "delivery": delivery}
        with self._write() as connection:
            connection.execute(delete(webhooks).where(webhooks.c.at < now - _DELIVERIES_KEPT))
            if connection.execute(select(webhooks.c.at).filter_by(**place)).first() is not None:
                return False
            connection.execute(insert(webhooks).values(**place, at=now))
        return True

    def _set(self, place: Place, comments: Collection[str], **values: object) -> None:
        of = (*_at(place), remarks.c.comment.in_(comments))
        with self._write() as connection:
            connection.execute(update(remarks).where(*of).values(**values))


def _at(place: Place) -> tuple[ColumnElement[bool], ...]:
    names = ("pipeline", "action", "request")
    return tuple(remarks.c[name] == getattr(place, name) for name in names)
