"""Patterns among incidents: frequent, new, escalating, cascading and correlated ones, and their classes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations, permutations
from statistics import median

from msgspec import Struct

from aiops_core.hindsight.period import Occurrences, Period
from aiops_core.records import Incident

FREQUENT = 10
"""An incident with more events than this is frequent."""
WITHIN = timedelta(seconds=10)
"""An effect follows its cause within this time."""
_RECENT = 1 / 6  # of the period, which is compared with the rest
_FASTER = 3.0
_LEAST_RECENT = 10
_OFTEN, _LEAST_PAIRS, _LIFT = 0.8, 3, 2.0
_TOGETHER = 0.5
_COMPARED = 100  # most frequent incidents, of which every pair is looked at

_CLASSES: Mapping[str, re.Pattern[str]] = {
    "security": re.compile(
        r"(?i)unauthori[sz]ed|forbidden|permission ?denied|access ?denied|authenticat|invalid (?:token|signature)"
        r"|certificate|\bcsrf|\bxss|injection|brute.?force|\b40[13]\b|失败的登录|未授权|权限"
    ),
    "performance": re.compile(
        r"(?i)time[d ]?-?out|too slow|slow query|deadline|out ?of ?memory|\boom\b|memory ?error|heap space"
        r"|pool (?:is )?exhausted|too many (?:connections|open files|requests)|queue (?:is )?full|throttl|latency"
        r"|超时|内存不足"
    ),
    "business": re.compile(
        r"(?i)\border|payment|invoice|checkout|refund|coupon|insufficient (?:funds|stock|balance)|declined"
        r"|subscription|inventory|订单|支付|退款|库存|余额"
    ),
}


class Escalation(Struct, frozen=True):
    """An incident that occurs faster at the end of the period; events an hour before and since."""

    incident: Incident
    before: float
    since: float


class Cascade(Struct, frozen=True):
    """``effect`` followed ``cause`` in ``hits`` of the ``of`` occurrences looked at, after ``seconds``."""

    cause: Incident
    effect: Incident
    hits: int
    of: int
    seconds: float


class Correlation(Struct, frozen=True):
    """Two incidents that share ``minutes``, a ``share`` (0 to 1) of all in which one of them occurred."""

    one: Incident
    other: Incident
    minutes: int
    share: float


class Insights(Struct, frozen=True):
    """What stands out in a period, the most striking first."""

    frequent: Sequence[Occurrences]
    new: Sequence[Occurrences]
    escalating: Sequence[Escalation]
    cascading: Sequence[Cascade]
    correlated: Sequence[Correlation]
    classes: Mapping[str, Sequence[Occurrences]]


def insights(period: Period) -> Insights:
    """Return what stands out; pairs are looked for among the hundred most frequent incidents."""
    compared = period.occurred[:_COMPARED]
    cascading = sorted(_cascades(period, compared), key=lambda one: -one.hits)
    related = {frozenset((one.cause.id, one.effect.id)) for one in cascading}
    correlated = [
        one for one in _correlations(period, compared) if frozenset((one.one.id, one.other.id)) not in related
    ]
    return Insights(
        frequent=[one for one in period.occurred if one.count > FREQUENT],
        new=[one for one in period.occurred if one.incident.first_seen >= period.start],
        escalating=sorted(_escalations(period), key=lambda one: -one.since),
        cascading=cascading,
        correlated=sorted(correlated, key=lambda one: (-one.share, -one.minutes)),
        classes=_classes(period.occurred),
    )


def kind_of(incident: Incident) -> str:
    """Return the class of an incident by the words of its title; ``error`` where none fits."""
    return next((name for name, words in _CLASSES.items() if words.search(incident.title)), "error")


def _classes(occurred: Sequence[Occurrences]) -> Mapping[str, Sequence[Occurrences]]:
    found: dict[str, list[Occurrences]] = {}
    for one in occurred:
        found.setdefault(kind_of(one.incident), []).append(one)
    return found


def _escalations(period: Period) -> Iterator[Escalation]:
    length = period.end - period.start
    turn = period.end - length * _RECENT
    hours = length.total_seconds() / 3600
    for one in period.occurred:
        recent = sum(count for minute, count in one.minutes.items() if minute >= turn)
        before = (one.count - recent) / (hours * (1 - _RECENT))
        since = recent / (hours * _RECENT)
        is_known = one.incident.first_seen < turn
        if is_known and recent >= _LEAST_RECENT and since >= _FASTER * before:
            yield Escalation(one.incident, before, since)


def _cascades(period: Period, compared: Sequence[Occurrences]) -> Iterator[Cascade]:
    for cause, effect in permutations(compared, 2):
        if cause.incident.pipeline != effect.incident.pipeline or len(effect.moments) < _LEAST_PAIRS:
            continue
        delays = _delays(cause, effect)
        share, back = (
            len(delays) / len(effect.moments),
            len(_delays(effect, cause)) / len(cause.moments or [1]),
        )
        by_chance = min(1.0, cause.count * WITHIN / (period.end - period.start))
        is_often = len(delays) >= _LEAST_PAIRS and share >= _OFTEN and share >= _LIFT * by_chance
        if is_often and share >= _LIFT * back:
            yield Cascade(cause.incident, effect.incident, len(delays), len(effect.moments), median(delays))


def _delays(cause: Occurrences, effect: Occurrences) -> list[float]:
    """Return after how many seconds the effect followed, for every time it did."""
    delays = []
    for moment in effect.moments:
        index = bisect_left(cause.moments, moment) - 1
        if index >= 0 and (delay := moment[0] - cause.moments[index][0]) <= WITHIN:
            delays.append(delay.total_seconds())
    return delays


def _correlations(period: Period, compared: Sequence[Occurrences]) -> Iterator[Correlation]:
    minutes = max((period.end - period.start).total_seconds() / 60, 1.0)
    for one, other in combinations(compared, 2):
        shared = len(one.minutes.keys() & other.minutes.keys())
        share = shared / (len(one.minutes) + len(other.minutes) - shared)
        by_chance = len(one.minutes) * len(other.minutes) / minutes
        if shared >= _LEAST_PAIRS and share >= _TOGETHER and shared >= _LIFT * by_chance:
            yield Correlation(one.incident, other.incident, shared, share)
