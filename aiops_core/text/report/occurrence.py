"""The sections that speak of the incident itself: what, where, how often, and the log."""

from __future__ import annotations

from aiops_core.records import Event, Incident, Report
from aiops_core.text.carriers import as_written
from aiops_core.text.phrases import headed
from aiops_core.text.report.parts import ReportPart, ReportSection, excerpt, facts, items, moment, section
from aiops_core.text.report.words import Say

_BLOCK_LINES, _BLOCK_CHARACTERS = 200, 16_000
_CONTEXT_LINES, _CONTEXT_CHARACTERS = 100, 6_000


def facts_of(report: Report, say: Say) -> tuple[ReportPart, ...]:
    """Return what is known about the error as one part of names and values."""
    incident = report.incident
    rows = [(say("Pipeline"), report.pipeline)]
    if incident is None:
        rows.append((say("Time"), moment(report.created_at) if report.created_at else ""))
        return facts(rows)
    event = _event(incident)
    error = headed(incident.type, incident.message)
    rows += [
        (say("Error"), error[:500]),
        (say("Where"), where(event, say)),
        (say("Seen"), _seen(incident, say)),
        (say("New with"), _release(report, say)),
        (say("From"), ", ".join(f"{name} {value}" for name, value in event.attributes.items())[:300]),
        (say("Log file"), event.path),
    ]
    return facts(rows)


def where(event: Event, say: Say) -> str:
    """Return the innermost frame of the application, "" when the log told none."""
    frames = event.own_frames or event.frames
    if not frames:
        return ""
    frame = frames[-1]
    place = frame.file or frame.module
    if place and frame.line:
        place = f"{place}:{frame.line}"
    if place and frame.function:
        return say("{line} in {function}", line=place, function=frame.function)
    return place or frame.function


def checks(incident: Incident, say: Say) -> tuple[ReportSection, ...]:
    """Return what a person can look at when no analyzer could answer."""
    place = where(_event(incident), say)
    texts = [
        say("Read the error and the lines around it at the end of this report."),
        say("Open {where} and look at what can lead to this error.", where=place) if place else "",
        say("Look at what changed shortly before {first}.", first=moment(incident.first_seen)),
        say("Ask again later: aiops incidents retry {id}", id=incident.id),
    ]
    return section("What to check", items("list", texts, say), say)


def log_of(incident: Incident, say: Say) -> tuple[ReportSection, ...]:
    """Return the raw block between the lines round it."""
    event = _event(incident)
    pieces = (
        ("Lines before", "\n".join(event.context_before), _CONTEXT_LINES, _CONTEXT_CHARACTERS),
        ("The error as logged", as_written(event.block), _BLOCK_LINES, _BLOCK_CHARACTERS),
        ("Lines after", "\n".join(event.context_after), _CONTEXT_LINES, _CONTEXT_CHARACTERS),
    )
    parts = (
        ReportPart("code", body, label=say(label))
        for label, text, lines, characters in pieces
        if (body := excerpt(text, say, lines=lines, characters=characters))
    )
    return section("Log", parts, say)


def _release(report: Report, say: Say) -> str:
    if not report.new_with:
        return ""
    return say(
        "{release}; errors before were of {earlier}", release=report.new_with, earlier=report.new_after
    )


def _event(incident: Incident) -> Event:
    return incident.event if incident.events else Event(type=incident.type, message=incident.message)


def _seen(incident: Incident, say: Say) -> str:
    first, last = moment(incident.first_seen), moment(incident.last_seen)
    if incident.count == 1:
        return say("once, {first}", first=first)
    return say("{count} times, first {first}, last {last}", count=incident.count, first=first, last=last)
