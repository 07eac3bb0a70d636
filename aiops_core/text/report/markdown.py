"""A report as a chat message in some Markdown, every text in it made harmless."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from aiops_core.records import Report
from aiops_core.text.report.brief import fit_sections, outline_brief, plain_lines, shorten
from aiops_core.text.report.parts import ReportSection
from aiops_core.text.sanitising import defuse

_LONGEST_TITLE = 200
_WIDE = str.maketrans("<>[]*`~", "＜＞［］＊｀～")
_EDGE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_LINE_START = re.compile(r"^([ \t]*)([#=|])", re.MULTILINE)
_WIDE_START = {"#": "＃", "=": "＝", "|": "｜"}
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


class MarkdownStyle(Struct, frozen=True):
    """How one chat writes Markdown.

    ``escape`` makes a text show as it is, ``code`` writes a block of it; ``line_end`` ends a line
    inside a paragraph; ``length`` measures what the chat limits.
    """

    escape: Callable[[str], str]
    code: Callable[[str], str]
    line_end: str = "\n"
    length: Callable[[str], int] = len


def render_markdown(report: Report, style: MarkdownStyle, *, prefix: str = "", limit: int) -> str:
    """Return the brief report, no longer than the limit: title, badges, sections, and where more is."""
    outline = outline_brief(report)
    title = title_line(" ".join(filter(None, (prefix, outline.title))))
    head = f"### {style.escape(title)}\n\n**{style.escape(' · '.join(outline.badges))}**"
    foot = style.escape(outline.footer)
    room = limit - style.length(head) - style.length(foot) - 4
    sections = fit_sections(outline.sections, lambda each: style.length(_section(each, style)) + 4, room)
    return "\n\n".join([head, *(_section(each, style) for each in sections), foot])


def title_line(title: str) -> str:
    """Return a title on one line of readable length."""
    return shorten(" ".join(title.split()), lambda text: len(text) <= _LONGEST_TITLE)


def widen_markup(text: str) -> str:
    """Return the text harmless for a Markdown without escapes: markup becomes wide look-alikes."""
    text = defuse(text).translate(_WIDE)
    text = _EDGE.sub(lambda match: "＿" * len(match[0]), text)
    return _LINE_START.sub(lambda match: match[1] + _WIDE_START[match[2]], text)


def quoted_block(text: str, line_end: str) -> str:
    """Return lines as a quote, for a Markdown without code blocks; their indent is kept."""
    kept = _INDENT.sub(lambda match: "\u00a0" * len(match[0].expandtabs(4)), widen_markup(text))
    return line_end.join(f"> {line}" for line in kept.split("\n"))


def _section(section: ReportSection, style: MarkdownStyle) -> str:
    heading = f"**{style.escape(section.title)}**\n\n" if section.title else ""
    return heading + "\n\n".join(_part(section, style))


def _part(section: ReportSection, style: MarkdownStyle) -> list[str]:
    (part,) = section.parts
    if part.kind == "link":
        return [f"[{style.escape(part.text)}]({part.url})"]
    if part.kind in ("code", "diff"):
        label = [style.escape(part.label)] if part.label else []
        return [*label, style.code(part.text)]
    return [style.line_end.join(style.escape(line) for line in plain_lines(part))]
