"""When: how long a message waits, when people are reminded, and whether an error becomes more frequent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from aiops_core.config import duration_text
from aiops_core.notices import Notices
from aiops_core.policy.storms import Gate
from aiops_core.records import SEVERITIES, Decision, IncidentState, Report, Severity
from aiops_core.store import Notice

WINDOW = timedelta(minutes=10)
"""The time in which the events of an incident are counted, to compare it with the hour before."""
_BEFORE = timedelta(hours=1)
_LEAST_KNOWN = timedelta(minutes=30)
_CALM = 2.0
_SETTINGS = {
    "wait": "notices.wait",
    "cool-down": "notices.cool_down",
    "dedup": "notices.again_after",
    "storm": "notices.storm",
}


def gate_for(
    notice: Notice | None, news: str, severity: Severity, since: datetime, now: datetime, settings: Notices
) -> Gate | None:
    """Return until when news of an incident waits, None when it may be told now.

    ``since`` is when the incident came up. What became graver than what was told waits for nothing.
    """
    gates = _gates(notice, news, severity, since, now, settings)
    last = max(gates, key=lambda gate: gate.until, default=None)
    return last if last is not None and last.until > now else None


def _gates(
    notice: Notice | None,
    news: str,
    severity: Severity,
    since: datetime,
    now: datetime,
    settings: Notices,
) -> list[Gate]:
    if notice is None:
        return [_gate(since + settings.wait, "wait", "the first message waits", "wait")]
    if SEVERITIES.index(severity) < SEVERITIES.index(notice.severity):
        return []
    cool = settings.cool_down_of(severity)
    why = f"the incident was told less than {duration_text(cool)} ago"
    gates = [_gate(_after(notice.told_at, cool, now), "cool-down", why, "cool_down")]
    if news in notice.news and news != "reminder":
        at = _after(datetime.fromisoformat(notice.news[news]), settings.again_after, now)
        why = f"'{news}' was told less than {duration_text(settings.again_after)} ago"
        gates.append(_gate(at, "dedup", why, "again_after"))
    return gates


def _after(told_at: datetime, time: timedelta, now: datetime) -> datetime:
    """Return a time after a message; with one that still waits further news go out together."""
    return told_at if told_at > now else told_at + time


def _gate(until: datetime, held: str, why: str, setting: str) -> Gate:
    text = f"told later, not before {until:%Y-%m-%d %H:%M:%S} UTC: {why}"
    return Gate(until, held, Decision(held, text, setting=f"notices.{setting}"))


def reminder_after(reminded: int, settings: Notices) -> timedelta | None:
    """Return how long after a message the next reminder is, None where nobody is reminded."""
    if not settings.remind:
        return None
    doubled: timedelta = settings.remind * 2 ** min(reminded, 20)
    return min(doubled, max(settings.remind_at_most, settings.remind))


def rates(minutes: Mapping[datetime, int], now: datetime, first_seen: datetime) -> tuple[int, float] | None:
    """Return the events of the last ten minutes, and those of ten minutes in the hour before.

    None for what is known for less than half an hour before: there is nothing to compare with.
    """
    start = now - WINDOW
    known = min(start - first_seen, _BEFORE)
    if known < _LEAST_KNOWN:
        return None
    recent = sum(count for minute, count in minutes.items() if start < minute <= now)
    before = sum(count for minute, count in minutes.items() if start - known < minute <= start)
    return recent, before * (WINDOW / known)


def is_escalating(recent: int, before: float, settings: Notices) -> bool:
    """Return whether an error becomes more frequent than people were told."""
    least = settings.escalating
    return bool(least.times) and recent >= least.events and recent >= least.times * before


def is_calm(recent: int, before: float) -> bool:
    """Return whether an error that became more frequent is no longer so."""
    return recent < _CALM * before or recent == 0


def outdated(report: Report, held: str, state: IncidentState) -> Decision | None:
    """Return why a message is not told any more; ``state`` is that of its incident by now."""
    is_over = state in ("resolved", "ignored")
    is_waiting = bool(held) or report.kind != "incident"
    is_old = state != "resolved" if report.kind == "resolved" else is_over and is_waiting
    if not is_old:
        return None
    what = f"what waited ({held})" if held else f"'{report.kind}'"
    text = f"not told: {what}, for the incident is {state} by now"
    return Decision("outdated", text, setting=_setting(held))


def _setting(held: str) -> str:
    return _SETTINGS.get(held) or ("silences" if held.startswith("silence") else held)
