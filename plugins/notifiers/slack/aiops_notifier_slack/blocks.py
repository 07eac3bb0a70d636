"""A report in Slack's blocks: untrusted text stands in plain and rich text, which knows no markup."""

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
    render_subject,
    shorten,
)

_Json: TypeAlias = dict[str, Any]  # Any: JSON of Slack's shape
_MOST_SECTIONS = 45
_LONGEST_HEADER = 150
_ROOM = 12_000
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def message(report: Report, *, prefix: str) -> _Json:
    """Return text for a notification and blocks for the channel; nothing in it calls or links."""
    outline = outline_brief(report)
    title = " ".join(filter(None, (prefix, outline.title)))
    sections = fit_sections(outline.sections[:_MOST_SECTIONS], lambda each: len(as_json(_block(each))), _ROOM)
    return {
        "text": escape(" ".join(filter(None, (prefix, render_subject(report))))),
        "blocks": [
            {"type": "header", "text": _plain(_cut(title))},
            {"type": "context", "elements": [_plain(" · ".join(outline.badges))]},
            *map(_block, sections),
            {"type": "context", "elements": [_plain(outline.footer)]},
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def escape(text: str) -> str:
    """Return the text as Slack's own markup shows it literally."""
    return "".join(_ESCAPES.get(sign, sign) for sign in defuse(text))


def _block(section: ReportSection) -> _Json:
    (part,) = section.parts
    if part.kind == "link":
        button = {"type": "button", "text": _plain(part.text), "url": part.url, "style": "primary"}
        return {"type": "actions", "elements": [button]}
    heading = [_run(f"{section.title}\n", bold=True)] if section.title else []
    text = [_run("\n".join(plain_lines(part)) or " ")]
    if part.kind in ("code", "diff"):
        head = [{"type": "rich_text_section", "elements": heading}] if heading else []
        elements = [*head, {"type": "rich_text_preformatted", "elements": text}]
    else:
        elements = [{"type": "rich_text_section", "elements": [*heading, *text]}]
    return {"type": "rich_text", "elements": elements}


def _run(text: str, *, bold: bool = False) -> _Json:
    return {"type": "text", "text": defuse(text), **({"style": {"bold": True}} if bold else {})}


def _plain(text: str) -> _Json:
    return {"type": "plain_text", "text": defuse(text), "emoji": False}


def _cut(title: str) -> str:
    return shorten(" ".join(title.split()), lambda text: len(defuse(text)) <= _LONGEST_HEADER)
