"""A report as data for programs; keys are only ever added, a change of meaning raises ``version``."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, TypeAlias

from aiops_core.records import Analysis, Change, Event, Frame, Incident, Report, TestRun, Usage
from aiops_core.text.sanitising import clean

REPORT_VERSION = 1
_Fields: TypeAlias = dict[str, Any]  # Any: JSON values of every shape
_MOST_FRAMES = 50


def report_data(report: Report, *, limit: int) -> _Fields:
    """Return the report as what JSON can hold; no text in it is longer than ``limit`` bytes by much."""
    data: _Fields = _safe(_report(report), limit)
    return data


def _report(report: Report) -> _Fields:
    return {
        "version": REPORT_VERSION,
        "key": report.key,
        "kind": report.kind,
        "pipeline": report.pipeline,
        "language": report.language,
        "created_at": _time(report.created_at),
        "severity": report.severity,
        "title": report.title,
        "text": report.text,
        "incident": _incident(report.incident) if report.incident else None,
        "analysis": _analysis(report.analysis) if report.analysis else None,
        "change": _change(report.change) if report.change else None,
        "plans": [_pick(plan, "action", "title", "text", "hash") for plan in report.plans],
        "outcomes": [_pick(each, "action", "status", "summary", "url", "final") for each in report.outcomes],
        "decisions": [
            {**_pick(each, "rule", "text", "setting"), "at": _time(each.at)} for each in report.decisions
        ],
        "owners": list(report.owners),
        "part_of": report.part_of,
        "new_with": report.new_with,
        "new_after": report.new_after,
        "parts": [_part(part) for part in report.parts],
    }


def _part(report: Report) -> _Fields:
    incident = report.incident
    names = ("id", "fingerprint", "title", "severity", "state", "count")
    return {
        **_pick(report, "key", "kind", "severity", "title", "text", "part_of"),
        "created_at": _time(report.created_at),
        "incident": _pick(incident, *names) if incident else None,
        "summary": report.analysis.summary if report.analysis else "",
    }


def _incident(incident: Incident) -> _Fields:
    names = ("id", "fingerprint", "title", "type", "message", "language", "severity", "state", "count")
    return {
        **_pick(incident, *names),
        "first_seen": _time(incident.first_seen),
        "last_seen": _time(incident.last_seen),
        "event": _event(incident.event) if incident.events else None,
    }


def _event(event: Event) -> _Fields:
    names = ("key", "detector", "path", "start", "end", "headline", "block", "truncated")
    return {
        **_pick(event, *names),
        "occurred_at": _time(event.occurred_at),
        "read_at": _time(event.read_at),
        "attributes": dict(event.attributes),
        "frames": [_frame(frame) for frame in event.frames[-_MOST_FRAMES:]],
        "context_before": list(event.context_before),
        "context_after": list(event.context_after),
    }


def _frame(frame: Frame) -> _Fields:
    return _pick(frame, "file", "line", "column", "function", "module", "in_app")


def _analysis(analysis: Analysis) -> _Fields:
    names = ("analyzer", "title", "summary", "root_cause", "confidence", "provable")
    return {
        **_pick(analysis, *names),
        "repair_steps": list(analysis.repair_steps),
        "code_samples": [_pick(sample, "title", "code", "language") for sample in analysis.code_samples],
        "prevention": list(analysis.prevention),
        "cited": list(analysis.cited),
        "usage": _usage(analysis.usage) if analysis.usage else None,
    }


def _usage(usage: Usage) -> _Fields:
    tokens = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    return _pick(usage, "model", *tokens, "cost")


def _change(change: Change) -> _Fields:
    return {
        **_pick(change, "base_branch", "base_commit", "diff"),
        "files": [{"path": file.path, "removed": file.content is None} for file in change.files],
        "notes": list(change.notes),
        "before": _run(change.before) if change.before else None,
        "after": _run(change.after) if change.after else None,
    }


def _run(run: TestRun) -> _Fields:
    names = ("command", "exit_code", "seconds", "tests", "timed_out", "sandbox", "passed")
    return {**_pick(run, *names), "failed": list(run.failed)}


def _pick(record: object, *names: str) -> _Fields:
    return {name: getattr(record, name) for name in names}


def _time(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _safe(value: Any, limit: int) -> Any:  # Any: JSON values of every shape
    """Clean and cut every text; what JSON has no number for becomes null."""
    if isinstance(value, str):
        return _cut(clean(value), limit)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {clean(str(name)): _safe(each, limit) for name, each in value.items()}
    return [_safe(each, limit) for each in value] if isinstance(value, list) else value


def _cut(text: str, limit: int) -> str:
    data = text.encode()
    if len(data) <= limit:
        return text
    head, tail = limit // 2, limit - limit // 2
    note = f"[… {len(data) - limit} bytes left out …]"
    return "\n".join((data[:head].decode(errors="ignore"), note, data[-tail:].decode(errors="ignore")))
