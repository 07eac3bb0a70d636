"""A report as an Adaptive Card: text runs know no markup, mentions are only in a list that is not there."""

from __future__ import annotations

from typing import Any, TypeAlias

from aiops_core import (
    Report,
    ReportSection,
    as_json,
    defuse,
    fit_sections,
    outline_brief,
    plain_lines,
    title_line,
)

_Json: TypeAlias = dict[str, Any]  # Any: JSON of an Adaptive Card
_COLORS = {"critical": "attention", "error": "attention", "warning": "warning", "info": "accent"}


def card(report: Report, *, prefix: str, limit: int) -> _Json:
    """Return the card, in no more than ``limit`` bytes of JSON."""
    outline = outline_brief(report)
    title = title_line(" ".join(filter(None, (prefix, outline.title))))
    head = [
        _line(title, size="large", weight="bolder", color=_COLORS[report.severity]),
        _line(" · ".join(outline.badges), isSubtle=True),
    ]
    foot = _line(outline.footer, isSubtle=True, size="small")
    actions = [
        {"type": "Action.OpenUrl", "title": _safe(part.text), "url": part.url}
        for section in outline.sections
        for part in section.parts
        if part.kind == "link"
    ]
    room = limit - len(as_json(_card([*head, foot], actions)))
    sections = fit_sections(outline.sections, lambda each: len(as_json(_lines(each))), room)
    return _card([*head, *(line for section in sections for line in _lines(section)), foot], actions)


def _card(lines: list[_Json], actions: list[_Json]) -> _Json:
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": lines,
        "actions": actions[:5],
    }


def _lines(section: ReportSection) -> list[_Json]:
    """Return each line as a block of its own: line ends inside a run are lost in some clients."""
    (part,) = section.parts
    heading = [_line(section.title, weight="bolder")] if section.title else []
    if part.kind == "link":
        return heading  # a button
    looks = {"fontType": "monospace", "size": "small"} if part.kind in ("code", "diff") else {}
    rows = [_line(text, **looks) for text in plain_lines(part) if text.strip()]
    rows[1:] = [{**row, "spacing": "none"} for row in rows[1:]]
    return [*heading, *rows]


def _line(text: str, **looks: object) -> _Json:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": _safe(text), **looks}]}


def _safe(text: str) -> str:
    return defuse(text).replace("\t", "    ")
