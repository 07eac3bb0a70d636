"""Which message an incident has in the channel, and which reports were told: on disk, for the next start."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Thread:
    """The first message of an incident."""

    channel: str
    ts: str


class Threads:
    """Remember threads and told reports in one small database; the oldest are forgotten."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "slack.db"

    def of(self, incident: str) -> Thread | None:
        """Return the thread of an incident, None when it has none."""
        with self._open() as database:
            row = database.execute(
                "SELECT channel, ts FROM thread WHERE incident = ?", (incident,)
            ).fetchone()
        return Thread(*row) if row else None

    def begin(self, incident: str, thread: Thread, key: str) -> None:
        """Remember the thread that the report of this key began."""
        with self._open() as database:
            values = (incident, thread.channel, thread.ts)
            database.execute("INSERT OR REPLACE INTO thread VALUES (?, ?, ?)", values)
            _remember(database, key)

    def forget(self, incident: str) -> None:
        """Forget a thread that is gone in the channel."""
        with self._open() as database:
            database.execute("DELETE FROM thread WHERE incident = ?", (incident,))

    def is_told(self, key: str) -> bool:
        """Tell whether the report of this key is in its thread."""
        with self._open() as database:
            return database.execute("SELECT 1 FROM told WHERE key = ?", (key,)).fetchone() is not None

    def told(self, key: str) -> None:
        """Remember that the report of this key is in its thread."""
        with self._open() as database:
            _remember(database, key)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=10)
        try:
            with database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS thread (incident TEXT PRIMARY KEY, channel TEXT, ts TEXT)"
                )
                database.execute("CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY)")
                yield database
        finally:
            database.close()


def _remember(database: sqlite3.Connection, key: str) -> None:
    database.execute("INSERT OR REPLACE INTO told VALUES (?)", (key,))
    for table in ("told", "thread"):
        database.execute(
            f"DELETE FROM {table} WHERE rowid <= (SELECT MAX(rowid) FROM {table}) - {_KEPT}"  # noqa: S608
        )
