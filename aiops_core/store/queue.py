"""The lease queue: what is to be done, who does it, and for how long it is theirs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, Select, and_, bindparam, delete, func, insert, select, update

from aiops_core.errors import LeaseLost, UserError
from aiops_core.records import Json
from aiops_core.store.damage import payload_of
from aiops_core.store.database import Database
from aiops_core.store.tables import jobs

JobState: TypeAlias = Literal["ready", "leased", "dead"]
MAX_ATTEMPTS = 5


class Job(Struct, frozen=True):
    """A piece of work. ``token`` grows with every lease: an older one is refused everywhere."""

    id: int
    kind: str
    key: str
    payload: Json
    state: JobState
    priority: int
    due_at: datetime
    attempts: int
    max_attempts: int
    token: int
    owner: str
    lease_until: datetime | None
    error: str


class Queue:
    """Hand out jobs by lease.

    A job is at most once in the table, by its key; finishing removes it, so that the key may be
    used again. A dead one stays until somebody requeues or drops it.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        on_death: Mapping[str, Callable[[Job], None]],
        settle: Callable[[], object] = lambda: None,
    ) -> None:
        """Call ``on_death[kind]`` in the transaction in which a job of that kind dies.

        ``settle`` is called before anything is taken for due: it knows whether the clock jumped.
        """
        self._database = database
        self._clock = clock
        self._on_death = on_death
        self._settle = settle
        self._watchers: list[Callable[[Job], None]] = []

    def watch_deaths(self, tell: Callable[[Job], None]) -> None:
        """Call ``tell`` too in the transaction in which any job dies; what it raises undoes the death."""
        self._watchers.append(tell)

    def forget_deaths(self, tell: Callable[[Job], None]) -> None:
        """Call ``tell`` no more."""
        self._watchers.remove(tell)

    def enqueue(
        self,
        kind: str,
        key: str,
        payload: Json,
        *,
        due_at: datetime | None = None,
        priority: int = 0,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> bool:
        """Add a job; return False, changing nothing, when its key is still there, dead or alive.

        The greatest priority goes first, then the earliest due.
        """
        with self._database.write() as connection:
            if connection.scalar(_OF_KEY, {"of_key": key}) is not None:
                return False
            row = new_job(kind, key, payload, due_at or self._clock(), self._clock())
            connection.execute(_ADD, {**row, "priority": priority, "max_attempts": max_attempts})
        return True

    def lease(self, kinds: Sequence[str], owner: str, seconds: float) -> Job | None:
        """Take the next due job, or one whose lease ran out; None when there is none.

        The attempt is counted and committed before this returns, so that work which kills its
        worker ends as a dead job.
        """
        self._settle()
        now = self._clock()
        due = self._due(kinds, now)
        if not due:
            return None  # seen by a reader: polling disturbs no writer
        with self._database.write() as connection:
            if any(state == "leased" for _, state in due):
                self._bury_killers(connection, kinds, now)
            first = _first_available(connection, due, now)
            taken = {"of_id": first, "owner": owner, "lease_until": now + timedelta(seconds=seconds)}
            row = None if first is None else connection.execute(_TAKE, taken).first()
        return None if row is None else _job(row)

    def heartbeat(self, job: Job, seconds: float) -> None:
        """Hold the job for so long from now; raise LeaseLost when it is no longer ours."""
        with self._leased(job) as connection:
            self._set(connection, job, lease_until=self._clock() + timedelta(seconds=seconds))

    def finish(self, job: Job) -> None:
        """Remove a job that is done; raise LeaseLost when it is no longer ours."""
        with self._leased(job) as connection:
            connection.execute(_REMOVE, {"of_id": job.id})

    def retry(self, job: Job, error: str, due_at: datetime) -> bool:
        """Give the job back for another attempt; False when that was the last and it is dead now."""
        with self._leased(job) as connection:
            if job.attempts < job.max_attempts:
                self._set(connection, job, state="ready", lease_until=None, due_at=due_at, error=error)
                return True
            self._bury(connection, job, error)
        return False

    def bury(self, job: Job, error: str) -> None:
        """Give the job up, whatever attempts are left."""
        with self._leased(job) as connection:
            self._bury(connection, job, error)

    def release(self, job: Job, due_at: datetime | None = None) -> None:
        """Give the job back, now or until ``due_at``; the attempt does not count."""
        values: dict[str, Json] = {"due_at": due_at} if due_at is not None else {}
        with self._leased(job) as connection:
            self._set(connection, job, state="ready", lease_until=None, attempts=job.attempts - 1, **values)

    def rest(self, job: Job, due_at: datetime | None, error: str = "") -> None:
        """Give back a job that goes on then, its attempts forgotten; end it where there is no then."""
        if due_at is None:
            self.finish(job)
            return
        values = {"state": "ready", "lease_until": None, "attempts": 0, "due_at": due_at, "error": error}
        with self._leased(job) as connection:
            self._set(connection, job, **values)

    def holds(self, key: str) -> bool:
        """Return whether a job with this key is still there."""
        with self._database.read() as connection:
            return connection.scalar(_OF_KEY, {"of_key": key}) is not None

    def hasten(self, kinds: Sequence[str], by: datetime) -> int:
        """Make due now what is new and due until then; return how many. What is retried keeps its time."""
        now = self._clock()
        new = and_(jobs.c.kind.in_(kinds), jobs.c.state == "ready", jobs.c.attempts == 0)
        soon = update(jobs).where(new, jobs.c.due_at > now, jobs.c.due_at <= by).values(due_at=now)
        with self._database.write() as connection:
            return connection.execute(soon).rowcount

    def wake(self, key: str, due_at: datetime) -> bool:
        """Make a waiting job due no later than that; return False where none waits so long."""
        sooner = update(jobs).where(jobs.c.key == key, jobs.c.state == "ready", jobs.c.due_at > due_at)
        with self._database.write() as connection:
            return connection.execute(sooner.values(due_at=due_at)).rowcount > 0

    def recover(self) -> int:
        """Free every lease; return how many.

        For the holder of the state directory before its workers start: every lease is then one
        of a runner that is gone. Attempts stay counted.
        """
        freed = update(jobs).where(jobs.c.state == "leased").values(lease_until=self._clock())
        with self._database.write() as connection:
            return connection.execute(freed).rowcount

    def next_due(self, kinds: Sequence[str]) -> datetime | None:
        """Return when the next job of these kinds is due or its lease runs out; None where there is none."""
        return min((time for time in self._firsts(kinds).values() if time is not None), default=None)

    def count_due(self, most: int) -> int:
        """Return how many jobs wait although they are due, counted no further than ``most``."""
        due = select(jobs.c.id).where(jobs.c.state == "ready", jobs.c.due_at <= self._clock()).limit(most)
        with self._database.read() as connection:
            return int(connection.scalar(select(func.count()).select_from(due.subquery())) or 0)

    def jobs(self, state: JobState | None = None, limit: int = 1_000) -> list[Job]:
        """Return jobs, the next one first; ``dead`` ones are the dead letters."""
        query = select(*_COLUMNS).order_by(jobs.c.due_at, jobs.c.id).limit(limit)
        if state is not None:
            query = query.where(jobs.c.state == state)
        with self._database.read() as connection:
            return [_job(row) for row in connection.execute(query)]

    def requeue(self, job_id: int) -> None:
        """Make a dead or waiting job due now, with all its attempts."""
        again = update(jobs).where(jobs.c.id == job_id, jobs.c.state != "leased")
        again = again.values(state="ready", attempts=0, due_at=self._clock())
        with self._database.write() as connection:
            if not connection.execute(again).rowcount:
                raise UserError(
                    f"job {job_id}: is not waiting or dead. `aiops jobs list` shows those that are."
                )

    def drop(self, job_id: int) -> None:
        """Remove a job; whoever works on it loses the lease."""
        with self._database.write() as connection:
            if not connection.execute(delete(jobs).where(jobs.c.id == job_id)).rowcount:
                raise UserError(f"job {job_id}: there is none. `aiops jobs list` shows those that are.")

    def _due(self, kinds: Sequence[str], now: datetime) -> Collection[tuple[str, JobState]]:
        """Return the kinds of which jobs are ``ready`` and due, or ``leased`` for no longer than now."""
        return {place for place, time in self._firsts(kinds).items() if time is not None and time <= now}

    def _firsts(self, kinds: Sequence[str]) -> Mapping[tuple[str, JobState], datetime | None]:
        if not kinds:
            return {}
        with self._database.read() as connection:
            return dict(zip(_places(kinds), connection.execute(_firsts(tuple(kinds))).one(), strict=True))

    @contextmanager
    def _leased(self, job: Job) -> Iterator[Connection]:
        with self._database.write() as connection:
            check_lease(self._database, connection, job)
            yield connection

    def _set(self, connection: Connection, job: Job, **values: Json) -> None:
        connection.execute(_CHANGE, {"of_id": job.id, **values})

    def _bury(self, connection: Connection, job: Job, error: str) -> None:
        self._set(connection, job, state="dead", lease_until=None, error=error)
        dead = replace(job, state="dead", error=error)
        if job.kind in self._on_death:
            self._on_death[job.kind](dead)
        for tell in self._watchers:
            tell(dead)

    def _bury_killers(self, connection: Connection, kinds: Sequence[str], now: datetime) -> None:
        used_up = and_(_EXPIRED, jobs.c.attempts >= jobs.c.max_attempts, jobs.c.kind.in_(kinds))
        for row in connection.execute(select(*_COLUMNS).where(used_up), {"now": now}).all():
            job = _job(row)
            self._bury(connection, job, f"its worker ended without an answer, {job.attempts} times")


def new_job(kind: str, key: str, payload: Json, due_at: datetime, now: datetime) -> dict[str, Any]:
    """Return the row of a job that nobody has tried."""
    return {
        "kind": kind,
        "key": key,
        "payload": payload,
        "state": "ready",
        "due_at": due_at,
        "max_attempts": MAX_ATTEMPTS,
        "created_at": now,
    }


def check_lease(database: Database, connection: Connection, job: Job) -> None:
    """Raise LeaseLost unless the job is still leased under this token; asked once a transaction."""
    own = {"of_id": job.id, "of_token": job.token}
    if database.is_first_here((job.id, job.token)) and connection.scalar(_HELD, own) is None:
        raise LeaseLost(f"job {job.id} ({job.key}): another worker took it over, or it was dropped")


# Statements that every job needs are made once: making one costs more than what it does.
_COLUMNS = [jobs.c[name] for name in Job.__struct_fields__]
_OF_ID = jobs.c.id == bindparam("of_id")
_HELD = select(jobs.c.id).where(_OF_ID, jobs.c.state == "leased", jobs.c.token == bindparam("of_token"))
_OF_KEY = select(jobs.c.id).where(jobs.c.key == bindparam("of_key"))
_ADD = insert(jobs)
_CHANGE = update(jobs).where(_OF_ID)
_REMOVE = delete(jobs).where(_OF_ID)
_TAKE = (
    update(jobs)
    .where(_OF_ID)
    .values(state="leased", token=jobs.c.token + 1, attempts=jobs.c.attempts + 1)
    .returning(*_COLUMNS)
)
_PLACE = select(jobs.c.priority, jobs.c.due_at, jobs.c.id)
_READY = and_(jobs.c.state == "ready", jobs.c.kind == bindparam("of_kind"))
_GREATEST = select(func.max(jobs.c.priority)).where(_READY, jobs.c.priority < bindparam("below"))
_FIRST_READY = (
    _PLACE.where(_READY, jobs.c.priority == bindparam("of_priority"), jobs.c.due_at <= bindparam("now"))
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(1)
)
_EXPIRED = and_(jobs.c.state == "leased", jobs.c.lease_until <= bindparam("now"))
_ABOVE_ALL = 2**62


@cache
def _firsts(kinds: tuple[str, ...]) -> Select[Any]:  # Any: as many times as there are places
    """Ask for the first times of these kinds: each is one look into an index, however many jobs there are."""
    times = {"ready": jobs.c.due_at, "leased": jobs.c.lease_until}
    return select(
        *(
            select(func.min(times[state], type_=jobs.c.due_at.type))
            .where(jobs.c.state == state, jobs.c.kind == kind)
            .scalar_subquery()
            for kind, state in _places(kinds)
        )
    )


def _places(kinds: Sequence[str]) -> Iterator[tuple[str, JobState]]:
    states: tuple[JobState, ...] = ("ready", "leased")
    return product(kinds, states)


def _job(row: Row[Any]) -> Job:
    job = Job(**row._mapping)
    return replace(job, payload=payload_of(job.kind, job.key)) if job.payload == {} else job


def _first_available(
    connection: Connection, due: Collection[tuple[str, JobState]], now: datetime
) -> int | None:
    """Return the job of these kinds and states that goes first: the greatest priority, then the earliest due."""
    found = [
        place
        for kind, state in due
        if state == "ready" and (place := _first_ready(connection, kind, now)) is not None
    ]
    expired = [kind for kind, state in due if state == "leased"]
    if expired:
        rows = connection.execute(_PLACE.where(_EXPIRED, jobs.c.kind.in_(expired)), {"now": now})
        found += [(-priority, due_at, number) for priority, due_at, number in rows]
    return min(found)[2] if found else None


def _first_ready(connection: Connection, kind: str, now: datetime) -> tuple[int, datetime, int] | None:
    """Look at the priorities there are, one by one: a sort would look at every job that waits."""
    priority = _ABOVE_ALL
    while (priority := connection.scalar(_GREATEST, {"of_kind": kind, "below": priority})) is not None:
        of = {"of_kind": kind, "of_priority": priority, "now": now}
        row = connection.execute(_FIRST_READY, of).first()
        if row is not None:
            return -row.priority, row.due_at, row.id
    return None
