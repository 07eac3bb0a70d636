"""What a report says, in order: the one place that decides what comes first."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aiops_core.records import Report
from aiops_core.text.report.digest import messages_of
from aiops_core.text.report.effects import call_to_review, deeds, diff_of, tests_of
from aiops_core.text.report.findings import explanation, is_recorded, is_unanswered, trust
from aiops_core.text.report.occurrence import checks, facts_of, log_of
from aiops_core.text.report.parts import ReportPart, ReportSection, line, paragraph
from aiops_core.text.report.words import Say, words

_RECORDED = "This is a recorded answer: it was read from a file, no model was asked."
_UNANSWERED = "No analyzer could answer. Below is the error as it stood in the log."


class ReportOutline(Struct, frozen=True):
    """A whole report without markup: what every rendering of it shows.

    ``badges`` are severity, state and count in words, the severity first.
    """

    title: str
    badges: tuple[str, ...]
    sections: tuple[ReportSection, ...]
    footer: str


def outline_report(report: Report) -> ReportOutline:
    """Return what the report says, in its language, cleaned and cut to a readable size."""
    say = words(report.language)
    sections = (
        ReportSection("", "", (*_lead(report, say), *facts_of(report, say))),
        *messages_of(report, say),
        *_incident_sections(report, say),
    )
    footer = say("Written by aiops-core for the pipeline {pipeline}.", pipeline=line(report.pipeline))
    if report.analysis is not None and report.analysis.usage is not None:
        footer = f"{footer} {say('Model answers can be wrong: check before you act.')}"
    return ReportOutline(line(report.title) or say(report.kind), _badges(report, say), sections, footer)


def _badges(report: Report, say: Say) -> tuple[str, ...]:
    incident = report.incident
    if incident is None:
        return (say("fault") if report.kind == "fault" else say(report.severity),)
    count = (f"×{incident.count}",) if incident.count > 1 else ()
    return (say(report.severity), say(incident.state), *count)


def _lead(report: Report, say: Say) -> Iterator[ReportPart]:
    yield from paragraph(report.text)
    if report.kind == "incident" and is_unanswered(report.analysis):
        yield ReportPart("notice", say(_UNANSWERED))
    if is_recorded(report.analysis):
        yield ReportPart("notice", say(_RECORDED))
    yield from call_to_review(report, say)


def _incident_sections(report: Report, say: Say) -> Iterator[ReportSection]:
    analysis, change, incident = report.analysis, report.change, report.incident
    if analysis is not None:
        yield from explanation(analysis, say)
    is_whole = incident is not None and report.kind == "incident"
    if (
        incident is not None
        and is_whole
        and is_unanswered(analysis)
        and not (analysis and analysis.repair_steps)
    ):
        yield from checks(incident, say)
    if report.kind == "incident":
        yield from trust(analysis, report.evidence, say)
    if change is not None:
        yield from tests_of(change, say)
        yield from diff_of(change, say)
    yield from deeds(report, say)
    if incident is not None:
        yield from log_of(incident, say)
