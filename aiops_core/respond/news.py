"""Short news of an incident people were told of before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from aiops_core.pipeline import Pipeline
from aiops_core.records import Incident, Report

if TYPE_CHECKING:
    from aiops_core.text.report import Say

News: TypeAlias = Literal["reminder", "escalating", "resolved"]
_TITLES = {
    "reminder": "Reminder: {title}",
    "escalating": "Escalating: {title}",
    "resolved": "Resolved: {title}",
}


def news_of(
    pipeline: Pipeline, incident: Incident, kind: News, title: str, text: str, now: datetime
) -> Report:
    """Return a message about what became of an incident, in the language of the pipeline."""
    say = _words(pipeline.config.language)
    return Report(
        key=f"{pipeline.name}/{incident.fingerprint}/{kind}-{now.astimezone(UTC):%Y%m%dT%H%M%S}",
        kind=kind,
        pipeline=pipeline.name,
        title=say(_TITLES[kind], title=title or incident.title),
        text=text,
        severity=incident.severity,
        incident=incident,
        created_at=now,
        language=pipeline.config.language,
    )


def reminder_text(language: str, incident: Incident, since: int) -> str:
    """Say that an incident goes on, and how to stop being told."""
    say = _words(language)
    goes_on = say(
        "It goes on: {more} more since the last message, {count} in all.", more=since, count=incident.count
    )
    return f"{goes_on} {say('Take it on: aiops incidents ack {id}', id=incident.id)}"


def escalating_text(language: str, recent: int, before: float) -> str:
    """Say that an error becomes more frequent."""
    return _words(language)(
        "It becomes more frequent: {recent} events within 10 minutes, {before} in ten minutes of the hour before.",
        recent=recent,
        before=f"{before:.0f}",
    )


def resolved_text(language: str, incident: Incident) -> str:
    """Say that an incident is over."""
    say, last = _words(language), f"{incident.last_seen.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if incident.count == 1:
        return say("It is over after one event, at {last}.", last=last)
    return say("It is over after {count} events, the last one at {last}.", count=incident.count, last=last)


def chain_text(language: str, incident: Incident, waited: str) -> str:
    """Say why somebody is told later than others."""
    return _words(language)(
        "Nobody acknowledged this within {waited}. Take it on: aiops incidents ack {id}",
        waited=waited,
        id=incident.id,
    )


def _words(language: str) -> Say:
    from aiops_core.text.report import words  # who is told nothing needs no reports

    return words(language)
