"""Print what a scan found: a table of incidents for people, one JSON object per event for programs."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from aiops_core.cli.columns import aligned
from aiops_core.records import Event, Frame, RaisedException
from aiops_core.text.phrases import counted

_MOST_FRAMES = 4096


_encode = json.JSONEncoder().encode


class JsonLines:
    """One JSON object per event, as they come: the documented output of ``--jsonl``."""

    def __init__(self) -> None:
        self._frames: dict[int, tuple[tuple[Frame, ...], str]] = {}

    def add(self, event: Event) -> None:
        """Print one event."""
        told, frames = _encode(_told(event)), self._frames_of(event.frames)
        sys.stdout.write(f'{told[:-1]}, "frames": {frames}}}\n')

    def _frames_of(self, frames: tuple[Frame, ...]) -> str:
        """Return frames as JSON, written once: those of a repeat are the very ones of what it repeats."""
        kept = self._frames.get(id(frames))
        if kept is None:
            if len(self._frames) >= _MOST_FRAMES:
                self._frames.clear()
            kept = self._frames[id(frames)] = frames, _encode([_frame(one) for one in frames])
        return kept[1]

    def close(self, *, is_whole: bool) -> None:
        """Let everything out."""
        sys.stdout.flush()


def _told(event: Event) -> dict[str, Any]:
    return {
        "path": event.path,
        "start": event.start,
        "end": event.end,
        "language": event.language or event.detector,
        "type": event.type,
        "message": event.message,
        "severity": event.severity,
        "fingerprint": event.fingerprint,
        "detector": event.detector,
        "occurred_at": event.occurred_at.isoformat() if event.occurred_at else None,
        "headline": event.headline,
        "truncated": event.truncated,
        "exceptions": [_raised(one) for one in event.exceptions],
    }


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "file": frame.file,
        "line": frame.line,
        "function": frame.function,
        "module": frame.module,
        "in_app": frame.in_app,
    }


def _raised(one: RaisedException) -> dict[str, Any]:
    return {"type": one.type, "message": one.message, "link": one.link, "parent": one.parent}


@dataclass(slots=True)
class _Row:
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
