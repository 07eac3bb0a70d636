"""A report drawn for a terminal, from the outline all renderings share; its text is never markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from rich.console import Console, ConsoleRenderable, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from aiops_core import Report, ReportPart, clean, outline_report

Verbosity = Literal["brief", "normal", "full"]
_COLORS = {"critical": "magenta", "error": "red", "warning": "yellow", "info": "blue"}
_DIFF = {"+": "green", "-": "red", "@": "cyan"}
_WIDEST = 110
_BAR = 20


def draw(report: Report, verbosity: Verbosity, console: Console) -> ConsoleRenderable:
    """Return what to print: one line when brief, else a panel of sections."""
    if verbosity == "brief":
        return _one_line(report)
    color = _COLORS[report.severity]
    return Panel(
        Group(*_body(report, verbosity, color)),
        title=_badges(report),
        title_align="left",
        border_style=color,
        padding=(0, 1),
        width=min(console.width, _WIDEST),
    )


def _one_line(report: Report) -> Text:
    outline = outline_report(report)
    links = [part.url for part in outline.sections[0].parts if part.kind == "link"]
    pipeline = Text(clean(report.pipeline, keep_newlines=False), style="dim")
    return Text("  ").join([_badges(report), pipeline, Text(outline.title), *map(Text, links)])


def _badges(report: Report) -> Text:
    first, *others = outline_report(report).badges
    return Text(" · ".join((first.upper(), *others)), style=f"bold {_COLORS[report.severity]}")


def _body(report: Report, verbosity: Verbosity, color: str) -> Iterator[ConsoleRenderable]:
    outline = outline_report(report)
    yield Text(outline.title, style="bold", overflow="fold")
    hidden = set() if verbosity == "full" else _hidden(report, {each.name for each in outline.sections})
    for section in outline.sections:
        if section.name not in hidden:
            yield from (Text(""), Text(section.title, style=f"bold {color}")) if section.title else ()
            yield from (_PARTS[part.kind](part) for part in section.parts)


def _hidden(report: Report, names: set[str]) -> set[str]:
    """Name what an answer or a fix makes less urgent."""
    hidden = {"Prevention"}
    if report.change is not None:
        hidden.add("Code")
    if "What to check" not in names:
        hidden.add("Log")
    return hidden


def _text(part: ReportPart) -> ConsoleRenderable:
    return Text(part.text, overflow="fold")


def _notice(part: ReportPart) -> ConsoleRenderable:
    return Text(f"! {part.text}", style="bold green" if part.label == "good" else "bold yellow")


def _link(part: ReportPart) -> ConsoleRenderable:
    address = Text(part.url, style=f"underline blue link {part.url}", overflow="fold")
    return address if part.text == part.url else Text.assemble(f"{part.text}: ", address, overflow="fold")


def _items(part: ReportPart) -> ConsoleRenderable:
    marks = [f"{number}." if part.kind == "steps" else "-" for number in range(1, len(part.rows) + 1)]
    return _grid((Text(mark), Text(text)) for mark, (_, text) in zip(marks, part.rows, strict=True))


def _facts(part: ReportPart) -> ConsoleRenderable:
    return _grid(((Text(name, style="dim"), Text(value)) for name, value in part.rows), gap=2)


def _grid(rows: Iterator[tuple[Text, Text]], *, gap: int = 1) -> Table:
    grid = Table.grid(padding=(0, gap, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def _meter(part: ReportPart) -> ConsoleRenderable:
    full = round(part.value * _BAR)
    style = "green" if part.value >= 0.75 else "yellow" if part.value >= 0.5 else "red"
    bar = (("#" * full, style), ("." * (_BAR - full), "dim"))
    return Text.assemble((part.text, "bold"), " [", *bar, "]")


def _code(part: ReportPart) -> ConsoleRenderable:
    return _block(part, [Text(row, overflow="fold") for row in part.text.split("\n")])


def _diff(part: ReportPart) -> ConsoleRenderable:
    rows = part.text.split("\n")
    headers = ("+++ ", "--- ", "diff ", "index ")
    styles = ("bold" if row.startswith(headers) else _DIFF.get(row[:1], "") for row in rows)
    return _block(part, [Text(row, style, overflow="fold") for row, style in zip(rows, styles, strict=True)])


def _block(part: ReportPart, rows: list[Text]) -> ConsoleRenderable:
    label = [Text(part.label, style="dim")] if part.label else []
    return Group(*label, Padding(Group(*rows), (0, 0, 0, 2)))


_PARTS: Mapping[str, Callable[[ReportPart], ConsoleRenderable]] = {
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
