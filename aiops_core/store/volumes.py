"""How much each source read, and how well it could be read: one row per source step and hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from aiops_core.records import Event
from aiops_core.store.access import Access
from aiops_core.store.tables import volumes


class Volume(Struct):
    """What a source step brought: bytes of logs, and events found in them.

    Of the events that were looked at one by one (``seen``; equal ones are counted only), those without a time of
    their own (``undated``), without a stack trace (``bare``), and those a detector failed to read (``unread``).
    """

    bytes: int = 0
    events: int = 0
    seen: int = 0
    undated: int = 0
    bare: int = 0
    unread: int = 0

    def add(self, event: Event) -> None:
        """Count an event that was looked at."""
        self.events += 1
        self.seen += 1
        self.undated += event.occurred_at is None
        self.bare += not any(error.frames for error in event.exceptions)
        self.unread += event.type.startswith("unread ")


_COLUMNS = [volumes.c[name] for name in Volume.__struct_fields__]


class Volumes(Access):
    """Look volumes up."""

    def since(self, start: datetime, pipeline: str | None = None) -> Mapping[tuple[str, str], Volume]:
        """Return what each step of each pipeline brought since then; one that brought nothing has zeroes."""
        place = (volumes.c.pipeline, volumes.c.step)
        sums = [
            func.sum(column).filter(volumes.c.hour > start - timedelta(hours=1)).label(column.name)
            for column in _COLUMNS
        ]
        query = select(*place, *sums).group_by(*place).order_by(*place)
        if pipeline is not None:
            query = query.where(volumes.c.pipeline == pipeline)
        with self._read() as connection:
            return {
                (name, step): Volume(*(value or 0 for value in values))
                for name, step, *values in connection.execute(query)
            }


def save_volumes(connection: Connection, pipeline: str, brought: Mapping[str, Volume], now: datetime) -> None:
    """Add what steps brought to their rows of this hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    for step, volume in brought.items():
        values = asdict(volume)
        statement = insert(volumes).values({"pipeline": pipeline, "step": step, "hour": hour, **values})
        added = {name: volumes.c[name] + statement.excluded[name] for name in values}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["pipeline", "step", "hour"], set_=added)
        )
