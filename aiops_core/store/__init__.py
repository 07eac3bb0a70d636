"""The state database: what was read, found, decided and done, so that a crash loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aiops_core.context import utc_now
from aiops_core.store.approvals import WaitingPlan
from aiops_core.store.ballast import BALLAST, Ballast
from aiops_core.store.database import Database, Unusable, copy_file
from aiops_core.store.deliveries import Deliveries, DeliveryRow, DeliveryState
from aiops_core.store.deploys import Deploy, Deploys
from aiops_core.store.directory import prepare
from aiops_core.store.endpoints import EndpointRecords, EndpointRow
from aiops_core.store.faults import FaultRow, Faults, cause_of, fault_key
from aiops_core.store.findings import UsageRow
from aiops_core.store.fixes import Fix, Fixes, FixState, Sighting
from aiops_core.store.ignoring import until_count, until_release, until_time
from aiops_core.store.incidents import OPEN, Incidents
from aiops_core.store.jumps import Jumps, Uptime
from aiops_core.store.jumps import uptime as machine_uptime
from aiops_core.store.lock import hold, holder
from aiops_core.store.merging import Merging
from aiops_core.store.notices import Notice, Notices
from aiops_core.store.plans import StoredPlan
from aiops_core.store.queue import Job, JobState, Queue
from aiops_core.store.recording import Checkpoint, IncidentChange, Recording
from aiops_core.store.requests import Requests
from aiops_core.store.retention import Cut, Retention
from aiops_core.store.runs import BY_ITSELF, RunRow, Runs, RunState, StepRow, StepState
from aiops_core.store.salvage import put_aside_damaged
from aiops_core.store.schema import bring_up_to_date
from aiops_core.store.sightings import release_named
from aiops_core.store.silences import SilenceRow, Silences
from aiops_core.store.spending import Cap, LostCall, Shortage, Spendings
from aiops_core.store.talks import Place, RemarkRow, RemarkState, Talks
from aiops_core.store.tally import Counted, minute_of, next_sampled
from aiops_core.store.trends import Trends
from aiops_core.store.triage import Triage, Triaged
from aiops_core.store.volumes import Volume, Volumes
from aiops_core.store.work import Work

__all__ = [
    "BALLAST",
    "BY_ITSELF",
    "OPEN",
    "Cap",
    "Checkpoint",
    "Counted",
    "Cut",
    "DeliveryRow",
    "DeliveryState",
    "Deploy",
    "EndpointRow",
    "FaultRow",
    "Fix",
    "FixState",
    "IncidentChange",
    "Job",
    "JobState",
    "LostCall",
    "Notice",
    "Place",
    "RemarkRow",
    "RemarkState",
    "RunRow",
    "RunState",
    "Runs",
    "Shortage",
    "Sighting",
    "SilenceRow",
    "StepRow",
    "StepState",
    "Store",
    "StoredPlan",
    "Triaged",
    "Uptime",
    "UsageRow",
    "Volume",
    "WaitingPlan",
    "cause_of",
    "fault_key",
    "hold",
    "holder",
    "minute_of",
    "next_sampled",
    "put_aside_damaged",
    "release_named",
    "until_count",
    "until_release",
    "until_time",
]


class Store(Recording, Faults):
    """The whole state of one state directory, usable from any thread."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        job: Job | None = None,
        uptime: Callable[[], Uptime | None] = lambda: None,
    ) -> None:
        super().__init__(database, clock, job)
        self.clock = clock
        self.jumps = Jumps(database, clock, uptime)
        self.incidents = Incidents(database, clock, job)
        self.merging = Merging(database, clock, job)
        self.trends = Trends(database, clock, job)
        self.volumes = Volumes(database, clock, job)
        self.work = Work(database, clock, job)
        self.retention = Retention(database, clock, job)
        self.fixes = Fixes(database, clock, job)
        self.deploys = Deploys(database, clock, job)
        self.runs = Runs(database, clock, job)
        self.requests = Requests(database, clock, job)
        self.spending = Spendings(database, clock, job)
        self.endpoints = EndpointRecords(database, clock, job)
        self.deliveries = Deliveries(database, clock, job)
        self.notices = Notices(database, clock, job)
        self.triage = Triage(database, clock, job)
        self.silences = Silences(database, clock, job)
        self.talks = Talks(database, clock, job)
        self.queue = Queue(database, clock, {"run": Runs(database, clock).job_died}, self.jumps.settle)

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        uptime: Callable[[], Uptime | None] | None = None,
        ballast: int = 0,
    ) -> Self:
        """Open the state directory, made and migrated where needed; raise StoreError if it cannot be.

        ``ballast`` bytes of disk are held back for a full disk: give BALLAST in the runner, which
        stays; other commands need none. ``uptime`` shows where the clock jumps; the machine's own
        when the clock is.
        """
        prepare(directory)
        path = directory / "aiops.db"
        reserve = Ballast(directory / "ballast", ballast)
        try:
            bring_up_to_date(path)
        except Unusable as problem:
            if not (problem.is_full and reserve.is_held):
                raise
            reserve.release()
            bring_up_to_date(path)
        reserve.restore()
        own = machine_uptime if clock is utc_now else lambda: None
        return cls(Database(path, reserve), clock, uptime=uptime or own)

    def guarded(self, job: Job) -> Self:
        """Return this store as the worker of a job may use it: every write needs the lease.

        A write raises LeaseLost, and changes nothing, once another worker took the job over.
        """
        store = type(self)(self._database, self.clock, job)
        store.queue = self.queue
        return store

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make one transaction of all writes this thread does inside, in any part of the store."""
        with self._write():
            yield

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Let all that this thread reads inside be of one moment; nothing is written inside."""
        with self._read():
            yield

    @property
    def is_damaged(self) -> bool:
        """Whether the database file was found damaged since it was opened."""
        return self._database.is_damaged

    def check(self) -> list[str]:
        """Return what is wrong with the database file; reads all of it."""
        return self._database.problems()

    def backup(self, target: Path) -> None:
        """Copy the database, as it is at one moment, to a new file of this user alone."""
        copy_file(self._database.path, target)

    def vacuum(self) -> None:
        """Write the database anew, as small as it can be; nobody else may use it meanwhile."""
        self._database.vacuum()

    def close(self) -> None:
        """Let go of the files; may be called twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
