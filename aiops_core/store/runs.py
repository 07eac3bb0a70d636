"""Runs of the response and their recorded steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, bindparam, exists, func, insert, select, update

from aiops_core.errors import UserError
from aiops_core.records import Change, Outcome
from aiops_core.store.approvals import Approvals
from aiops_core.store.database import chunks, upsert
from aiops_core.store.findings import Findings
from aiops_core.store.incidents import pipeline_of
from aiops_core.store.queue import Job, new_job
from aiops_core.store.requests import Requests
from aiops_core.store.tables import changes, incidents, jobs, runs, spending, steps

RunState: TypeAlias = Literal["waiting", "running", "done", "failed"]
StepState: TypeAlias = Literal["running", "waiting", "queued", "done", "failed", "skipped", "refused"]


class RunRow(Struct, frozen=True):
    """One pass of the response over an incident."""

    id: int
    incident_id: int
    pipeline: str
    reason: str
    state: RunState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class StepRow(Struct, frozen=True):
    """One recorded step of a run; ``result`` is JSON text of whatever record the step made."""

    run_id: int
    name: str
    component: str
    state: StepState
    error: str
    result: str
    started_at: datetime
    finished_at: datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether a run that starts again may skip this step."""
        return self.finished_at is not None


_RUN = [runs.c[name] for name in RunRow.__struct_fields__]
_OF_RUN = runs.c.id == bindparam("of_run")
_GET = select(*_RUN).where(_OF_RUN)
_OF_INCIDENT = select(*_RUN).where(runs.c.incident_id == bindparam("of_incident")).order_by(runs.c.id)
_LATEST = _OF_INCIDENT.order_by(None).order_by(runs.c.id.desc()).limit(1)
_LAST_RUNS = (
    select(func.max(runs.c.id))
    .where(runs.c.incident_id.in_(bindparam("of_incidents", expanding=True)))
    .group_by(runs.c.incident_id)
)
_LAST_CHANGES = (
    select(runs.c.incident_id, runs.c.id, changes.c.change).join(changes).where(runs.c.id.in_(_LAST_RUNS))
)
_START = (
    update(runs)
    .where(_OF_RUN)
    .values(
        state="running",
        started_at=func.coalesce(runs.c.started_at, bindparam("now", type_=runs.c.started_at.type)),
        finished_at=None,
    )
)
_FINISH = update(runs).where(_OF_RUN)
_FORGET_ANSWERS = (
    update(spending)
    .where(
        spending.c.incident_id == select(runs.c.incident_id).where(_OF_RUN).scalar_subquery(),
        spending.c.run_id == bindparam("of_run"),
        spending.c.said.is_not(None),
    )
    .values(said=None)
)
_STEP = StepRow.__struct_fields__
_STEPS = (
    select(*(steps.c[name] for name in _STEP))
    .where(steps.c.run_id == bindparam("of_run"))
    .order_by(steps.c.id)
)
_WRITE_UNENDED = upsert(steps, _STEP, keys=("run_id", "name"), where=steps.c.finished_at.is_(None)).returning(
    steps.c.id
)
_END = update(steps).where(steps.c.run_id == bindparam("of_run"), steps.c.name == bindparam("of_name"))


class Runs(Findings, Approvals):
    """Create runs and record what they do: steps here, findings and plans beside them."""

    def create(self, incident_id: int, reason: str, *, due_at: datetime | None = None) -> int:
        """Create a run of an incident with its job of kind ``run``; return its id."""
        now = self._clock()
        with self._write() as connection:
            pipeline = pipeline_of(connection, incident_id)
            created = create_runs(connection, pipeline, {incident_id: reason}, due_at=due_at or now, now=now)
        return created[incident_id]

    def get(self, run_id: int) -> RunRow:
        """Return a run; raise UserError when there is none."""
        with self._read() as connection:
            row = connection.execute(_GET, {"of_run": run_id}).mappings().first()
        if row is None:
            raise UserError(
                f"run {run_id}: there is none. `aiops incidents show` lists those of an incident."
            )
        return RunRow(**row)

    def of_incident(self, incident_id: int) -> list[RunRow]:
        """Return the runs of an incident, the first one first."""
        of = {"of_incident": incident_id}
        with self._read() as connection:
            return [RunRow(**row) for row in connection.execute(_OF_INCIDENT, of).mappings()]

    def latest(self, incident_id: int) -> RunRow | None:
        """Return the last run of an incident, None before the first."""
        with self._read() as connection:
            row = connection.execute(_LATEST, {"of_incident": incident_id}).mappings().first()
        return None if row is None else RunRow(**row)

    def last_fixes(self, incident_ids: Sequence[int]) -> Mapping[int, tuple[Change, Sequence[Outcome]]]:
        """Return the change that the last run of each of these incidents made, and what came of it."""
        with self._read() as connection:
            made = connection.execute(_LAST_CHANGES, {"of_incidents": incident_ids}).all()
            return {
                incident: (change, tuple(self.outcomes(run_id).values())) for incident, run_id, change in made
            }

    def start(self, run_id: int) -> None:
        """Note that a worker runs it; the time of the first start stays."""
        with self._write() as connection:
            connection.execute(_START, {"of_run": run_id, "now": self._clock()})

    def finish(self, run_id: int, state: RunState) -> None:
        """Note how it ended, and what models said is kept no more; ``waiting`` parks it, as for an approval."""
        ended = None if state == "waiting" else self._clock()
        with self._write() as connection:
            connection.execute(_FINISH, {"of_run": run_id, "state": state, "finished_at": ended})
            if ended is not None:
                connection.execute(_FORGET_ANSWERS, {"of_run": run_id})

    def resume(self, run_id: int) -> None:
        """Let a run go on now, as after an approval; one that a worker holds goes on by itself."""
        now, key = self._clock(), f"run:{run_id}"
        again = update(jobs).where(jobs.c.key == key, jobs.c.state != "leased")
        with self._write() as connection:
            if connection.execute(again.values(state="ready", attempts=0, due_at=now)).rowcount:
                return
            if connection.scalar(select(jobs.c.id).where(jobs.c.key == key)) is None:
                connection.execute(insert(jobs), [new_job("run", key, {"run": run_id}, now, now)])

    def wake_postponed(self) -> int:
        """Let runs go on now whose analysis was put off; return how many."""
        now = self._clock()
        waits = (jobs.c.kind == "run", jobs.c.state == "ready", jobs.c.due_at > now)
        with self._write() as connection:
            waiting = {
                payload["run"]: key
                for key, payload in connection.execute(select(jobs.c.key, jobs.c.payload).where(*waits))
            }
            keys = [
                waiting[run_id]
                for some in chunks(list(waiting))
                for run_id in connection.scalars(
                    select(steps.c.run_id).where(
                        steps.c.run_id.in_(some), steps.c.name == "analyze", steps.c.state == "queued"
                    )
                )
            ]
            for some in chunks(keys):
                connection.execute(update(jobs).where(jobs.c.key.in_(some)).values(due_at=now))
        return len(keys)

    def job_died(self, job: Job) -> None:
        """Note that nobody will run it any more, because its job is a dead letter."""
        run_id = job.payload["run"]
        self.finish(run_id, "failed")
        Requests(self._database, self._clock).drop(run_id)

    def step(self, run_id: int, name: str) -> StepRow | None:
        """Return a step of a run, None before it began."""
        return next((step for step in self.steps(run_id) if step.name == name), None)

    def steps(self, run_id: int) -> list[StepRow]:
        """Return the steps of a run in the order in which they first began."""
        with self._read() as connection:
            return [StepRow(**row) for row in connection.execute(_STEPS, {"of_run": run_id}).mappings()]

    def begin_step(self, run_id: int, name: str, component: str = "", state: StepState = "running") -> bool:
        """Record that a step begins, or begins again after a crash; ``waiting``: for an approval.

        Return False, changing nothing, where it has ended.
        """
        row = StepRow(run_id, name, component, state, "", "", self._clock(), None)
        with self._write() as connection:
            return connection.execute(_WRITE_UNENDED, asdict(row)).first() is not None

    def end_step(self, run_id: int, name: str, state: StepState, error: str = "", result: str = "") -> None:
        """Record how a step ended, with the JSON text of what it made."""
        row = {"state": state, "error": error, "result": result, "finished_at": self._clock()}
        with self._write() as connection:
            connection.execute(_END, {"of_run": run_id, "of_name": name, **row})

    def save_step(self, step: StepRow) -> None:
        """Record a step from its begin to its end at once: nothing can have been lost in between."""
        with self._write() as connection:
            connection.execute(_WRITE_UNENDED, asdict(step))


def create_runs(
    connection: Connection, pipeline: str, reasons: Mapping[int, str], *, due_at: datetime, now: datetime
) -> dict[int, int]:
    """Create a run with its job for each incident of ``reasons``; return the run ids by incident."""
    if not reasons:
        return {}
    rows = [
        {
            "incident_id": incident,
            "pipeline": pipeline,
            "reason": reason,
            "state": "waiting",
            "created_at": now,
        }
        for incident, reason in reasons.items()
    ]
    created = connection.execute(insert(runs).returning(runs.c.incident_id, runs.c.id), rows)
    ids = {row.incident_id: row.id for row in created}
    urgent = _priorities(connection, list(ids), now)
    queued = [
        {**new_job("run", f"run:{run}", {"run": run}, due_at, now), "priority": urgent[incident]}
        for incident, run in ids.items()
    ]
    connection.execute(insert(jobs), queued)
    return ids


def await_their_turn(connection: Connection, incident_ids: Sequence[int]) -> set[int]:
    """Return which of these incidents have a run that nobody took up yet: it answers what comes meanwhile."""
    waits = (runs.c.state == "waiting", runs.c.started_at.is_(None), runs.c.reason.in_(BY_ITSELF))
    has_job = exists().where(jobs.c.key == func.printf("run:%d", runs.c.id), jobs.c.state != "dead")
    query = select(runs.c.incident_id).where(*waits, has_job)
    return {
        found
        for some in chunks(incident_ids)
        for found in connection.scalars(query.where(runs.c.incident_id.in_(some)))
    }


def _priorities(connection: Connection, incident_ids: Sequence[int], now: datetime) -> dict[int, int]:
    """Return which incidents are answered first: critical before errors, warnings after other work.

    One that comes back again and again goes last, whatever it is: it is known, and others are not.
    """
    recent = (runs.c.incident_id == incidents.c.id, runs.c.created_at > now - _RECENTLY)
    often = select(func.count()).where(*recent).correlate(incidents).scalar_subquery() > _OFTEN
    rows = [
        row
        for some in chunks(incident_ids)
        for row in connection.execute(
            select(incidents.c.id, incidents.c.severity, often.label("often")).where(incidents.c.id.in_(some))
        )
    ]
    return {row.id: _LAST if row.often else _PRIORITIES[row.severity] for row in rows}


_PRIORITIES = {"critical": 1, "error": 0, "warning": -1, "info": -2}
_LAST = -3
_RECENTLY, _OFTEN = timedelta(hours=1), 3
BY_ITSELF = ("new", "regressed")
"""Reasons of runs that nobody asked for."""
