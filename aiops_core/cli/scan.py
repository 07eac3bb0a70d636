"""aiops scan: find the errors in files, without a pipeline file or a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from aiops_core.errors import UserError

if TYPE_CHECKING:
    from aiops_core.detection import Detection
    from aiops_core.records import Event, LogBatch
    from aiops_core.text.blocks import Claim
    from aiops_core.text.grouping import GroupingRule
    from aiops_core.text.repeats import Repeat

_CHUNK = 1 << 20
_LONG = 64 << 20


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--jsonl", is_flag=True, help="Print one JSON object per event instead of a table.")
@click.option(
    "--detector", "-d", "detectors", multiple=True, metavar="NAME", help="Use only these detectors."
)
@click.option("--engine", type=click.Choice(["hyperscan", "re"]), default=None, help="Insist on one matcher.")
def scan(paths: tuple[str, ...], jsonl: bool, detectors: tuple[str, ...], engine: str | None) -> None:
    """Find the errors in log files and print them.

    PATH is a file, a directory, a glob, a .gz file, or - for standard input. A detector is an
    installed name or ./file.py:Class.
    """
    sink = _JsonLines() if jsonl else _Table()
    read_events(paths, build_detection(detectors, engine or ""), sink.add)
    sink.close()


def read_events(paths: Iterable[str], detection: Detection, add: Callable[[Event], None]) -> None:
    """Give every event in files, and in standard input where - is named, to ``add``."""
    for path in paths:
        if path == "-":
            _consume(_from_stream(sys.stdin.buffer), detection, add, lambda size: None)
    files = [path for path in paths if path != "-"]
    if files:
        _scan_files(files, detection, add)


def build_detection(
    names: tuple[str, ...], engine: str = "", grouping: Sequence[GroupingRule] = ()
) -> Detection:
    """Build the named detectors, or all installed ones that need no settings."""
    from aiops_core.catalogue import Catalogue
    from aiops_core.component import Context, LogDetector
    from aiops_core.detection import Detection
    from aiops_core.errors import AiopsError

    catalogue = Catalogue()
    steps = []
    for name in names or catalogue.names("detectors"):
        try:
            kind = catalogue.load("detectors", name, Path.cwd())
            if not names and any(info.is_required() for info in kind.config_type.model_fields.values()):
                continue
            component = kind(kind.config_type(), Context(name=name, once=True, directory=Path.cwd()))
        except AiopsError as error:
            raise UserError(f"detector {name}: {error}") from None
        except ValueError as error:
            raise UserError(f"detector {name}: needs settings. Use it in a pipeline file ({error})") from None
        if isinstance(component, LogDetector):
            steps.append((Path(name.partition(":")[0]).stem if ":" in name else name, component))
    return Detection(steps, fault=_fault, engine=engine, grouping=grouping)


def _fault(cause: str, text: str) -> None:
    click.echo(f"{cause}: {text}", err=True)


def _scan_files(paths: list[str], detection: Detection, add: Callable[[Event], None]) -> None:
    from aiops_core.catalogue import Catalogue
    from aiops_core.component import Context

    for path in paths:
        if not any(sign in path for sign in "*?[") and not Path(path).exists():
            raise UserError(f"{path}: no such file or directory. Give a file, a directory, a glob or -")
    kind = Catalogue().load("sources", "file", Path.cwd())
    config = kind.config_type.model_validate({"paths": paths, "start": "beginning"})
    source: Any = kind(
        config, Context(name="file", once=True, directory=Path.cwd())
    )  # Any: the file source's own class
    total = sum(_size(Path(path)) for path in paths)
    with _progress(total) as advance:
        _consume(source.source({}), detection, add, advance)


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(item.stat().st_size for item in path.rglob("*") if item.is_file())
    return path.stat().st_size if path.is_file() else 0


class _progress:
    """Show a bar on a terminal when the input is long."""

    def __init__(self, total: int) -> None:
        self._bar: Any = None  # Any: rich is imported only when it is shown
        self._total = total

    def __enter__(self) -> Callable[[int], None]:
        if self._total < _LONG or not sys.stderr.isatty():
            return lambda size: None
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        task = self._bar.add_task("scan", total=self._total)
        return lambda size: self._bar.advance(task, size)

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _from_stream(stream: BinaryIO) -> Iterator[LogBatch]:
    """Yield what a pipe delivers, in whole lines."""
    from aiops_core.records import LogBatch

    rest, offset = b"", 0
    while True:
        data = stream.read1(_CHUNK) if hasattr(stream, "read1") else stream.read(_CHUNK)
        block = rest + data
        cut = len(block) if not data else block.rfind(b"\n") + 1
        batch, rest = block[:cut], block[cut:]
        if batch or not data:
            marks = ((0, {"offset": offset}), (len(batch), {"offset": offset + len(batch)}))
            yield LogBatch("-", batch, marks, offset=offset, path="-", ended=not data)
            offset += len(batch)
        if not data:
            return


def _consume(
    batches: Iterator[LogBatch],
    detection: Detection,
    add: Callable[[Event], None],
    advance: Callable[[int], None],
) -> None:
    from aiops_core.text.blocks import Cutter

    cutters: dict[str, tuple[Cutter, int]] = {}
    for batch in batches:
        cutter, expected = cutters.pop(batch.stream, (None, -1))
        if cutter is None or expected != batch.offset:
            if cutter is not None:
                _emit(cutter.flush(), detection, batch, add)
            cutter = Cutter(detection.grammar, batch.offset, before=0, after=0)  # no context is printed
        claims, _ = cutter.feed(batch.data)
        _emit(claims, detection, batch, add)
        if batch.ended:
            _emit(cutter.flush(), detection, batch, add)
        else:
            cutters[batch.stream] = (cutter, batch.offset + len(batch.data))
            last = batch
        advance(len(batch.data))
    for cutter, _ in cutters.values():
        _emit(cutter.flush(), detection, last, add)


def _emit(
    claims: Iterable[Claim | Repeat], detection: Detection, batch: LogBatch, add: Callable[[Event], None]
) -> None:
    for claim in claims:
        for event in detection.events(claim, batch=batch):
            add(event)


def event_to_json(event: Event) -> dict[str, Any]:
    """Return the documented object of ``--jsonl``."""
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
        "frames": [
            {
                "file": frame.file,
                "line": frame.line,
                "function": frame.function,
                "module": frame.module,
                "in_app": frame.in_app,
            }
            for frame in event.frames
        ],
        "exceptions": [
            {"type": one.type, "message": one.message, "link": one.link, "parent": one.parent}
            for one in event.exceptions
        ],
    }


class _JsonLines:
    def add(self, event: Event) -> None:
        sys.stdout.write(json.dumps(event_to_json(event), ensure_ascii=True) + "\n")

    def close(self) -> None:
        sys.stdout.flush()


@dataclass(slots=True)
class _Row:
    event: Event
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None


class _Table:
    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def add(self, event: Event) -> None:
        row = self._rows.setdefault(event.fingerprint, _Row(event))
        row.count += 1
        if event.occurred_at is not None:
            row.first = min(row.first or event.occurred_at, event.occurred_at)
            row.last = max(row.last or event.occurred_at, event.occurred_at)

    def close(self) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        from aiops_core.text.fingerprint import title

        console = Console()
        if not self._rows:
            console.print("no errors found")
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("count", justify="right")
        table.add_column("severity")
        table.add_column("last")
        table.add_column("error", overflow="fold")
        table.add_column("place", overflow="fold")
        for row in sorted(self._rows.values(), key=lambda row: -row.count):
            cells = (
                str(row.count),
                row.event.severity or "",
                _when(row.last),
                title(row.event),
                _place(row.event),
            )
            table.add_row(*(Text(cell) for cell in cells))
        console.print(table)
        total = sum(row.count for row in self._rows.values())
        console.print(Text(f"{total} events, {len(self._rows)} incidents", style="dim"))


def _when(time: datetime | None) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if time else ""


def _place(event: Event) -> str:
    frame = next((frame for frame in reversed(event.frames) if frame.in_app), None)
    if frame is not None:
        return f"{frame.file}:{frame.line}"
    return f"{event.path}@{event.start}"
