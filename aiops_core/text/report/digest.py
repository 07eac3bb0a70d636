"""Several reports as one: what was sent late, or would be too many messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from aiops_core.records import SEVERITIES, Report
from aiops_core.text.report.parts import ReportSection, items, line, section
from aiops_core.text.report.words import Say, words

MOST_LISTED = 20


def merge_reports(key: str, reports: Sequence[Report], now: datetime) -> Report:
    """Return one report that stands for several, in their order; a single one stands for itself."""
    if len(reports) == 1:
        return reports[0]
    first, say = reports[0], words(reports[0].language)
    about = {part.incident.fingerprint for part in reports if part.incident is not None}
    title = say("{messages} messages in one", messages=len(reports))
    if about:
        title = say("{messages} messages about {count} incidents", messages=len(reports), count=len(about))
    return Report(
        key=key,
        kind="digest",
        pipeline=first.pipeline,
        title=title,
        severity=min((part.severity for part in reports), key=SEVERITIES.index),
        created_at=now,
        language=first.language,
        parts=tuple(reports),
    )


def messages_of(report: Report, say: Say) -> Iterator[ReportSection]:
    """Yield what the messages in a digest say, a line each; of very many the gravest."""
    shown, left_out = report.parts, len(report.parts) - MOST_LISTED + 1
    if left_out > 1:
        gravest = sorted(shown, key=lambda part: (SEVERITIES.index(part.severity), -_count(part)))
        kept = {part.key for part in gravest[:-left_out]}
        shown = tuple(part for part in shown if part.key in kept)
    rows = [_row(part, say) for part in shown]
    if left_out > 1:
        rows.append(say("… and {count} more: aiops incidents list", count=left_out))
    yield from section("Messages", items("list", rows, say), say)


def _count(report: Report) -> int:
    return report.incident.count if report.incident is not None else 0


def _row(report: Report, say: Say) -> str:
    incident = report.incident
    if incident is None:
        head = say("fault") if report.kind == "fault" else say(report.severity)
        return f"{_time(report)}{head}: {line(report.title)} {line(report.text)}".rstrip()
    count = f" ×{incident.count}" if incident.count > 1 else ""
    head = f"{say(report.severity)} · {say(incident.state)}{count}"
    text = line(report.text)
    return f"{_time(report)}{head}: {line(report.title)} (#{incident.id}){f' {text}' if text else ''}"


def _time(report: Report) -> str:
    return f"{report.created_at.astimezone(UTC):%H:%M} " if report.created_at is not None else ""
