"""What a run may have models do: every call is let through by the budgets, or the ladder steps down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from msgspec import Struct

from aiops_core.budget import Amount, AtMost, Spending
from aiops_core.context import Purse
from aiops_core.errors import Refused
from aiops_core.failpoints import failpoint
from aiops_core.records import Decision, Json, Usage
from aiops_core.respond.run import Postponed, Run
from aiops_core.store import Cap, Shortage

_FOR = {
    "run": "of one run",
    "incident": "of one incident",
    "pipeline": "of 24 hours",
    "all": "of 24 hours for all pipelines",
}


_SOON = timedelta(seconds=2)


_AGAIN = timedelta(minutes=15)
"""Time after which a run that waits for money looks again, when others took it."""


class OutOfBudget(Refused):
    """Refuse a call that could take more than a budget has left; ``until``: then there may be enough again."""

    until: datetime | None = None


class _Call(Struct):
    """One call that was let through."""

    run: Run
    id: int
    said: Json = None
    is_settled: bool = False

    def settle(self, usage: Usage | None, said: Json = None) -> None:
        """Count what it really took, and keep what it said for a worker that takes the run over."""
        self.run.desk.store.spending.settle(self.id, usage, self.run.redacted(said))
        self.is_settled = True


class _Made(Struct, frozen=True):
    """One call that a worker made before it was killed."""

    said: Json

    def settle(self, usage: Usage | None, said: Json = None) -> None:
        """Count nothing: it was counted when it was made."""


def purse(run: Run, analyzer: str, part: str = "") -> Purse:
    """Return how an analyzer's calls for one part of a run are let through.

    Those made before a kill are not made again: they say what they said, in their order.
    """
    made: Iterator[Json] | None = None

    @contextmanager
    def spending(at_most: AtMost) -> Iterator[Spending]:
        nonlocal made
        if made is None:
            made = iter(run.desk.store.spending.said(run.id, run.incident.id, analyzer, part))
        said = next(made, None)
        if said is not None:
            yield _Made(said)
            return
        with _reserved(run, analyzer, part, at_most) as call:
            yield call

    return spending


@contextmanager
def _reserved(run: Run, analyzer: str, part: str, at_most: AtMost) -> Iterator[Spending]:
    caps = _caps(run)
    if at_most.cost is None and any(cap.limit.usd is not None for cap in caps):
        text = f"{analyzer}: the price of {at_most.model} is not known, only its tokens and calls are counted"
        run.decide(Decision("price-unknown", run.redacted_text(text), setting="policy.budget"))
    found = run.store.spending.reserve(run.id, analyzer, at_most, caps, part)
    if isinstance(found, Shortage):
        raise _wait(run, found) if found.in_flight else _refusal(run, analyzer, at_most, found)
    failpoint("call_reserved")
    call = _Call(run, found)
    try:
        yield call
    finally:
        if not call.is_settled:
            run.desk.store.spending.lose(found)
    failpoint("call_settled")


def _caps(run: Run) -> list[Cap]:
    budget = run.pipeline.config.policy.budget
    caps = (
        ("run", budget.per_run, "policy.budget.per_run"),
        ("incident", budget.per_incident, "policy.budget.per_incident"),
        ("pipeline", budget.per_day, "policy.budget.per_day"),
        ("all", run.desk.per_day, "budget.per_day"),
    )
    return [Cap(scope, limit, setting) for scope, limit, setting in caps if limit is not None]  # type: ignore[arg-type]


def _wait(run: Run, short: Shortage) -> Postponed:
    """Let a run wait for calls that are being made: what they do not take is free again."""
    text = (
        f"waits for calls that are being made, which may leave enough of the budget {_FOR[short.cap.scope]}"
    )
    decision = Decision("reserved", text, setting=short.cap.setting)
    return Postponed(decision, run.desk.clock() + _SOON, wait_for="money")


def _refusal(run: Run, analyzer: str, at_most: AtMost, short: Shortage) -> OutOfBudget:
    """Say which budget is used up; people are told of those that are not of one incident alone."""
    cap = short.cap
    budget = f"the budget {_FOR[cap.scope]} ({cap.limit}) is used up"
    if cap.scope in ("pipeline", "all"):
        text = f"{budget}: until some of it is 24 hours old errors are told without analysis, which follows then. Raise {cap.setting}"
        run.fault(f"budget {cap.setting}", text)
    wants = Amount(at_most.cost, at_most.tokens, 1).only(cap.limit)
    text = f"{budget}: {short.taken} are taken or reserved, the call may take {wants}"
    refusal = OutOfBudget(text, rule="budget", setting=cap.setting)
    if short.free_at is not None:  # not all at the same moment
        refusal.until = max(short.free_at, run.desk.clock() + _AGAIN) + timedelta(seconds=run.id % 600)
    return refusal
