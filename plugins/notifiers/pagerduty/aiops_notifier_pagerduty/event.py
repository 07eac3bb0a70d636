"""A report as an event of PagerDuty's Events API v2."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, TypeAlias

from aiops_core import Report, defuse, outline_brief, plain_lines, render_subject, shorten

_Json: TypeAlias = dict[str, Any]  # Any: JSON of PagerDuty's shape
_LONGEST_SUMMARY, _LONGEST_KEY = 1_024, 255


def event(report: Report, *, routing_key: str, prefix: str) -> _Json:
    """Return what is sent; an incident that is resolved says no more than that."""
    head = {"routing_key": routing_key, "dedup_key": dedup_key(report)}
    if report.incident is not None and report.incident.state == "resolved":
        return {**head, "event_action": "resolve"}
    return {
        **head,
        "event_action": "trigger",
        "client": "aiops-core",
        "payload": _payload(report, prefix),
        "links": list(_links(report)),
    }


def dedup_key(report: Report) -> str:
    """Return what is the same for all reports of an incident, and for all of one failure of the pipeline."""
    about = report.incident.fingerprint if report.incident else f"fault/{report.title}"
    key = f"aiops/{report.pipeline}/{about}"
    if len(key) <= _LONGEST_KEY and key.isascii():
        return key
    return f"aiops/{hashlib.blake2b(key.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _payload(report: Report, prefix: str) -> _Json:
    incident = report.incident
    attributes = incident.event.attributes if incident and incident.events else {}
    summary = defuse(" ".join(filter(None, (prefix, render_subject(report)))))
    payload = {
        "summary": shorten(summary, lambda text: len(text) <= _LONGEST_SUMMARY),
        "source": attributes.get("host") or report.pipeline,
        "severity": report.severity,
        "component": attributes.get("service", ""),
        "group": report.pipeline,
        "class": incident.type if incident else "fault",
        "timestamp": report.created_at.isoformat() if report.created_at else "",
        "custom_details": _details(report),
    }
    return {
        name: defuse(value) if isinstance(value, str) else value for name, value in payload.items() if value
    }


def _details(report: Report) -> dict[str, str]:
    """Return the brief report, each section under its heading."""
    outline = outline_brief(report)
    details = {"aiops": f"{' · '.join(outline.badges)} · {outline.footer}"}
    heading = ""
    for section in outline.sections:
        heading = section.title or heading
        text = "\n".join(line for part in section.parts if part.kind != "link" for line in plain_lines(part))
        name = heading or "about"
        if text:
            details[name] = "\n".join(filter(None, (details.get(name), defuse(text))))
    return details


def _links(report: Report) -> Iterator[dict[str, str]]:
    for section in outline_brief(report).sections:
        yield from ({"href": part.url, "text": part.text} for part in section.parts if part.kind == "link")
