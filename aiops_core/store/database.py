"""One SQLite file: a single writer per process, readers beside it, errors people can act on."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, QueuePool, Table, create_engine, event
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DBAPIError

from aiops_core.errors import StoreError
from aiops_core.store.ballast import Ballast
from aiops_core.store.directory import create_private

BUSY_SECONDS = 15
T = TypeVar("T")
_WAL_BYTES = 64 * 1024 * 1024
_LITTLE = 64 * 1024
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_text = partial(str, encoding="utf-8", errors="replace")
_BACKUP = "Move it away to start afresh, or put a backup in its place."
_PROBLEMS: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("no space is left on the disk", "Free some; work goes on by itself then."),
    sqlite3.SQLITE_READONLY: ("cannot be written", "Make the file, its directory and the disk writable."),
    sqlite3.SQLITE_PERM: ("access is denied", "Give this user the state directory."),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Make the state directory readable and writable."),
    sqlite3.SQLITE_IOERR: ("the disk cannot be read or written", "Look at the disk and the kernel log."),
    sqlite3.SQLITE_BUSY: (
        f"another process has kept it locked for {BUSY_SECONDS} seconds",
        "Find it with `fuser` and stop it.",
    ),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", _BACKUP),
    sqlite3.SQLITE_NOTADB: ("the file is no database", _BACKUP),
}


class Database:
    """Read and write one database file from any thread.

    A write made while the same thread is already writing joins the open transaction.
    """

    def __init__(self, path: Path, ballast: Ballast) -> None:
        self.path = path
        self._ballast = ballast
        self._lock = threading.Lock()
        self._line = threading.Lock()
        self._here = _Here()
        self.is_damaged = False
        """Whether damage was met since it was opened."""
        self._writer = open_engine(path)
        self._readers = open_engine(path, read_only=True)

    @contextmanager
    def write(self, *, is_urgent: bool = False) -> Iterator[Connection]:
        """Yield the writing connection inside a transaction; leaving normally commits it.

        An urgent one waits for two others at most. An error in a joined write spoils the whole
        transaction, even if somebody catches it.
        """
        if self._here.connection is None:
            with self._turn(is_urgent=is_urgent):
                with self._trusted(), self._writer.begin() as connection, self._here.joined(connection):
                    yield connection
                self._ballast.restore()
            return
        try:
            yield self._here.connection
        except BaseException:
            self._here.is_spoiled = True
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one moment of the database and never waits for a writer.

        Inside a write of the same thread it is the writing connection, inside a read that of the read.
        """
        known = self._here.connection or self._here.reader
        if known is not None:
            yield known
            return
        with self._explained(), self._readers.begin() as connection:
            self._here.reader = connection
            try:
                yield connection
            finally:
                self._here.reader = None

    def is_first_here(self, name: object) -> bool:
        """Return whether nobody has asked so with this name since the transaction of this thread began."""
        is_first = name not in self._here.asked
        self._here.asked.add(name)
        return is_first

    def problems(self) -> list[str]:
        """Read the whole file and return what is wrong with it and with its permissions."""
        with self.read() as connection:
            found = [str(text) for (text,) in connection.exec_driver_sql("PRAGMA integrity_check")]
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        problems = [f"{self.path}: {text}. {_BACKUP}" for text in found if text != "ok"]
        problems += [
            f"{self.path}: table {row[0]}, row {row[1]}: belongs to no {row[2]}. {_BACKUP}" for row in lost
        ]
        for file in sorted(self.path.parent.glob(f"{self.path.name}*")):
            if file.stat().st_mode & 0o077:
                problems.append(f"{file}: others may read it. Run `chmod 600 {file}`.")
        return problems

    def vacuum(self) -> None:
        """Write the file anew without its free pages."""
        with self._lock, self._trusted(), closing(self._writer.raw_connection()) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file."""
        self._readers.dispose()
        self._writer.dispose()

    @contextmanager
    def _turn(self, *, is_urgent: bool) -> Iterator[None]:
        """Hold the lock; all but the urgent stand in line for it, so that only one of them waits at it."""
        if is_urgent:
            self._lock.acquire()
        else:
            with self._line:
                self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the disk did into a StoreError; damage leaves a mark, for the next start to look at."""
        try:
            with explained(self.path):
                yield
        except Unusable as problem:
            if problem.is_damage and not self.is_damaged:
                self.is_damaged = True
                with suppress(StoreError):
                    create_private(damage_mark(self.path))
            raise

    @contextmanager
    def _trusted(self) -> Iterator[None]:
        try:
            with self._explained():
                yield
        except Unusable as problem:
            if problem.code != sqlite3.SQLITE_BUSY:
                self._writer.dispose()  # a failed fsync may have lost pages: go on with a fresh connection
            if problem.is_full:
                self._ballast.release()
            raise


class _Here(threading.local):
    """The transactions this thread is in."""

    connection: Connection | None = None
    reader: Connection | None = None
    is_spoiled = False

    def __init__(self) -> None:
        self.asked: set[object] = set()

    @contextmanager
    def joined(self, connection: Connection) -> Iterator[None]:
        self.connection, self.is_spoiled = connection, False
        self.asked.clear()
        try:
            yield
        finally:
            self.connection = None
        if self.is_spoiled:
            raise RuntimeError("a write in this transaction failed and was caught: nothing was committed")


def damage_mark(path: Path) -> Path:
    """Return the file that says of a database that damage was met in it."""
    return path.with_name(f"{path.name}.damaged")


def open_engine(path: Path, *, read_only: bool = False, foreign_keys: bool = True) -> Engine:
    """Return an engine on the file: one connection to write with, or many to read."""
    mode, begin = ("ro", "BEGIN") if read_only else ("rw", "BEGIN IMMEDIATE")

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,  # the driver's own BEGIN is deferred and loses updates
            check_same_thread=False,
        )
        connection.text_factory = _text  # a damaged text is told by its checksum
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
            connection.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        hide_parameters=True,  # errors reach logs, and parameters hold what people logged
        pool_size=4 if read_only else 1,
        max_overflow=-1 if read_only else 0,
    )
    event.listen(engine, "begin", lambda connection: _driver(connection).execute(begin))
    return engine


def _driver(connection: Connection) -> Any:  # Any: SQLAlchemy knows no more of it either
    """Return the driver's connection: every transaction begins there, and begins cheaply."""
    return connection.connection.dbapi_connection


def upsert(
    table: Table,
    names: Iterable[str],
    keys: Sequence[str] = (),
    where: ColumnElement[bool] | None = None,
) -> Insert:
    """Return an insert that updates the columns with these names where its key is taken, the primary one by default.

    With ``where`` only a row of which that holds is changed.
    """
    statement = insert(table)
    keys = keys or [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed, where=where)


def chunks(values: Sequence[T], size: int = 5_000) -> Iterator[Sequence[T]]:
    """Cut values into lists that fit one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def copy_file(path: Path, to: Path) -> None:
    """Copy a database as it is at one moment; the copy appears whole or not at all."""
    partial = to.with_name(f"{to.name}.partial")
    partial.unlink(missing_ok=True)
    create_private(partial)
    try:
        with explained(to), closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(partial)) as copy:
            old.backup(copy)
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the disk or another process did to us into a StoreError; our bugs pass through."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        code = _code_of(error)
        if code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < _LITTLE:
            code = sqlite3.SQLITE_FULL
        if code not in _PROBLEMS:
            raise
        raise Unusable(path, code) from error


class Unusable(StoreError):
    """Carry the reason why SQLite cannot use the file."""

    def __init__(self, path: Path, code: int) -> None:
        self.code = code
        what, remedy = _PROBLEMS[code]
        super().__init__(f"{path}: {what}. {remedy}")

    @property
    def is_full(self) -> bool:
        """Whether it is for want of space."""
        return self.code == sqlite3.SQLITE_FULL

    @property
    def is_damage(self) -> bool:
        """Whether the file is not what was written."""
        return self.code in _DAMAGE


def _code_of(error: DBAPIError | sqlite3.Error) -> int:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF
