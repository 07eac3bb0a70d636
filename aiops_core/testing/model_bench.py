"""What an analyzer that asks a model brings to the suite all of them pass: its API, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from aiops_core.budget import AtMost, Spending
from aiops_core.component import Analyzer
from aiops_core.context import Context
from aiops_core.errors import Refused
from aiops_core.records import Evidence, Incident, Json, Usage
from aiops_core.testing.http_peer import HttpPeer, Request
from aiops_core.testing.messages_api import Scripted

KEY = "sk-ant-api03-canary-canary-canary"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
INCIDENT = Incident(1, "p", "f", "t", "KeyError", "'count'", "python", "error", "new", 3, NOON, NOON)
EVIDENCE = [Evidence("log", "log", "KeyError: 'count'", id="E1")]
ANSWER: Mapping[str, Json] = {
    "title": "Orders without a count fail",
    "summary": "s",
    "root_cause": "total() reads a count that not every order has.",
    "repair_steps": ["Read a missing count as 1."],
    "cited": ["E1"],
    "confidence": 0.9,
}


class ScriptedApi(Protocol):
    """A server that answers as scripted, then always in one way; it wants a key."""

    def __call__(self, replies: list[Scripted], *, usual: Scripted, key: str) -> HttpPeer: ...


@dataclass(frozen=True, slots=True)
class ModelBench:
    """One analyzer on the bench.

    ``path`` is what follows the server's address in ``base_url``. ``is_agent`` says that it tries
    again outside this process, so that calls are not counted; ``room`` gives what else it needs.
    """

    name: str
    analyzer: type[Analyzer[Any]]  # Any: a config of any analyzer
    api: ScriptedApi
    path: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)  # Any: as people write them
    is_agent: bool = False
    room: Callable[[Analyzer[Any], Purse], Any] | None = None  # Any: a context manager

    def __str__(self) -> str:
        return self.name

    def make(self, url: str, *, context: Context | None = None, **changes: Any) -> Analyzer[Any]:
        """Return the analyzer, told to ask at this address and to lose no time between its tries."""
        values = {"api_key": KEY, "base_url": url + self.path, **self.settings, **changes}
        made = self.analyzer(
            self.analyzer.config_type.model_validate(values), context or Context(name=self.name)
        )
        made.delays = (0.001,) * 4  # type: ignore[attr-defined]  # of those that have them
        return made


def prompt_of(request: Request) -> str:
    """Return the whole text of a request."""
    return request.body.decode()


class Purse:
    """Let so many calls through, and keep what was asked for, settled and said.

    ``made`` is what calls said that were made before a kill.
    """

    said: Json = None

    def __init__(self, calls: int = 99, made: Sequence[Json] = ()) -> None:
        self.left = calls
        self.made = list(made)
        self.kept: list[Json] = []
        self.asked: list[AtMost] = []
        self.settled: list[Usage | None] = []

    @contextmanager
    def __call__(self, at_most: AtMost) -> Iterator[Spending]:
        if not self.left:
            raise Refused("the budget is used up", rule="budget", setting="policy.budget.per_day")
        self.left -= 1
        self.asked.append(at_most)
        self.said = self.made.pop(0) if self.made else None
        yield self

    def settle(self, usage: Usage | None, said: Json = None) -> None:
        """Keep what a call took and said."""
        self.settled.append(usage)
        self.kept.append(said)
