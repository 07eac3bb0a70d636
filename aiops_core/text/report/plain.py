"""A report as plain text, and as the subject of a message."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from unicodedata import east_asian_width

from aiops_core.records import Report
from aiops_core.text.report.brief import shorten
from aiops_core.text.report.outline import outline_report
from aiops_core.text.report.parts import ReportPart, line
from aiops_core.text.report.words import words

_WIDTH = 78
_LONGEST_SUBJECT = 150
_BAR = 20


def render_text(report: Report) -> str:
    """Return the whole report as plain text, paragraphs wrapped, code as it is."""
    outline = outline_report(report)
    lines = [" · ".join((outline.badges[0].upper(), *outline.badges[1:])), *_heading(outline.title, "=")]
    for section in outline.sections:
        lines += ["", *_heading(section.title, "-")] if section.title else []
        for part in section.parts:
            lines += ["", *_part(part)]
    return "\n".join([*lines, "", "--", outline.footer, ""])


def render_subject(report: Report) -> str:
    """Return one line that names severity, pipeline and problem; equal for an incident's messages."""
    say = words(report.language)
    label = say("fault") if report.kind == "fault" else say(report.severity)
    subject = line(f"[{label.upper()}] {report.pipeline}: {report.title}")
    return shorten(subject, lambda text: len(text) <= _LONGEST_SUBJECT)


def _heading(title: str, rule: str) -> list[str]:
    return [title, rule * min(_columns(title), _WIDTH)]


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _part(part: ReportPart) -> Iterator[str]:
    match part.kind:
        case "text":
            yield from _wrap(part.text)
        case "notice":
            yield from _wrap(part.text, first="! ", rest="  ")
        case "link":
            yield part.url if part.text == part.url else f"{part.text}: {part.url}"
        case "list" | "steps":
            yield from _items(part)
        case "facts":
            widest = max(_columns(name) for name, _ in part.rows)
            yield from (f"{name}:{' ' * (widest - _columns(name))} {value}" for name, value in part.rows)
        case "meter":
            full = round(part.value * _BAR)
            yield f"{part.text} [{'#' * full}{'.' * (_BAR - full)}]"
        case "code" | "diff":
            yield from [f"{part.label}:"] if part.label else []
            yield from (f"    {row}".rstrip() for row in part.text.split("\n"))


def _items(part: ReportPart) -> Iterator[str]:
    for number, (_, text) in enumerate(part.rows, 1):
        mark = f"{number}. " if part.kind == "steps" else "- "
        yield from _wrap(text, first=mark, rest=" " * len(mark))


def _wrap(text: str, *, first: str = "", rest: str = "") -> Iterator[str]:
    for index, row in enumerate(text.split("\n")):
        lead = rest if index else first
        wrapped = textwrap.wrap(
            row,
            _WIDTH,
            initial_indent=lead,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from wrapped or [""]
