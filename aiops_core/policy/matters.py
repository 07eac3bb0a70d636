"""What a message is about, and whether conditions people wrote hold for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from fnmatch import fnmatchcase

from msgspec import Struct, field

from aiops_core.notices import Match, When
from aiops_core.records import Event, Incident, Report, ReportKind, Severity
from aiops_core.text.timestamps import zone_named

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST = 500
_SERVICE = ("service", "service.name")
_OWNER = ("owner", "team")


class Matter(Struct, frozen=True):
    """What conditions look at."""

    kind: ReportKind
    severity: Severity
    confidence: float = 0.0
    services: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    type: str = ""
    title: str = ""
    fingerprint: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def matter_of(report: Report) -> Matter:
    """Return what a report is about."""
    found = incident_matter(report.incident) if report.incident is not None else None
    cited = tuple(item.path for item in report.evidence if item.kind == "source" and item.path)
    return Matter(
        kind=report.kind,
        severity=report.severity,
        confidence=report.analysis.confidence if report.analysis is not None else 0.0,
        services=found.services if found else (),
        owners=(*(found.owners if found else ()), *report.owners),
        paths=(*(found.paths if found else ()), *cited),
        type=found.type if found else "",
        title=found.title if found else report.title,
        fingerprint=found.fingerprint if found else "",
        attributes=found.attributes if found else {},
    )


def incident_matter(incident: Incident) -> Matter:
    """Return what an incident is about, by its first stored event."""
    event = incident.event if incident.events else Event(incident.type)
    frames = [frame for error in event.exceptions for frame in error.frames]
    return Matter(
        kind="incident",
        severity=incident.severity,
        services=_named(event, _SERVICE),
        owners=_named(event, _OWNER),
        paths=tuple(dict.fromkeys(path for path in (*(one.file for one in frames), event.path) if path)),
        type=incident.type,
        title=incident.title,
        fingerprint=incident.fingerprint,
        attributes=event.attributes,
    )


def holds(match: Match, matter: Matter) -> bool:
    """Return whether every condition on what a message is about holds."""
    return (
        (not match.severity or matter.severity in match.severity)
        and (not match.kind or matter.kind in match.kind)
        and _fits(match.service, matter.services)
        and _fits(match.owner, matter.owners)
        and _fits(match.path, matter.paths)
        and _fits(match.type, (matter.type,))
        and _fits(match.title, (matter.title,))
        and _fits(match.fingerprint, (matter.fingerprint,))
        and all(
            _fits(wanted, (matter.attributes.get(name, ""),)) for name, wanted in match.attributes.items()
        )
    )


def holds_now(when: When, matter: Matter, now: datetime, zone: tzinfo) -> bool:
    """Return whether every condition holds, those on confidence and time too; ``zone`` is the pipeline's."""
    is_sure = matter.confidence >= when.confidence
    return is_sure and holds(when, matter) and is_within(when, now, zone)


def is_within(when: When, now: datetime, zone: tzinfo) -> bool:
    """Return whether a moment is among the hours and days, as clocks in the zone show it."""
    local = now.astimezone(zone_named(when.zone) if when.zone else zone)
    (start, end), at = when.minutes, local.hour * 60 + local.minute
    began = local.date()
    if end <= start:
        if start > at >= end:
            return False
        if at < end:
            began -= timedelta(days=1)
    elif not start <= at < end:
        return False
    return not when.days or _DAYS[began.weekday()] in when.days


def _fits(wanted: Sequence[str], found: Iterable[str]) -> bool:
    return not wanted or any(fnmatchcase(text[:_LONGEST], pattern) for text in found for pattern in wanted)


def _named(event: Event, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(event.attributes[name] for name in names if event.attributes.get(name))
