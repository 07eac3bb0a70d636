"""What the runner knows of the addresses of models, for other processes to look at."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import delete, select

from aiops_core.endpoints import EndpointNews, EndpointState
from aiops_core.store.access import Access
from aiops_core.store.database import upsert
from aiops_core.store.tables import endpoints


class EndpointRow(Struct, frozen=True):
    """What an address last became; ``until`` is set where it is asked again at a time."""

    name: str
    state: EndpointState
    reason: str
    changed_at: datetime
    until: datetime | None


class EndpointRecords(Access):
    """Keep what addresses of models have become."""

    def save(self, news: EndpointNews) -> None:
        """Keep what an address has become."""
        now = self._clock()
        until = now + timedelta(seconds=news.seconds) if news.seconds else None
        row = {
            "name": news.name,
            "state": news.state,
            "reason": news.reason,
            "changed_at": now,
            "until": until,
        }
        with self._write() as connection:
            connection.execute(upsert(endpoints, row), row)

    def clear(self) -> None:
        """Forget all: a runner that starts knows nothing of them yet."""
        with self._write() as connection:
            connection.execute(delete(endpoints))

    def all(self) -> list[EndpointRow]:
        """Return every address that was asked, the last that changed first."""
        columns = [endpoints.c[name] for name in EndpointRow.__struct_fields__]
        with self._read() as connection:
            rows = connection.execute(select(*columns).order_by(endpoints.c.changed_at.desc()))
            return [EndpointRow(**row) for row in rows.mappings()]
