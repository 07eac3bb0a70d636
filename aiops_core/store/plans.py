"""What a run's actions plan, did, and are in the middle of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, insert, select, update

from aiops_core.context import Effect, EffectRecorder
from aiops_core.failpoints import failpoint
from aiops_core.records import Json, Outcome, Plan
from aiops_core.store.access import Access
from aiops_core.store.database import upsert
from aiops_core.store.tables import effects, outcomes, plans, runs


class StoredPlan(Struct, frozen=True):
    """A plan and what was approved; an approval of another plan's hash approves nothing."""

    plan: Plan
    created_at: datetime
    approved_hash: str
    approved_by: str
    approved_at: datetime | None
    why: str = ""
    """Why people are asked, one reason a line."""
    expires_at: datetime | None = None

    @property
    def is_approved(self) -> bool:
        """Whether exactly this plan was approved."""
        return self.approved_hash == self.plan.hash


PLAN = [plans.c[name] for name in StoredPlan.__struct_fields__]


class RecordedEffect(Struct):
    """One effect as the store remembers it: see ``component.Effect``."""

    result: Json = None
    is_uncertain: bool = False


class Plans(Access):
    """Keep plans, outcomes and effects."""

    def save_plan(self, run_id: int, step: str, plan: Plan) -> None:
        """Keep the plan of a step in place of an earlier one; an approval stays bound to its hash."""
        row = {"run_id": run_id, "step": step, "plan": plan, "hash": plan.hash, "created_at": self._clock()}
        with self._write() as connection:
            connection.execute(upsert(plans, row), row)

    def ask(self, run_id: int, step: str, why: str, expires_at: datetime) -> None:
        """Keep why people are asked about a plan, and until when they may say yes."""
        of = (plans.c.run_id == run_id, plans.c.step == step)
        with self._write() as connection:
            connection.execute(update(plans).where(*of).values(why=why, expires_at=expires_at))

    def plan(self, run_id: int, step: str) -> StoredPlan | None:
        """Return the plan of a step."""
        query = select(*PLAN).where(plans.c.run_id == run_id, plans.c.step == step)
        with self._read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else StoredPlan(**row)

    def save_outcome(self, run_id: int, step: str, outcome: Outcome) -> None:
        """Keep what a step's action did, or what following it showed."""
        row = {"run_id": run_id, "step": step, "outcome": outcome, "created_at": self._clock()}
        with self._write() as connection:
            connection.execute(insert(outcomes).values(row))

    def outcomes(self, run_id: int) -> dict[str, Outcome]:
        """Return the last outcome of every step, by step."""
        last = select(func.max(outcomes.c.id)).where(outcomes.c.run_id == run_id).group_by(outcomes.c.step)
        query = select(outcomes.c.step, outcomes.c.outcome).where(outcomes.c.id.in_(last))
        with self._read() as connection:
            return {row.step: row.outcome for row in connection.execute(query.order_by(outcomes.c.id))}

    def effects(self, run_id: int, step: str) -> EffectRecorder:
        """Return what ``Context.effects`` of this step in this run is to be."""

        def record(name: str, key: str) -> AbstractContextManager[Effect]:
            return self._recorded(run_id, step, name, key)

        return record

    @contextmanager
    def _recorded(self, run_id: int, step: str, name: str, key: str) -> Iterator[Effect]:
        place, effect = self._begin(run_id, step, name, key)
        known = effect.result
        failpoint("before_effect")
        yield effect
        failpoint("after_effect")
        if effect.result is not None and known is None:
            done = update(effects).filter_by(**place)
            with self._write() as connection:
                connection.execute(done.values(result=effect.result, done_at=self._clock()))

    def _begin(self, run_id: int, step: str, name: str, key: str) -> tuple[dict[str, str], RecordedEffect]:
        with self._write() as connection:
            pipeline = connection.scalars(select(runs.c.pipeline).where(runs.c.id == run_id)).one()
            place = {"pipeline": pipeline, "step": step, "name": name, "key": key}
            row = connection.execute(select(effects.c.result).filter_by(**place)).first()
            if row is not None:
                return place, RecordedEffect(row.result, is_uncertain=row.result is None)
            connection.execute(insert(effects).values({**place, "run_id": run_id, "begun_at": self._clock()}))
        return place, RecordedEffect()
