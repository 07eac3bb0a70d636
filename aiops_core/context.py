"""What the host gives to one step: where it is, what it may record, look up and spend."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from msgspec import Struct, field

from aiops_core.budget import AtMost, Spending, unlimited
from aiops_core.endpoints import Endpoints
from aiops_core.records import Edit, Evidence, Json, RecipientResult

if TYPE_CHECKING:
    from aiops_core.settings import Repository

R = TypeVar("R")


def utc_now() -> datetime:
    """Return the present time, timezone-aware."""
    return datetime.now(UTC)


class Effect(Protocol):
    """One effect on the outside world, as the store remembers it.

    ``result`` is what an earlier try recorded, None before the first success: do nothing when it
    is set. ``is_uncertain`` says that an earlier try began and never reported: look whether the
    effect is there before making it. Set ``result`` to record success.
    """

    result: Json
    is_uncertain: bool


class Tool(Struct, frozen=True):
    """Something a model may call; ``parameters`` is the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Json]


class Explorer(Protocol):
    """What an analyzer's model may look up in the repository, read-only.

    ``left`` is how many calls are left. ``found`` holds what was shown: evidence an answer may
    cite beside what ``analyze`` was given.
    """

    left: int
    found: list[Evidence]

    @property
    def tools(self) -> Sequence[Tool]: ...

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """Return what is to be sent to the model, whatever it asked for; safe to send."""
        ...


class AgentCheckout(Protocol):
    """The files of the commit an analysis looks at, for an agent to edit; secrets are taken out."""

    @property
    def path(self) -> Path: ...

    def edits(self) -> tuple[Edit, ...]:
        """Return what was changed, as edits to propose; call it when the agent has ended."""
        ...


EffectRecorder = Callable[[str, str], AbstractContextManager[Effect]]
Purse = Callable[[AtMost], AbstractContextManager[Spending]]
"""How the host lets calls of models through, as far as the budgets allow."""


class Context(Struct):
    """What the host gives to one step; set before ``start`` is called."""

    pipeline: str = ""
    name: str = ""
    """Name of the step."""
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("aiops"))
    clock: Callable[[], datetime] = utc_now
    stopping: threading.Event = field(default_factory=threading.Event)
    once: bool = False
    """True in a run that processes what is there and ends."""
    directory: Path = Path()
    """Directory of the pipeline file: relative paths in settings start here."""
    scratch: Path = Path()
    """Directory under the state directory that this step may fill."""
    mirrors: Path = Path()
    """Directory under the state directory with the mirrors of repositories, which all steps share."""
    repository: Repository | None = None
    language: str = "en"
    """Language people of this pipeline read: ``en`` or ``zh``."""
    state: dict[str, Json] = field(default_factory=dict)
    """Bounded JSON of this step, saved in the same transaction as the position."""
    effects: EffectRecorder | None = None
    endpoints: Endpoints = field(default_factory=Endpoints)
    """Addresses of models, shared by all steps of all pipelines."""
    tell: Callable[[str, str], None] | None = None
    """How the host tells people of a fault; set by it."""
    _worker: threading.local = field(default_factory=threading.local)

    @contextmanager
    def recording(self, effects: EffectRecorder) -> Iterator[None]:
        """Record what this thread does until the end of the block through ``effects``."""
        self._worker.effects = effects
        try:
            yield
        finally:
            self._worker.effects = None

    @property
    def explorer(self) -> Explorer | None:
        """What the model may look up; None outside ``analyze`` and without a repository."""
        return getattr(self._worker, "explorer", None)

    @property
    def check_out(self) -> Callable[[Path], AgentCheckout] | None:
        """How an agent's model gets the files, in a new directory; None where ``explorer`` is."""
        return getattr(self._worker, "check_out", None)

    @contextmanager
    def exploring(
        self,
        explorer: Explorer | None,
        check_out: Callable[[Path], AgentCheckout] | None = None,
        purse: Purse | None = None,
    ) -> Iterator[None]:
        """Let what this thread does until the end of the block look things up, and spend."""
        self._worker.explorer, self._worker.check_out = explorer, check_out
        self._worker.purse = purse
        try:
            yield
        finally:
            self._worker.explorer = self._worker.check_out = self._worker.purse = None

    def spending(self, at_most: AtMost) -> AbstractContextManager[Spending]:
        """Reserve what a call of a model may take, before it is made; settle inside the block.

        Raise Refused when a budget has not so much left: then do not call, and let it pass. A call
        that is not settled counts at its most: use that where nobody knows what a failed call took.
        One that has ``said`` something already was made before a kill: use that and do not call.
        """
        purse: Purse = getattr(self._worker, "purse", None) or unlimited
        return purse(at_most)

    def carried(self, work: Callable[[], R]) -> Callable[[], R]:
        """Return the work for another thread to do, with what this thread was given to do it."""
        kept, run = dict(vars(self._worker)), copy_context().run

        def do() -> R:
            vars(self._worker).update(kept)
            return run(work)

        return do

    @property
    def served(self) -> Mapping[str, RecipientResult]:
        """Recipients that an earlier try of this message settled, as its ``Retry`` said: tell the others."""
        return getattr(self._worker, "served", {})

    @contextmanager
    def serving(self, served: Mapping[str, RecipientResult]) -> Iterator[None]:
        """Say whom the message this thread sends until the end of the block was brought to before."""
        self._worker.served = served
        try:
            yield
        finally:
            self._worker.served = {}

    def fault(self, cause: str, text: str) -> None:
        """Tell people, once a day for each cause, what they have to know: of bytes that are lost, say.

        ``text`` says where, what, and what to do. It is logged each time; any thread may call this.
        """
        if self.tell is None:
            self.logger.warning("%s", text)
        else:
            self.tell(f"{self.name}: {cause}", text)

    def step(self, name: str, key: str) -> AbstractContextManager[Effect]:
        """Record one effect on the outside world, so that a crash repeats none."""
        effects = getattr(self._worker, "effects", None) or self.effects
        if effects is None:
            raise RuntimeError("effects are recorded inside act and follow only")
        return effects(name, key)
