"""Figures of a period: how fast errors were noticed, told and ended, and what the answers took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median

from msgspec import Struct

from aiops_core.hindsight.period import Occurrences, Period
from aiops_core.store import Store


class Spent(Struct, frozen=True):
    """What one analyzer took: answers, tokens in and out, US dollars (None: a price is unknown)."""

    answers: int
    input_tokens: int
    output_tokens: int
    cost: float | None


class Figures(Struct, frozen=True):
    """Times are medians in seconds, None where nothing was measured."""

    start: datetime
    end: datetime
    events: int
    incidents: int
    new: int
    states: Mapping[str, int]
    severities: Mapping[str, int]
    to_detect: float | None
    to_tell: float | None
    to_resolve: float | None
    runs: Mapping[str, int]
    outcomes: Mapping[str, int]
    deliveries: Mapping[str, int]
    spent: Mapping[str, Spent]
    by_hour: Mapping[datetime, int]
    top: Sequence[Occurrences]


def figures(store: Store, period: Period, pipeline: str | None = None, top: int = 10) -> Figures:
    """Count and time what happened in a period.

    To detect: from the first event to its record (errors logged before the program ran count with
    the time they waited). To tell: from the first event to the first message that arrived. To
    resolve: from the first event to the end, for incidents resolved in the period.
    """
    incidents = [one.incident for one in period.occurred]
    new = [incident for incident in incidents if incident.first_seen >= period.start]
    work = store.work.since(period.start, pipeline)
    detected, told = work.detected, work.told
    return Figures(
        start=period.start,
        end=period.end,
        events=sum(one.count for one in period.occurred),
        incidents=len(incidents),
        new=len(new),
        states=Counter(incident.state for incident in incidents),
        severities=Counter(incident.severity for incident in incidents),
        to_detect=_middle(
            (detected[one.id] - one.first_seen).total_seconds() for one in new if one.id in detected
        ),
        to_tell=_middle((told[one.id] - one.first_seen).total_seconds() for one in new if one.id in told),
        to_resolve=_middle(seconds for seconds in work.resolved),
        runs=work.runs,
        outcomes=work.outcomes,
        deliveries=work.deliveries,
        spent=_spent(store, period.start, pipeline),
        by_hour=_by_hour(period),
        top=period.occurred[:top],
    )


def _middle(seconds: Iterable[float]) -> float | None:
    found = [max(one, 0.0) for one in seconds]
    return median(found) if found else None


def _spent(store: Store, start: datetime, pipeline: str | None) -> Mapping[str, Spent]:
    found: dict[str, Spent] = {}
    for row in store.runs.usage(start, pipeline):
        before = found.get(row.analyzer, Spent(0, 0, 0, 0.0))
        known = before.cost is not None and row.usage.cost is not None
        found[row.analyzer] = Spent(
            before.answers + 1,
            before.input_tokens + row.usage.input_tokens,
            before.output_tokens + row.usage.output_tokens,
            (before.cost or 0.0) + (row.usage.cost or 0.0) if known else None,
        )
    return found


def _by_hour(period: Period) -> Mapping[datetime, int]:
    hours: Counter[datetime] = Counter()
    for one in period.occurred:
        for minute, count in one.minutes.items():
            hours[minute.replace(minute=0)] += count
    return dict(sorted(hours.items()))
