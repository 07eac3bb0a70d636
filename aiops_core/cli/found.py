"""Print what a scan found: a table of incidents for people, one JSON object per event for programs."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime

import click
from msgspec import Raw, Struct

from aiops_core.cli.columns import aligned
from aiops_core.plain import to_text
from aiops_core.records import Event, Frame
from aiops_core.text.phrases import counted

_MOST_FRAMES = 4096
_UNSEEN = re.compile(r"[^\x00-\x7e]+")


class _Frame(Struct):
    file: str
    line: int
    function: str
    module: str
    in_app: bool


class _Raised(Struct):
    type: str
    message: str
    link: str
    parent: int


class _Line(Struct):
    """What one event is printed as."""

    path: str
    start: int
    end: int
    language: str
    type: str
    message: str
    severity: str | None
    fingerprint: str
    detector: str
    occurred_at: str | None
    headline: str
    truncated: bool
    exceptions: list[_Raised]
    frames: Raw


class JsonLines:
    """One JSON object per event, chunk by chunk: the documented output of ``--jsonl``."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._frames: dict[int, tuple[tuple[Frame, ...], Raw]] = {}

    def add(self, event: Event) -> None:
        """Take one event."""
        line = _Line(
            event.path,
            event.start,
            event.end,
            event.language or event.detector,
            event.type,
            event.message,
            event.severity,
            event.fingerprint,
            event.detector,
            event.occurred_at.isoformat() if event.occurred_at else None,
            event.headline,
            event.truncated,
            [_Raised(one.type, one.message, one.link, one.parent) for one in event.exceptions],
            self._frames_of(event.frames),
        )
        self._lines.append(_ascii(to_text(line)) + "\n")

    def flush(self) -> None:
        """Print what was taken, in one piece; who reads it through a pipe waits for no more."""
        if self._lines:
            sys.stdout.write("".join(self._lines))
            sys.stdout.flush()
            self._lines.clear()

    def _frames_of(self, frames: tuple[Frame, ...]) -> Raw:
        """Return frames as JSON, written once: those of a repeat are the very ones of what it repeats."""
        kept = self._frames.get(id(frames))
        if kept is None:
            if len(self._frames) >= _MOST_FRAMES:
                self._frames.clear()
            told = [_Frame(one.file, one.line, one.function, one.module, one.in_app) for one in frames]
            kept = self._frames[id(frames)] = frames, Raw(to_text(told))
        return kept[1]

    def close(self, *, is_whole: bool) -> None:
        """Let everything out."""
        self.flush()


def _ascii(text: str) -> str:
    """Return JSON text with all that a terminal may obey or cannot show escaped."""
    if text.isascii() and "\x7f" not in text:  # nearly always, and told fifty times as fast
        return text
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


class _Row(Struct):
    event: Event
    count: int = 0
    last: datetime | None = None


class Table:
    """A table of incidents, the most frequent first."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def add(self, event: Event) -> None:
        """Count one event."""
        row = self._rows.setdefault(event.fingerprint, _Row(event))
        row.count += 1
        if event.occurred_at is not None:
            row.last = max(row.last or event.occurred_at, event.occurred_at)

    def flush(self) -> None:
        """Print nothing yet: what comes may be of an incident that is known."""

    def close(self, *, is_whole: bool) -> None:
        """Print it; times are of this machine's zone. ``is_whole``: everything named could be read."""
        if not self._rows:
            click.echo("no errors found" if is_whole else "no errors found in what could be read")
            return
        rows = sorted(self._rows.values(), key=lambda row: -row.count)
        cells = [("count", "severity", "last", "error", "place"), *map(_cells, rows)]
        for index, line in enumerate(aligned(cells, long=3, right={0})):
            click.echo(click.style(line, bold=True) if index == 0 else line)
        total = sum(row.count for row in rows)
        click.echo(click.style(f"{counted(total, 'event')}, {counted(len(rows), 'incident')}", dim=True))


def _cells(row: _Row) -> tuple[str, ...]:
    from aiops_core.text.fingerprint import title

    return str(row.count), row.event.severity or "", _when(row.last), title(row.event), _place(row.event)


def _when(time: datetime | None) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else ""


def _place(event: Event) -> str:
    from aiops_core.text.sanitising import clean

    frame = event.own_frames[-1] if event.own_frames else None
    place = f"{frame.file}:{frame.line}" if frame is not None else f"{event.path}@{event.start}"
    return clean(place, keep_newlines=False)
