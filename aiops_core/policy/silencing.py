"""Whether: what is hidden by a silence, or by the incident that causes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from aiops_core.notices import Inhibition, Match, Silence, When
from aiops_core.policy.matters import Matter, holds, incident_matter, is_within
from aiops_core.policy.routing import said
from aiops_core.policy.storms import Gate
from aiops_core.records import Decision, Incident
from aiops_core.store import SilenceRow

_MINUTE, _LONGEST = timedelta(minutes=1), timedelta(days=1)


def silenced(
    matter: Matter, now: datetime, zone: tzinfo, written: Sequence[Silence], stored: Sequence[SilenceRow]
) -> Gate | None:
    """Return until when a message is silenced: by the pipeline file, or by a command.

    A failure of aiops itself is silenced only by what names its kind.
    """
    for number, window in enumerate(written):
        if _hides(window.when, matter) and is_within(window.when, now, zone):
            until = _end(window.when, now, zone)
            return _gate(until, f"silences[{number}]", window.why, said(window.when), f"silences[{number}]")
    for silence in stored:
        if _hides(silence.match, matter):
            why = f"{silence.why}, by {silence.by}"
            setting = f"aiops silence remove {silence.id}"
            return _gate(silence.ends_at, silence.name, why, said(silence.match), setting)
    return None


def inhibited(
    matter: Matter, incident: Incident, now: datetime, rules: Sequence[Inhibition], opened: Sequence[Incident]
) -> Gate | None:
    """Return until when a message waits since the cause of its incident is an open one too."""
    for number, rule in enumerate(rules):
        if not holds(rule.target, matter):
            continue
        for other in opened:
            cause = incident_matter(other)
            is_other = other.id != incident.id and holds(rule.source, cause)
            if is_other and all(_is_same(name, matter, cause) for name in rule.equal):
                text = f"held back while incident {other.id} is open, which hides it: {other.title}"
                decision = Decision("inhibition", text, setting=f"inhibit[{number}]")
                return Gate(now + _MINUTE, f"inhibit[{number}]", decision)
    return None


def _hides(match: Match, matter: Matter) -> bool:
    return holds(match, matter) and (matter.kind != "fault" or "fault" in match.kind)


def _gate(until: datetime, held: str, why: str, what: str, setting: str) -> Gate:
    text = f"held back until {until:%Y-%m-%d %H:%M} UTC: {held} ({why}): {what}"
    return Gate(until, held, Decision("silence", text, setting=setting))


def _end(when: When, now: datetime, zone: tzinfo) -> datetime:
    """Return when the hours are over; after a day at the latest it is looked at again."""
    at = now.replace(second=0, microsecond=0) + _MINUTE
    while at < now + _LONGEST and is_within(when, at, zone):
        at += _MINUTE
    return at


def _is_same(name: str, one: Matter, other: Matter) -> bool:
    """Return whether both name the same; what neither names is not the same."""
    if name == "service":
        return bool(set(one.services) & set(other.services))
    if name == "owner":
        return bool(set(one.owners) & set(other.owners))
    if name == "path":
        return bool(set(one.paths) & set(other.paths))
    return bool(one.attributes.get(name)) and one.attributes.get(name) == other.attributes.get(name)
