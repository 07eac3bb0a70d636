"""A report as one HTML page that stands alone: for browsers and mail clients, no request, no script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape

from aiops_core.records import Report
from aiops_core.text.report.outline import ReportOutline, outline_report
from aiops_core.text.report.parts import Kind, ReportPart, ReportSection
from aiops_core.text.report.style import ACCENTS, DARK, STYLES

_SPAN = re.compile(r"`([^`\n]+)`")
_PAGE = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{dark}</style>
</head>
<body class="page" style="{page}">
<div class="card" style="{card};border-top:4px solid {accent}">
{body}
</div>
</body>
</html>
"""


def render_html(report: Report) -> str:
    """Return the whole report as an HTML page; everything in it is escaped."""
    outline = outline_report(report)
    accent = ACCENTS[report.severity]
    body = [*_head(outline, accent), *map(_section, outline.sections)]
    body.append(_tag("div", "quiet", "footer", escape(outline.footer)))
    return _PAGE.format(
        language="zh-Hans" if report.language == "zh" else "en",
        title=escape(outline.title),
        dark=DARK,
        page=STYLES["page"],
        card=STYLES["card"],
        accent=accent,
        body="\n".join(body),
    )


def _head(outline: ReportOutline, accent: str) -> Iterator[str]:
    severity, *others = (escape(badge) for badge in outline.badges)
    first = f'<span style="{STYLES["severity"]};background-color:{accent}">{severity}</span>'
    rest = (f'<span class="badge" style="{STYLES["badge"]}">{badge}</span>' for badge in others)
    yield _tag("div", "", "badges", " ".join((first, *rest)))
    yield _tag("h1", "strong", "title", escape(outline.title))


def _section(section: ReportSection) -> str:
    title = [_tag("h2", "quiet", "heading", escape(section.title))] if section.title else []
    return "\n".join([*title, *(_PARTS[part.kind](part) for part in section.parts)])


def _tag(name: str, dark: str, style: str, content: str) -> str:
    marked = f' class="{dark}"' if dark else ""
    return f'<{name}{marked} style="{STYLES[style]}">{content}</{name}>'


def _prose(text: str) -> str:
    """Escape first; then lines and `code` of models and people become visible."""
    spans = _SPAN.sub(rf'<code class="span" style="{STYLES["span"]}">\1</code>', escape(text))
    return spans.replace("\n", "<br>\n")


def _text(part: ReportPart) -> str:
    return _tag("p", "", "text", _prose(part.text))


def _notice(part: ReportPart) -> str:
    tone = "good" if part.label == "good" else "notice"
    return _tag("p", tone, tone, _prose(part.text))


def _link(part: ReportPart) -> str:
    name = "link" if part.text == part.url else "button"
    link = f'<a class="{name}" style="{STYLES[name]}" href="{escape(part.url)}">{escape(part.text)}</a>'
    return _tag("p", "", "text", link)


def _items(part: ReportPart) -> str:
    rows = "".join(_tag("li", "", "item", _prose(text)) for _, text in part.rows)
    return _tag("ol" if part.kind == "steps" else "ul", "", "list", rows)


def _facts(part: ReportPart) -> str:
    cells = (
        f"<tr>{_tag('td', 'quiet', 'name', escape(name))}{_tag('td', '', 'value', escape(value))}</tr>"
        for name, value in part.rows
    )
    return f'<table role="presentation" style="{STYLES["facts"]}">{"".join(cells)}</table>'


def _meter(part: ReportPart) -> str:
    color = "#12805c" if part.value >= 0.75 else "#b8860b" if part.value >= 0.5 else "#b42318"
    bar = f'<div style="{STYLES["bar"]};width:{part.value:.0%};background-color:{color}"></div>'
    return _tag("p", "strong", "score", escape(part.text)) + _tag("div", "track", "track", bar)


def _code(part: ReportPart) -> str:
    return _label(part) + _tag("pre", "code", "code", escape(part.text))


def _label(part: ReportPart) -> str:
    return _tag("p", "quiet", "label", escape(part.label)) if part.label else ""


def _diff(part: ReportPart) -> str:
    rows = "".join(map(_diff_line, part.text.split("\n")))
    return _label(part) + _tag("pre", "code", "code", rows)


def _diff_line(row: str) -> str:
    kind = {"+": "added", "-": "removed", "@": "place"}.get(row[:1], "")
    if row.startswith(("+++ ", "--- ", "diff ", "index ")):
        kind = "place"
    marked = f' class="{kind}" style="{STYLES[kind]}"' if kind else ""
    return f"<div{marked}>{escape(row) or '&nbsp;'}</div>"


_PARTS: Mapping[Kind, Callable[[ReportPart], str]] = {
    "text": _text,
    "notice": _notice,
    "link": _link,
    "list": _items,
    "steps": _items,
    "facts": _facts,
    "meter": _meter,
    "code": _code,
    "diff": _diff,
}
