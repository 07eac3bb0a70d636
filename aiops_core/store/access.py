"""What the parts of the store have in common: a database, a clock, and a lease to stand under."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from aiops_core.store.database import Database
from aiops_core.store.queue import Job, check_lease


class Access:
    """Read and write one part of the database; with a ``job``, write only while its lease holds."""

    def __init__(self, database: Database, clock: Callable[[], datetime], job: Job | None = None) -> None:
        self._database = database
        self._clock = clock
        self._job = job

    @contextmanager
    def _write(self, *, is_urgent: bool = False) -> Iterator[Connection]:
        with self._database.write(is_urgent=is_urgent) as connection:
            if self._job is not None:
                check_lease(self._database, connection, self._job)
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._database.read() as connection:
            yield connection
