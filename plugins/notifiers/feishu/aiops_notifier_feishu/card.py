"""A report as a Feishu card: untrusted text stands in plain text, which knows no markup."""

from __future__ import annotations

import re
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

_Json: TypeAlias = dict[str, Any]  # Any: JSON of Feishu's shape
_COLORS = {"critical": "carmine", "error": "red", "warning": "orange", "info": "blue"}
_AT = re.compile(r"<(?=/?at\b)", re.IGNORECASE)


def card(report: Report, *, prefix: str, limit: int) -> _Json:
    """Return the card, in no more than ``limit`` bytes of JSON."""
    outline = outline_brief(report)
    title = title_line(" ".join(filter(None, (prefix, outline.title))))
    empty = _card(report, title, [_plain(" · ".join(outline.badges))], _note(outline.footer))
    room = limit - len(as_json(empty))
    sections = fit_sections(outline.sections, lambda each: len(as_json(_elements(each))), room)
    parts = [element for section in sections for element in _elements(section)]
    return _card(report, title, [_plain(" · ".join(outline.badges)), *parts], _note(outline.footer))


def _card(report: Report, title: str, elements: list[_Json], note: _Json) -> _Json:
    return {
        "config": {"wide_screen_mode": True},
        "header": {"title": _text(title), "template": _COLORS[report.severity]},
        "elements": [*elements, note],
    }


def _elements(section: ReportSection) -> list[_Json]:
    (part,) = section.parts
    heading = [{"tag": "div", "text": {"tag": "lark_md", "content": f"**{section.title}**"}}]
    shown = heading if section.title else []
    if part.kind == "link":
        button = {"tag": "button", "text": _text(part.text), "type": "primary", "url": part.url}
        return [*shown, {"tag": "action", "actions": [button]}]
    return [*shown, _plain("\n".join(plain_lines(part)))]


def _plain(text: str) -> _Json:
    return {"tag": "div", "text": _text(text)}


def _note(text: str) -> _Json:
    return {"tag": "note", "elements": [_text(text)]}


def _text(text: str) -> _Json:
    return {"tag": "plain_text", "content": _AT.sub("＜", defuse(text))}
