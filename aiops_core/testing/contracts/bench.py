"""What a component is tried with: where it finds what it needs, and what is handed to it."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from aiops_core.component import Component
from aiops_core.context import Context
from aiops_core.host import make_component
from aiops_core.records import Analysis, Block, Change, Evidence, Incident, Report
from aiops_core.settings import Config, Repository
from aiops_core.testing import samples
from aiops_core.testing.contracts.secrets import with_every_secret
from aiops_core.testing.forge_scene import FileEffects

_JUNK = "\x00\x1b[31m\u202e\u200b\udcff\udcfe ${env:HOME} {{7*7}} {0} %s %n </code> @all\r"
_UNWANTED = {
    "junk": _JUNK,
    "a megabyte": "x" * 1_000_000,
    "a huge number": "9" * 5000,  # more digits than int() takes
    "an empty text": "",
}


def _wait_for_nobody(source: object) -> None:
    """Be where a source finds everything by itself."""


def _nothing() -> None:
    """Be where a component needs nobody else."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A place where a component works.

    ``settings`` are written as in a pipeline file. ``feed`` is called with a source once it reads,
    for those that wait for somebody to send something; ``last`` are the bytes that the last of it ends with:
    nobody waits for more once they are read. ``send`` is called with a source and bytes that nobody wants to
    see, as a line of them: to be sent to it instead, or put where it will find them, as a service does that it
    asks. Without it, such bytes are written below whatever is in the files of ``directory``. ``reached`` returns whatever the component
    can change in the world outside, to be compared: the requests a server got, the branches of a
    remote, the files of a folder. ``spoil`` takes that world away, so that it is seen what a
    component says then. ``change`` is the verified fix an action is given.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)  # Any: as people write them
    repository: Repository | None = None
    directory: Path | None = None
    feed: Callable[[Any], None] = _wait_for_nobody  # Any: a source of any config
    last: bytes = b""
    send: Callable[[Any, bytes], None] | None = None
    reached: Callable[[], object] = _nothing
    spoil: Callable[[], None] = _nothing
    change: Change | None = None


Place = Callable[[Path], AbstractContextManager[Bench]] | Mapping[str, Any] | None
"""How a bench is made for one test, in a directory of its own; plain settings where they are enough."""


def set_up(place: Place, directory: Path) -> AbstractContextManager[Bench]:
    """Return the bench for one test."""
    if callable(place):
        return place(directory)
    return nullcontext(Bench(settings=place or {}))


@dataclass(frozen=True, slots=True)
class Material:
    """What components are handed."""

    block: Block
    incident: Incident
    evidence: list[Evidence]
    analysis: Analysis
    change: Change | None
    report: Report
    is_unwanted: bool = False


def usual(bench: Bench) -> Material:
    """Return what a component sees on a good day."""
    return Material(
        samples.block(),
        samples.incident(),
        samples.evidence(),
        samples.analysis(),
        bench.change,
        samples.report(),
    )


def junk(bench: Bench) -> Iterator[tuple[str, Material]]:
    """Yield what nobody wants to see, each with a name: control characters, no UTF-8, a megabyte, a huge number, nothing."""
    for name, text in _UNWANTED.items():
        event = samples.event(type=text[:500], message=text, block=text, path=text[:500])
        incident = samples.incident(title=text[:500], type=text[:500], message=text, events=(event,))
        words = text[:10_000]  # what a model says is bounded by its tokens
        said = samples.analysis(
            title=text[:500], summary=words, root_cause=words, repair_steps=(words,), cited=(text[:500],)
        )
        evidence = [Evidence("log", text[:500], text, id="E1")]
        report = samples.report(title=text[:500], text=text, incident=incident, analysis=said)
        yield (
            name,
            Material(samples.block(text), incident, evidence, said, bench.change, report, is_unwanted=True),
        )


@dataclass(slots=True)
class Trial:
    """One component on its bench, and all it says there."""

    component: type[Component[Any]]
    bench: Bench
    directory: Path
    good: Sequence[str] = ()
    bad: Sequence[str] = ()
    example: Path | None = None
    said: list[str] = field(default_factory=list)
    """Every line of its log, and what it printed."""
    _made: int = 0

    def __str__(self) -> str:
        return self.component.__name__

    @property
    def files(self) -> list[Path]:
        """The files that a component finds on its bench."""
        home = self.bench.directory
        if home is None:
            return []
        return [path for path in home.rglob("*") if path.is_file() and self.directory not in path.parents]

    @property
    def is_fed(self) -> bool:
        """Whether a source gets what somebody sends, and not what is there."""
        return self.bench.feed is not _wait_for_nobody

    def fail(self, text: str) -> NoReturn:
        """End the test: ``text`` says what is wrong, and what to do."""
        raise AssertionError(f"{self}: {text}")

    def config(self, **settings: object) -> Config:
        """Return its settings, with these beside those of the bench; raise ValidationError."""
        return self.component.config_type.model_validate({**self.bench.settings, **settings})

    def config_with_secrets(self) -> Config:
        """Return its settings, every secret one set that goes with the others."""
        kind = self.component.config_type
        return kind.model_validate(with_every_secret(kind, self.bench.settings))

    def context(self) -> Context:
        """Return surroundings of their own for one more instance."""
        self._made += 1
        home = self.bench.directory or self.directory
        scratch = self.directory / f"scratch-{self._made}"
        scratch.mkdir(parents=True)
        return Context(
            pipeline="shop",
            name=self.component.__name__.lower(),
            logger=self._logger(),
            clock=lambda: samples.NOON,
            stopping=threading.Event(),
            once=not self.is_fed,
            directory=home,
            scratch=scratch,
            mirrors=self.directory / "mirrors",
            repository=self.bench.repository,
            effects=FileEffects(scratch / "effects.json"),
        )

    def make(self, context: Context | None = None, config: Config | None = None) -> Component[Any]:
        """Return a new instance, as the host makes it."""
        return make_component(self.component, config or self.config(), context or self.context())

    @contextmanager
    def started(
        self, context: Context | None = None, config: Config | None = None
    ) -> Iterator[Any]:  # Any: of the kind under test
        """Start a new instance for as long as the block lasts."""
        component = self.make(context, config)
        component.start()
        try:
            yield component
        finally:
            component.context.stopping.set()
            component.stop()

    @contextmanager
    def overheard(self) -> Iterator[None]:
        """Keep what is printed too, and what goes to any logger, for as long as the block lasts."""
        root, kept, printed = logging.getLogger(), _Kept(self.said), io.StringIO()
        level = root.level
        root.addHandler(kept)
        root.setLevel(logging.INFO)
        try:
            with redirect_stdout(printed), redirect_stderr(printed):
                yield
        finally:
            root.removeHandler(kept)
            root.setLevel(level)
            self.said.append(printed.getvalue())

    def _logger(self) -> logging.Logger:
        logger = logging.Logger(f"aiops.contract.{self.component.__name__}")
        logger.addHandler(_Kept(self.said))
        return logger


class _Kept(logging.Handler):
    """Keep what is logged, tracebacks too."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
