"""Places for requests: how many may be open, and how many may be opened in an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, select, update

from aiops_core.store.access import Access
from aiops_core.store.tables import jobs, outcomes, requests, runs, steps

_HOUR = timedelta(hours=1)
_LOOK_AGAIN = timedelta(minutes=10)


class Requests(Access):
    """Hand out places for requests, one for each incident and action."""

    def reserve(self, run_id: int, step: str, *, most: int, hourly: int) -> tuple[str, datetime] | None:
        """Take a place, in one transaction for all workers; None when it is taken, now or before.

        Else return the limit that is reached, ``open`` or ``hourly``, and when to try again.
        """
        now = self._clock()
        with self._write() as connection:
            run = connection.execute(select(runs).where(runs.c.id == run_id)).one()
            in_pipeline = requests.c.pipeline == run.pipeline
            own = and_(in_pipeline, requests.c.incident_id == run.incident_id, requests.c.step == step)
            if connection.scalar(select(requests.c.id).where(own, _IS_OPEN)) is not None:
                return None
            count = select(func.count()).select_from(requests).where(in_pipeline, _IS_OPEN)
            if connection.execute(count).scalar_one() >= most:
                return "open", now + _LOOK_AGAIN
            recent = select(requests.c.opened_at).where(in_pipeline, requests.c.opened_at > now - _HOUR)
            opened = connection.scalars(recent.order_by(requests.c.opened_at)).all()
            if len(opened) >= hourly:
                return "hourly", opened[-hourly] + _HOUR
            row = {"pipeline": run.pipeline, "incident_id": run.incident_id, "run_id": run_id, "step": step}
            connection.execute(insert(requests).values({**row, "opened_at": now}))
        return None

    def close(self, run_id: int, step: str) -> None:
        """Give the place of a request back that is merged or closed; runs that wait for one go on."""
        with self._write() as connection:
            incident = select(runs.c.incident_id).where(runs.c.id == run_id).scalar_subquery()
            own = and_(requests.c.incident_id == incident, requests.c.step == step, _IS_OPEN)
            connection.execute(update(requests).where(own).values(closed_at=self._clock()))
            self._wake()

    def drop(self, run_id: int, step: str = "") -> None:
        """Give back the places of a run that opened nothing, as if it had never had them."""
        own = and_(requests.c.run_id == run_id, _IS_OPEN, ~_HAS_OUTCOME)
        if step:
            own = and_(own, requests.c.step == step)
        with self._write() as connection:
            connection.execute(delete(requests).where(own))
            self._wake()

    def _wake(self) -> None:
        queued = select(func.printf("run:%d", steps.c.run_id)).where(steps.c.state == "queued")
        with self._write() as connection:
            again = update(jobs).where(jobs.c.key.in_(queued), jobs.c.state == "ready")
            connection.execute(again.values(due_at=self._clock()))


_IS_OPEN: ColumnElement[bool] = requests.c.closed_at.is_(None)
_HAS_OUTCOME = exists().where(outcomes.c.run_id == requests.c.run_id, outcomes.c.step == requests.c.step)
