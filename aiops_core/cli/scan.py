"""aiops scan: find the errors in files, without a pipeline file or a database."""

from __future__ import annotations

import glob
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
from msgspec.structs import replace

from aiops_core.errors import AiopsError, UserError

if TYPE_CHECKING:
    from aiops_core.catalogue import Catalogue
    from aiops_core.component import LogDetector
    from aiops_core.detection import Detection
    from aiops_core.records import Event, LogBatch
    from aiops_core.text.blocks import Piece
    from aiops_core.text.grouping import GroupingRule
    from aiops_core.text.places import Places

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
    installed name or ./file.py:Class. Times that name no zone are taken as of this machine's. Exit 2
    when something that was named could not be read whole.
    """
    from aiops_core.cli.found import JsonLines, Table
    from aiops_core.memory import settle_memory

    sink = JsonLines() if jsonl else Table()
    detection = build_detection(detectors, engine or "")
    settle_memory()
    is_whole = read_events(paths, detection, sink.add, sink.flush)
    sink.close(is_whole=is_whole)
    if not is_whole:
        sys.exit(2)


def read_events(
    paths: Iterable[str],
    detection: Detection,
    add: Callable[[Event], None],
    flush: Callable[[], None] = lambda: None,
) -> bool:
    """Give every event in files, and in standard input where - is named, to ``add``.

    ``flush`` is called after the events of each chunk. Say on standard error what could not be read
    whole; return whether everything could.
    """
    for path in paths:
        if path == "-":
            _consume(_from_stream(sys.stdin.buffer), detection, add, lambda size: flush())
    files = [path for path in paths if path != "-"]
    return _scan_files(files, detection, add, flush) if files else True


def build_detection(
    names: tuple[str, ...], engine: str = "", grouping: Sequence[GroupingRule] = ()
) -> Detection:
    """Build the named detectors, or all installed ones that need no settings; a broken one of those is left out."""
    from aiops_core.catalogue import Catalogue
    from aiops_core.detection import Detection
    from aiops_core.host import check_triggers
    from aiops_core.left_out import short_name
    from aiops_core.text.timestamps import LOCAL

    catalogue, faults = Catalogue(), _Faults()
    steps = []
    for name in names or catalogue.names("detectors"):
        try:
            detector = _detector(catalogue, name, is_named=bool(names))
        except AiopsError as error:
            faults.of_detector(name, error, is_named=bool(names))
        else:
            steps += [(short_name(name), detector)] if detector is not None else []
    wrong = list(check_triggers([detector for _, detector in steps]))
    for index, reason in wrong:
        faults.of_detector(steps[index][0], reason, is_named=bool(names))
    left = {index for index, _ in wrong}
    steps = [step for index, step in enumerate(steps) if index not in left]
    return Detection(steps, fault=faults.tell, engine=engine, grouping=grouping, zone=LOCAL)


def _detector(catalogue: Catalogue, name: str, *, is_named: bool) -> LogDetector[Any] | None:
    """Return a detector without settings; None for one that nobody named and that needs some, or other signals."""
    from aiops_core.component import LogDetector
    from aiops_core.context import Context
    from aiops_core.host import default_config, make_component

    kind = catalogue.load("detectors", name, Path.cwd())
    config = default_config(kind)
    if config is None:
        if is_named:
            raise UserError("needs settings. Use it in a pipeline file")
        return None
    component = make_component(kind, config, Context(name=name, once=True, directory=Path.cwd()))
    return component if isinstance(component, LogDetector) else None


class _Faults:
    """Say once of each cause what is wrong with a detector."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, cause: str, text: str) -> None:
        if cause not in self._told:
            self._told.add(cause)
            click.echo(text, err=True)

    def of_detector(self, name: str, error: AiopsError, *, is_named: bool) -> None:
        """Say that a detector is left out; raise UserError for one that was asked for."""
        if is_named:
            raise UserError(f"detector {name}: {error}") from None
        self.tell(name, f"detector {name} is left out: {error}")


class _Troubles(logging.Handler):
    """Print what the file source warns of, and count what it could not read whole."""

    def __init__(self, name: str, paths: Iterable[str]) -> None:
        super().__init__(logging.WARNING)
        self._name, self._paths = name, ", ".join(paths)
        self.lines: list[str] = []
        self.is_whole = True

    def emit(self, record: logging.LogRecord) -> None:
        """Keep place and cause; what the source advises is about a pipeline that goes on."""
        place = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""
        said = place + record.getMessage()[len(place) :].partition(". ")[0].rstrip(".")
        if place == self._name:  # no file at all; why, may have been told
            self.lines += [] if self.lines else [f"{self._paths}: no log file found"]
        elif glob.has_magic(place) or getattr(record, "is_read_on", False):
            self.lines.append(said)
        else:
            self.lines.append(f"{said}. Mend it, or leave it out")
            self.is_whole = False


def _scan_files(
    paths: list[str], detection: Detection, add: Callable[[Event], None], flush: Callable[[], None]
) -> bool:
    from aiops_core.catalogue import Catalogue
    from aiops_core.context import Context

    _check_paths(paths)
    kind = Catalogue().load("sources", "file", Path.cwd())
    config = kind.config_type.model_validate({"paths": paths, "start": "beginning"})
    troubles, logger = _Troubles("file", paths), logging.Logger("scan")
    logger.addHandler(troubles)
    context = Context(name="file", logger=logger, once=True, directory=Path.cwd())
    source: Any = kind(config, context)  # Any: the file source's own class
    total = sum(_size(Path(path)) for path in paths)
    with _progress(total) as advance:

        def taken(size: int) -> None:
            flush()
            advance(size)

        _consume(source.source({}), detection, add, taken)
    for line in troubles.lines:
        click.echo(line, err=True)
    return troubles.is_whole


def _check_paths(paths: Iterable[str]) -> None:
    """Refuse what names nothing; what cannot be looked at is left to the source to tell."""
    problems = []
    for path in filter(_is_missing, paths):
        if not glob.has_magic(path):
            problems.append(f"{path}: no such file or directory. Give a file, a directory, a glob or -")
        elif next(glob.iglob(path, recursive=True), None) is None:  # noqa: PTH207  # may be absolute
            problems.append(f"{path}: no file matches. Mend the pattern, or name a file or a directory")
    if problems:
        raise UserError("\n".join(problems))


def _is_missing(path: str) -> bool:
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


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
    taken: Callable[[int], None],
) -> None:
    from aiops_core.text.blocks import Cutter
    from aiops_core.text.places import Places

    cutters: dict[str, tuple[Cutter, int, LogBatch]] = {}
    places: dict[str, Places] = {}
    for batch in batches:
        cutter, expected, last = cutters.pop(batch.stream, (None, -1, batch))
        if cutter is None or expected != batch.offset:
            if cutter is not None:
                _emit(cutter.flush(), detection, last, places[batch.stream], add)
            cutter = Cutter(detection.grammar, batch.offset, before=0, after=0)  # no context is printed
        known = places.setdefault(batch.stream, Places())
        known.note(batch, cutter.low_water)
        claims, _ = cutter.feed(batch.data)
        _emit(claims, detection, batch, known, add)
        if batch.ended:
            _emit(cutter.flush(), detection, batch, known, add)
        else:
            cutters[batch.stream] = (cutter, batch.offset + len(batch.data), replace(batch, data=b""))
        taken(len(batch.data))
    for stream, (cutter, _, last) in cutters.items():
        _emit(cutter.flush(), detection, last, places[stream], add)


def _emit(
    claims: Iterable[Piece],
    detection: Detection,
    batch: LogBatch,
    places: Places,
    add: Callable[[Event], None],
) -> None:
    for claim in claims:
        for event in detection.events(claim, batch=batch):
            add(places.placed(event))
