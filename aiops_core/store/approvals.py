"""What people say to plans that wait for them: yes or no, to exactly the plan they saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Select, and_, bindparam, or_, select, update

from aiops_core.errors import UserError
from aiops_core.store.plans import PLAN, Plans, StoredPlan
from aiops_core.store.tables import plans, runs, steps


class WaitingPlan(Struct, frozen=True):
    """A plan whose action waits for an approval, and may have it by now."""

    incident_id: int
    run_id: int
    action: str
    stored: StoredPlan


class Approvals(Plans):
    """Say yes or no to plans."""

    def waiting(self, run_id: int) -> Sequence[WaitingPlan]:
        """Return the plans of a run whose actions have not gone on since they began to wait."""
        return self._waiting(_WAITING_OF_RUN, {"of_run": run_id})

    def unanswered(self) -> Sequence[WaitingPlan]:
        """Return the plans nobody answered yet, of each incident those of its last run that waits."""
        found = self._waiting(_WAITING.where(plans.c.approved_hash != plans.c.hash))
        last = {one.incident_id: one.run_id for one in found}
        return [one for one in found if one.run_id == last[one.incident_id]]

    def planned(self, beginning: str) -> Sequence[WaitingPlan]:
        """Return every plan whose hash begins so, the oldest first, whether it waits or not."""
        query = _ALL.where(plans.c.hash.startswith(beginning, autoescape=True))
        return self._waiting(query)

    def approve(self, run_id: int, action: str, plan_hash: str, by: str) -> None:
        """Approve exactly the plan with this hash; raise UserError when it is not the present one."""
        now = self._clock()
        approval = {"approved_hash": plan_hash, "approved_by": by, "approved_at": now}
        of = (plans.c.run_id == run_id, plans.c.step == action, plans.c.hash == plan_hash)
        in_time = or_(plans.c.expires_at.is_(None), plans.c.expires_at > now)
        with self._write() as connection:
            if not connection.execute(update(plans).where(*of, in_time).values(approval)).rowcount:
                raise UserError(
                    f"run {run_id}, step {action}: has no plan {plan_hash} that may be approved, it may have "
                    "changed or expired since. Look at the plan again and approve that."
                )

    def reject(self, run_id: int, action: str, by: str) -> None:
        """End the waiting of an action, and its run when nothing else is left to do there.

        Raise UserError when it does not wait, or was approved meanwhile.
        """
        now = self._clock()
        with self._write() as connection:
            if not any(one.action == action and not one.stored.is_approved for one in self.waiting(run_id)):
                raise UserError(f"run {run_id}, step {action}: does not wait for an approval any more.")
            of = (steps.c.run_id == run_id, steps.c.component == action, steps.c.state == "waiting")
            ended = {"state": "refused", "error": f"rejected by {by}", "finished_at": now}
            connection.execute(update(steps).where(*of).values(ended))
            if not self.waiting(run_id):
                failed = select(steps.c.id).where(steps.c.run_id == run_id, steps.c.state == "failed")
                state = "done" if connection.scalar(failed) is None else "failed"
                over = and_(runs.c.id == run_id, runs.c.state == "waiting")
                connection.execute(update(runs).where(over).values(state=state, finished_at=now))

    def _waiting(self, query: Select[Any], of: Mapping[str, int] | None = None) -> Sequence[WaitingPlan]:
        with self._read() as connection:
            rows = connection.execute(query, of).mappings().all()
        return [
            WaitingPlan(
                row["incident_id"],
                row["run_id"],
                row["step"],
                StoredPlan(**{column.name: row[column.name] for column in PLAN}),
            )
            for row in rows
        ]


_ACTS = and_(steps.c.run_id == plans.c.run_id, steps.c.name == "act " + plans.c.step)
_ALL = (
    select(runs.c.incident_id, plans.c.run_id, plans.c.step, *PLAN)
    .join(runs, runs.c.id == plans.c.run_id)
    .outerjoin(steps, _ACTS)
    .order_by(plans.c.run_id, steps.c.id)
)
_WAITING = _ALL.where(steps.c.state == "waiting")
_WAITING_OF_RUN = _WAITING.where(plans.c.run_id == bindparam("of_run"))
