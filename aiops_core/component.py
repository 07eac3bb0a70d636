"""What a plugin author subclasses: a step of a pipeline, and the kinds there are."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, get_args, get_origin

from typing_extensions import TypeVar

from aiops_core.claims import Claim
from aiops_core.config import Config
from aiops_core.context import Context
from aiops_core.errors import UserError
from aiops_core.records import (
    Analysis,
    Block,
    Change,
    Event,
    Evidence,
    Incident,
    Outcome,
    Plan,
    Position,
    Receipt,
    Report,
    Signal,
    StopLevel,
    Usage,
)
from aiops_core.text.lines import Lines, More, Span

C = TypeVar("C", bound=Config, default=Config)


class Component(Generic[C]):
    """Be one configured step of a pipeline.

    Write ``class MySource(Source[MyConfig])`` to have settings. ``start`` and ``stop`` may be
    called in any order and twice. Identity decides equality.
    """

    config_type: ClassVar[type[Config]] = Config
    is_isolable: ClassVar[bool] = True
    """Whether the hooks of its kind are all it does for the host, so that it may be in a process of its own."""
    config: C
    context: Context

    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: passed on as it came
        super().__init_subclass__(**kwargs)
        for base in cls.__dict__.get("__orig_bases__", ()):
            if get_origin(base) is not None:
                for argument in get_args(base):
                    if isinstance(argument, type) and issubclass(argument, Config):
                        cls.config_type = argument

    def __init__(self, config: C | None = None, context: Context | None = None) -> None:
        self.config = config if config is not None else self.config_type()  # type: ignore[assignment]
        self.context = context if context is not None else Context()

    def problem(self) -> str | None:
        """Say why this step does not work on this machine, None where it does; for ``aiops doctor``."""
        return None

    def probe(self) -> str:
        """Reach what this step needs outside, without any effect there; return what was found, "" for nothing.

        For ``aiops check --probe`` and the watch of a run, within half a minute; ``start`` may not have been
        called. Raise AiopsError saying what is wrong: no login, no such model, a right that lacks.
        """
        if (problem := self.problem()) is not None:
            raise UserError(problem)
        return ""

    def check(self) -> None:
        """Look at settings that belong together and at the files they name; raise UserError where that cannot work.

        For ``aiops check``, without any effect and without reaching anything outside; ``start`` may not have been
        called, and refuses the same.
        """

    def start(self) -> None:
        """Get ready; raise UserError when a setting cannot work."""

    def stop(self) -> None:
        """Let go of everything."""


class Source(Component[C], ABC, Generic[C]):
    """Yield signals from somewhere.

    ``resumes`` says that what was yielded and not committed comes again after a restart. Of a source
    that says False a stop takes what it yielded, and closes what it left open.
    """

    resumes: ClassVar[bool] = True
    looked: tuple[float, float] | None = None
    """For a source that asks for lines now and then: up to when it knows of all there was, and since when it
    has handed that over, in seconds of the monotonic clock. None where lines come as they are written."""

    @property
    def checks_senders(self) -> bool:
        """Whether what it yields comes from somebody known: it is fetched, or senders prove who they are.

        What follows from events of a source that says False is published by nobody but a person.
        """
        return True

    def places(self) -> Sequence[Path]:
        """Return the directories of this machine it reads from: their disks are watched."""
        return ()

    def absent(self) -> Sequence[str]:
        """Say what it is to read that is not there or may not be read now; for ``aiops doctor``."""
        return ()

    def claims(self) -> Sequence[Claim]:
        """Name what only one source can have and this one asks for: standard input, ports it listens on."""
        return ()

    @abstractmethod
    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]: ...

    def committed(self, stream: str, position: Position) -> None: ...


class Detector(Component[C], ABC, Generic[C]):
    """Be the ancestor of detectors."""


class LogDetector(Detector[C], ABC, Generic[C]):
    """Find problems in lines of text.

    ``triggers`` are regular expressions against one unwrapped line, each with at least three
    literal characters; they decide which lines are looked at. ``rank`` is ``trace`` for grammars
    that read several lines, ``line`` for patterns on single lines; a trace wins an overlap.
    ``reads_numbers`` False says of a detector of rank ``line`` that only its triggers look at the
    numbers in a line: then a line that repeats but for them is not read again.
    """

    triggers: Sequence[str] = ()
    continues: str | None = None
    rank: ClassVar[str] = "trace"
    reads_numbers: ClassVar[bool] = True

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the lines of the problem that the trigger at ``lines[hit]`` belongs to.

        Pure: the same lines give the same answer, and it may be called again with more lines.
        ``More`` says that the problem may go on past the last line known; it is never returned
        when ``lines.final``. None: the trigger was a false alarm. The span may start before the
        hit. The default claims the hit and the lines after it that match ``continues``.
        """
        end = hit + 1
        if self.continues is None:
            return Span(hit, end)
        continues = _compiled(self.continues)
        while (line := lines.get(end)) is not None:
            if not continues.search(line):
                return Span(hit, end)
            end += 1
        return Span(hit, end) if lines.final else More(hit)

    @abstractmethod
    def detect(self, block: Block) -> Event | list[Event] | None: ...


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)  # re keeps its own cache


class Analyzer(Component[C], ABC, Generic[C]):
    """Explain an incident.

    ``is_agent`` says that a model acts by itself here, as in a checkout: it is not asked about events
    whose senders nobody checked, unless a person asks for it. ``is_offline`` says that it answers from
    this machine alone, at no cost: a replay lets it answer.
    """

    is_agent: ClassVar[bool] = False
    is_offline: ClassVar[bool] = False

    @abstractmethod
    def analyze(self, incident: Incident, evidence: Sequence[Evidence]) -> Analysis | None: ...

    def estimate(self, incident: Incident, evidence: Sequence[Evidence]) -> Usage | None:
        """Return what asking once would take at about, without asking; None where nobody can say."""
        return None


class Action(Component[C], ABC, Generic[C]):
    """Do something about an incident.

    ``reaches`` is how far it takes a fix at the least: ``branch`` when it pushes one, ``draft``
    when it opens a request. A fix that may not go that far is not planned; one whose
    ``may_reach`` is ``draft`` must not be opened as ready. An outcome whose data have ``state``
    ``merged`` and ``merge_commit`` lets the host watch whether the error comes back.
    """

    reaches: ClassVar[StopLevel] = "patch"

    @abstractmethod
    def plan(self, incident: Incident, analysis: Analysis, change: Change | None) -> Plan | None: ...

    @abstractmethod
    def act(self, plan: Plan) -> Outcome: ...

    def follow(self, outcome: Outcome) -> Outcome | None:
        return None

    def remark(self, outcome: Outcome, about: str, text: str) -> None: ...


class Notifier(Component[C], ABC, Generic[C]):
    """Tell people.

    ``attempts`` and ``retry_after`` (seconds) say how often and how far apart the host tries at
    first; then a route's fallback is told, and tries go on ever farther apart until a day is over.
    ``takes_digests`` False says that each report is wanted by itself, however many there are.
    """

    attempts: ClassVar[int] = 3
    retry_after: ClassVar[float] = 300.0
    takes_digests: ClassVar[bool] = True

    @abstractmethod
    def notify(self, report: Report) -> Receipt: ...


class Extension(Component[C], Generic[C]):
    """Observe or enrich a pipeline by defining any of the extension hooks."""

    is_isolable: ClassVar[bool] = False


KINDS: Mapping[str, type[Component[Any]]] = {
    "sources": Source,
    "detectors": Detector,
    "analyzers": Analyzer,
    "actions": Action,
    "notifiers": Notifier,
    "extensions": Extension,
}
"""Folder = YAML key = entry-point group (after ``aiops.``) to base class."""
