"""Several reports as one: what was sent late, or would be too many messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from aiops_core.records import SEVERITIES, Report
from aiops_core.text.report.parts import ReportSection, items, line, section
from aiops_core.text.report.words import Say, words

MOST_LISTED = 20
_MOST_HEADS, _MOST_NAMED = 10, 5


def merge_reports(key: str, reports: Sequence[Report], now: datetime) -> Report:
    """Return one report that stands for several, in their order; a single one stands for itself."""
    if len(reports) == 1:
        return reports[0]
    first, say = reports[0], words(reports[0].language)
    about = {part.part_of or part.incident.id for part in reports if part.incident is not None}
    title = say("{messages} messages in one", messages=len(reports))
    if len(about) == 1:
        title = say("{messages} messages about one incident", messages=len(reports))
    elif about:
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
    said_last = [*_members(report.parts, say), *_left_out(report.parts, say)]
    shown = tuple(part for part in report.parts if part.part_of is None)
    left_out = len(shown) - (MOST_LISTED - len(said_last)) + 1
    if left_out > 1:
        gravest = sorted(shown, key=lambda part: (SEVERITIES.index(part.severity), -_count(part)))
        kept = {part.key for part in gravest[:-left_out]}
        shown = tuple(part for part in shown if part.key in kept)
    rows = [_row(part, say) for part in shown]
    if left_out > 1:
        rows.append(say("… and {count} more: aiops incidents list", count=left_out))
    rows += said_last
    yield from section("Messages", items("list", rows, say), say)


def _members(parts: Sequence[Report], say: Say) -> Iterator[str]:
    """Yield a line for each incident that others are part of, the greatest first."""
    of: dict[int, list[Report]] = {}
    for part in parts:
        if part.part_of is not None:
            of.setdefault(part.part_of, []).append(part)
    for head, members in sorted(of.items(), key=lambda one: -len(one[1]))[:_MOST_HEADS]:
        incidents = [part.incident for part in members if part.incident is not None]
        named = [f"{line(one.title)} (#{one.id})" for one in incidents[:_MOST_NAMED]]
        named += ["…"] if len(incidents) > _MOST_NAMED else []
        phrase = "Part of incident {id}, {count} more of its service: {named}"
        yield say(phrase, id=f"#{head}", count=len(members), named="; ".join(named))


def _left_out(parts: Sequence[Report], say: Say) -> Iterator[str]:
    """Yield how many no model was asked about, for they were too many."""
    count = sum(
        part.part_of is not None or any(one.setting == "notices.storm.analyse" for one in part.decisions)
        for part in parts
    )
    if count:
        yield say(
            "Not analysed, for it was a storm: {count}. Ask for one: aiops incidents retry ID", count=count
        )


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
