"""A report in the size of a chat message: what matters most, cut where words and lines end."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from aiops_core.records import Incident, Report
from aiops_core.text.carriers import as_written
from aiops_core.text.report.outline import ReportOutline, outline_report
from aiops_core.text.report.parts import ReportPart, ReportSection, excerpt
from aiops_core.text.report.words import Say, words

_SHOWN = (
    "",
    "Messages",
    "Summary",
    "Root cause",
    "Repair steps",
    "What to check",
    "What was done",
    "Tests",
    "Confidence",
    "Planned, not done",
)
_PARAGRAPH, _PLAN, _LOG = (12, 1_200), (8, 600), (12, 1_500)
_MOST_ROWS, _LONGEST_ROW = 8, 400
_BOUNDARY = 40
_BAR = 10


def outline_brief(report: Report) -> ReportOutline:
    """Return the outline for a chat: no diff, no samples, little log; each section holds one part."""
    say = words(report.language)
    whole = outline_report(report)
    named = {section.name: section for section in whole.sections}
    shown = [named[name] for name in _SHOWN if name in named]
    singles = [single for section in shown for single in _singles(section, say)]
    sections = tuple(_without_repeated_links(singles))
    more = f"aiops incidents show {report.incident.id}" if report.incident else whole.footer
    return replace(whole, sections=(*sections, *_log(report.incident, say)), footer=more)


def fit_sections(
    sections: Sequence[ReportSection], size: Callable[[ReportSection], int], limit: int
) -> tuple[ReportSection, ...]:
    """Return the sections that fit, the last of them cut, by what ``size`` says each takes."""
    kept, room = list[ReportSection](), limit
    for section in sections:
        if size(section) > room:
            kept += _cut(section, size, room)
            break
        kept.append(section)
        room -= size(section)
    return tuple(kept)


def shorten(text: str, fits: Callable[[str], bool]) -> str:
    """Return the text, or its longest beginning that fits with an ellipsis, ended between words."""
    if fits(text):
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(f"{text[:middle]}…") else (low, middle - 1)
    kept = f"{_to_boundary(text, low)}…"
    return kept if fits(kept) else ""


def plain_lines(part: ReportPart) -> tuple[str, ...]:
    """Return a part as lines without markup."""
    if part.kind in ("list", "steps", "facts"):
        return tuple(_row(part, number) for number in range(len(part.rows)))
    if part.kind == "meter":
        full = round(part.value * _BAR)
        return (f"{part.text} {'█' * full}{'░' * (_BAR - full)}",)
    if part.kind == "link":
        return (part.url if part.text == part.url else f"{part.text}: {part.url}",)
    lines = part.text.split("\n")
    if part.kind == "notice":
        lines[0] = f"! {lines[0]}"
    return tuple(([f"{part.label}:"] if part.label else []) + lines)


def _row(part: ReportPart, number: int) -> str:
    name, text = part.rows[number]
    if part.kind == "facts":
        return f"{name}: {text}" if name else text
    return f"{number + 1}. {text}" if part.kind == "steps" else f"- {text}"


def _singles(section: ReportSection, say: Say) -> Iterator[ReportSection]:
    title = section.title
    for part in section.parts:
        most = len(part.rows) if section.name == "Messages" else _MOST_ROWS
        yield replace(section, title=title, parts=(_brief(part, say, most),))
        title = ""


def _without_repeated_links(sections: Sequence[ReportSection]) -> Iterator[ReportSection]:
    seen = set[str]()
    for section in sections:
        urls = {part.url for part in section.parts if part.kind == "link"}
        if not urls or not urls <= seen:
            yield section
        seen |= urls


def _brief(part: ReportPart, say: Say, most: int) -> ReportPart:
    if part.kind in ("text", "code"):
        lines, characters = _PLAN if part.kind == "code" else _PARAGRAPH
        return replace(part, text=excerpt(part.text, say, lines=lines, characters=characters))
    rows = [(name, shorten(text, lambda it: len(it) <= _LONGEST_ROW)) for name, text in part.rows]
    if len(rows) > most:
        rows[most:] = [("", say("… and {count} more", count=len(rows) - most))]
    return replace(part, rows=tuple(rows))


def _log(incident: Incident | None, say: Say) -> tuple[ReportSection, ...]:
    if incident is None or not incident.events:
        return ()
    lines, characters = _LOG
    body = excerpt(as_written(incident.event.block), say, lines=lines, characters=characters)
    part = ReportPart("code", body)
    return (ReportSection("Log", say("The error as logged"), (part,)),) if body else ()


def _cut(
    section: ReportSection, size: Callable[[ReportSection], int], room: int
) -> tuple[ReportSection, ...]:
    """Return the section with as much of its part as there is room for, nothing when that is none."""
    (part,) = section.parts
    rows = list(part.rows)
    while rows:
        rows.pop()
        fewer = replace(section, parts=(replace(part, rows=(*rows, ("", "…"))),))
        if rows and size(fewer) <= room:
            return (fewer,)
    if part.kind not in ("text", "notice", "code"):
        return ()

    def with_text(text: str) -> ReportSection:
        return replace(section, parts=(replace(part, text=text),))

    text = shorten(part.text, lambda candidate: size(with_text(candidate)) <= room)
    return (with_text(text),) if len(text) > 1 else ()


def _to_boundary(text: str, end: int) -> str:
    """Return the text up to the last space before ``end``, or where a character ends."""
    if end < len(text) and not text[end].isspace():
        near = text[max(0, end - _BOUNDARY) : end]
        spaces = [index for index, sign in enumerate(near) if sign.isspace()]
        end -= len(near) - spaces[-1] if spaces else 0
    while 0 < end < len(text) and unicodedata.combining(text[end]):
        end -= 1
    return text[:end].rstrip()
