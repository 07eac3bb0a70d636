"""What calls of models may take and took: reserved before each call, settled after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, cast

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from aiops_core.budget import Amount, AtMost
from aiops_core.records import Json, Usage
from aiops_core.store.access import Access
from aiops_core.store.tables import runs, spending

DAY = timedelta(hours=24)
Scope: TypeAlias = Literal["run", "incident", "pipeline", "all"]
"""What a budget is for; the last two within 24 hours."""
_CENT = 1e-9


class Cap(Struct, frozen=True):
    """A budget, and the setting that says it."""

    scope: Scope
    limit: Amount
    setting: str


class Shortage(Struct, frozen=True):
    """Why a call is not let through: what a budget has left is less than it may take.

    ``in_flight`` says that there would be enough if other calls took nothing that are being made.
    ``free_at`` is when there will be enough since older calls count no more, None where that never comes.
    """

    cap: Cap
    taken: Amount
    in_flight: bool
    free_at: datetime | None = None


class LostCall(Struct, frozen=True):
    """A call whose worker died: nobody knows what it took, so it counts at its most."""

    incident_id: int
    run_id: int
    analyzer: str
    amount: Amount


class Spendings(Access):
    """Keep the account of every call; workers share it, so that together they keep to the budgets."""

    def reserve(
        self, run_id: int, analyzer: str, at_most: AtMost, caps: Sequence[Cap], part: str = ""
    ) -> int | Shortage:
        """Take what a call may take, in one transaction for all workers; return its id or what is short."""
        now = self._clock()
        with self._write() as connection:
            run = connection.execute(select(runs).where(runs.c.id == run_id)).one()
            place = {"pipeline": run.pipeline, "incident_id": run.incident_id, "run_id": run_id}
            tokens = at_most.tokens or 0
            for cap in caps:
                scope = _within(cap.scope, place, now)
                taken = _taken(connection, scope)
                if _is_short(cap.limit, taken, at_most):
                    settled = _taken(connection, and_(scope, spending.c.state != "reserved"))
                    settled = replace(settled, calls=taken.calls)  # a call stays one, whatever it takes
                    in_flight = not _is_short(cap.limit, settled, at_most)
                    is_daily = cap.scope in ("pipeline", "all")
                    free_at = _free_at(connection, scope, cap.limit, taken, at_most) if is_daily else None
                    return Shortage(cap, taken.only(cap.limit), in_flight, free_at)
                if at_most.tokens is None and cap.limit.tokens is not None:
                    left = cap.limit.tokens - (taken.tokens or 0)
                    tokens = min(tokens, left) if tokens else left
            row = {**place, "analyzer": analyzer, "model": at_most.model, "state": "reserved"}
            row |= {"tokens": tokens, "cost": at_most.cost, "reserved_at": now, "part": part}
            added = insert(spending).values(row).returning(spending.c.id)
            return int(connection.execute(added).scalar_one())

    def settle(self, spending_id: int, usage: Usage | None, said: Json = None) -> None:
        """Count what a call really took, None: nothing, and keep what it said. It stays one call."""
        used = Usage(cost=0.0) if usage is None else usage
        tokens = used.input_tokens + used.output_tokens + used.cache_read_tokens + used.cache_write_tokens
        values = {"state": "settled", "settled_at": self._clock(), "tokens": tokens, "said": said}
        if used.cost is not None:
            values["cost"] = used.cost
        with self._write() as connection:
            connection.execute(update(spending).where(spending.c.id == spending_id).values(values))

    def lose(self, spending_id: int) -> None:
        """Count a call at its most that ended, and nobody knows what it took."""
        lost = update(spending).where(spending.c.id == spending_id, spending.c.state == "reserved")
        with self._write() as connection:
            connection.execute(lost.values(state="lost", settled_at=self._clock()))

    def said(self, run_id: int, incident_id: int, analyzer: str, part: str) -> list[Json]:
        """Return what the calls for one part of a run that has not ended said, in their order."""
        own = (spending.c.incident_id == incident_id, spending.c.run_id == run_id)
        same = (*own, spending.c.analyzer == analyzer, spending.c.part == part, spending.c.said.is_not(None))
        with self._read() as connection:
            return list(connection.scalars(select(spending.c.said).where(*same).order_by(spending.c.id)))

    def give_up(self) -> list[LostCall]:
        """Count calls at their most that nobody will settle; return them.

        For the holder of the state directory before its workers start: every call that is being
        made is then one of a runner that is gone.
        """
        open_ = spending.c.state == "reserved"
        lost = update(spending).where(open_).values(state="lost", settled_at=self._clock())
        columns = (spending.c.incident_id, spending.c.run_id, spending.c.analyzer)
        with self._write() as connection:
            rows = connection.execute(lost.returning(*columns, spending.c.tokens, spending.c.cost)).all()
        return [
            LostCall(row.incident_id, row.run_id, row.analyzer, Amount(row.cost, row.tokens, 1))
            for row in rows
        ]

    def taken(self, pipeline: str | None = None) -> Amount:
        """Return what was taken and is reserved within 24 hours, by one pipeline or all together."""
        scope: Scope = "all" if pipeline is None else "pipeline"
        with self._read() as connection:
            return _taken(connection, _within(scope, {"pipeline": pipeline or ""}, self._clock()))


def _within(scope: Scope, place: dict[str, object], now: datetime) -> ColumnElement[bool]:
    today = spending.c.reserved_at > now - DAY
    if scope == "all":
        return today
    if scope == "pipeline":
        return and_(today, spending.c.pipeline == place["pipeline"])
    own = spending.c.incident_id == place["incident_id"]
    return own if scope == "incident" else and_(own, spending.c.run_id == place["run_id"])


def _taken(connection: Connection, scope: ColumnElement[bool]) -> Amount:
    columns = (func.coalesce(func.sum(spending.c.cost), 0.0), func.coalesce(func.sum(spending.c.tokens), 0))
    usd, tokens, calls = connection.execute(select(*columns, func.count()).where(scope)).one()
    return Amount(usd, tokens, calls)


def _free_at(
    connection: Connection, scope: ColumnElement[bool], limit: Amount, taken: Amount, at_most: AtMost
) -> datetime | None:
    """Return when enough of what was taken is a day old."""
    usd, tokens, calls = taken.usd or 0.0, taken.tokens or 0, taken.calls or 0
    columns = (spending.c.reserved_at, spending.c.cost, spending.c.tokens)
    for reserved_at, cost, used in connection.execute(select(*columns).where(scope).order_by(columns[0])):
        usd, tokens, calls = usd - (cost or 0.0), tokens - used, calls - 1
        if not _is_short(limit, Amount(usd, tokens, calls), at_most):
            return cast("datetime", reserved_at) + DAY
    return None


def _is_short(limit: Amount, taken: Amount, at_most: AtMost) -> bool:
    wanted = 1 if at_most.tokens is None else at_most.tokens
    if limit.calls is not None and (taken.calls or 0) + 1 > limit.calls:
        return True
    if limit.tokens is not None and (taken.tokens or 0) + wanted > limit.tokens:
        return True
    if limit.usd is None or at_most.cost is None:
        return False
    return (taken.usd or 0.0) + at_most.cost > limit.usd + _CENT
