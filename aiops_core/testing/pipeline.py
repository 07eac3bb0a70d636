"""Run a whole pipeline once, in this process, and look at what came of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aiops_core.catalogue import Catalogue
from aiops_core.component import Notifier
from aiops_core.context import Context, utc_now
from aiops_core.errors import AiopsError
from aiops_core.pipeline import Loaded, Pipeline, Surroundings, load
from aiops_core.records import Event, Incident, Receipt, Report
from aiops_core.runner import Runner
from aiops_core.step import Step
from aiops_core.store import DeliveryRow, FaultRow, Store

_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """What one run over the files left behind.

    ``reports`` are those of incidents, whatever notifiers the file names; ``faults`` are failures of
    the pipeline itself, ``fault_reports`` what people are told of them. ``error`` is what the
    command would have printed before it ended, empty when it went well.
    """

    incidents: tuple[Incident, ...] = ()
    reports: tuple[Report, ...] = ()
    faults: tuple[FaultRow, ...] = ()
    fault_reports: tuple[Report, ...] = ()
    deliveries: tuple[DeliveryRow, ...] = ()
    log: str = ""
    error: str = ""

    @property
    def events(self) -> tuple[Event, ...]:
        """The stored events of all incidents."""
        return tuple(event for incident in self.incidents for event in incident.events)


class _Captured(Notifier):
    """Keep every report, each by itself."""

    takes_digests = False

    def __init__(self, directory: Path) -> None:
        super().__init__(context=Context(name="captured", scratch=directory / "captured"))
        self.reports: list[Report] = []

    def notify(self, report: Report) -> Receipt:
        self.reports.append(report)
        return Receipt()


class _Log(logging.Handler):
    """Keep every line of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {self.format(record)}")


def run_pipeline(
    yaml_text: str,
    files: Mapping[str, str | bytes],
    directory: Path,
    *,
    environment: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] = utc_now,
    timeout: float = _TIMEOUT,
    catalogue: Catalogue | None = None,
) -> PipelineResult:
    """Write a pipeline file and ``files`` into ``directory`` and run it as ``aiops run --once`` does.

    Names in ``files`` are paths under ``directory``. The state stays there: a second call with
    more lines goes on where the first ended. Errors come back as ``error``; a run longer than
    ``timeout`` seconds is stopped. ``catalogue`` says what is installed.
    """
    _write(directory, {**files, "pipeline.yaml": yaml_text})
    surroundings = Surroundings(once=True, logger=logging.getLogger(f"aiops.test.{id(directory):x}"))
    captured = _Captured(directory)
    with _listening(surroundings.logger) as lines, _limit(surroundings.stopping, timeout):
        try:
            loaded = load(
                directory / "pipeline.yaml",
                catalogue=catalogue,
                surroundings=surroundings,
                environment=environment,
            )
        except AiopsError as error:
            return PipelineResult(error=str(error))
        told = _run(_with(loaded, captured), surroundings, clock)
    return _result(loaded, captured, "\n".join(lines), told)


def _run(loaded: Loaded, surroundings: Surroundings, clock: Callable[[], datetime]) -> str:
    try:
        stopping, logger = surroundings.stopping, surroundings.logger
        Runner(loaded, stopping, once=True, ballast=0, logger=logger, clock=clock).run()
    except AiopsError as error:
        return str(error)
    return ""


def _with(loaded: Loaded, captured: _Captured) -> Loaded:
    """Let the captured notifier hear every pipeline."""
    step = Step("notifiers", captured.context.name, captured.context.name, captured)
    loaded.pipelines = tuple(Pipeline(one.name, one.config, (*one.steps, step)) for one in loaded.pipelines)
    return loaded


def _result(loaded: Loaded, captured: _Captured, log: str, error: str) -> PipelineResult:
    if not (loaded.state / "aiops.db").exists():
        return PipelineResult(log=log, error=error)
    with Store.open(loaded.state) as store:
        incidents = tuple(store.incidents.get(one.id) for one in store.incidents.list(limit=1000))
        deliveries = [row for row in store.deliveries.list(limit=1000) if row.target != captured.context.name]
        faults = tuple(store.faults())
    return PipelineResult(
        incidents=incidents,
        reports=tuple(report for report in captured.reports if report.kind != "fault"),
        faults=faults,
        fault_reports=tuple(report for report in captured.reports if report.kind == "fault"),
        deliveries=tuple(deliveries),
        log=log,
        error=error,
    )


def _write(directory: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


@contextmanager
def _listening(logger: logging.Logger) -> Iterator[list[str]]:
    handler = _Log()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)


@contextmanager
def _limit(stopping: threading.Event, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, stopping.set)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
