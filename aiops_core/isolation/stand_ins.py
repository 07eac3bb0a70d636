"""What stands in a pipeline for a component that is in a process of its own, one class for each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from aiops_core.budget import AtMost
from aiops_core.claims import Claim
from aiops_core.component import Action, Analyzer, Component, LogDetector, Notifier, Source
from aiops_core.config import Config
from aiops_core.context import Context, Tool
from aiops_core.errors import PluginBroken, UserError
from aiops_core.isolation.supervised import Supervised
from aiops_core.isolation.terms import Terms
from aiops_core.isolation.wire import dump, load, types_of
from aiops_core.isolation.worker import Ask
from aiops_core.records import (
    Analysis,
    Block,
    Change,
    Edit,
    Event,
    Evidence,
    Incident,
    Json,
    LogBatch,
    Outcome,
    Plan,
    Position,
    Receipt,
    RecipientResult,
    Report,
    Signal,
    Usage,
)
from aiops_core.settings import Limits
from aiops_core.text.lines import Lines, More, Span

_AT_ONCE = 64
"""Lines that a detector gets with a hit, and each time it looks further."""
_PATIENCE = 30.0
"""Seconds that a run which does not last waits for an action whose process is begun again."""
_LOOK = 30.0
"""Seconds to say how it works here."""


class _Remote(Config):
    """Stand for settings that only the process of the component knows."""

    timeout: timedelta | None = None
    """The component's own setting of this name."""


class _Isolated(Component[Any]):
    """What the stand-ins of all kinds do alike."""

    usual: float
    """Seconds that a call may take where nobody set them."""
    patience = 0.0
    """Seconds that a call waits for a process that is being begun again."""

    def __init__(self, process: Supervised, terms: Terms, limits: Limits) -> None:
        timeout = None if terms.timeout is None else timedelta(seconds=terms.timeout)
        super().__init__(_Remote(timeout=timeout), process.context)
        self.terms = terms
        self._process = process
        self._seconds = self.usual if limits.time is None else limits.time.total_seconds()

    def problem(self) -> str | None:
        """Ask the component, in its process."""
        if self.terms.is_silent:
            return None
        said = self._process.call("problem", {}, seconds=_LOOK)
        return None if said is None else str(said)

    def probe(self) -> str:
        """Ask the component, in its process."""
        return "" if self.terms.is_silent else str(self._process.call("probe", {}, seconds=_LOOK))

    def start(self) -> None:
        """Begin the process."""
        self._process.start()

    def stop(self) -> None:
        """End the process."""
        self._process.stop()

    def _hook(
        self, name: str, asks: Mapping[str, Ask] | None = None, more: Mapping[str, Json] | None = None,
        **arguments: object,
    ) -> Json:  # fmt: skip
        types = types_of("analyze" if name == "estimate" else name)
        given = {**types.dump_arguments(arguments), **(more or {})}
        return self._process.call(name, given, seconds=self._seconds, asks=asks, patience=self.patience)


class IsolatedSource(_Isolated, Source[Any]):
    """Yield what a source yields in its process; a position travels with what was read up to it."""

    usual = 60.0

    def __init__(self, process: Supervised, terms: Terms, limits: Limits) -> None:
        super().__init__(process, terms, limits)
        self.resumes = terms.resumes  # type: ignore[misc]  # of the class elsewhere, of this one process here

    @property
    def checks_senders(self) -> bool:
        return self.terms.checks_senders

    def places(self) -> Sequence[Path]:
        return [Path(place) for place in self.terms.places]

    def absent(self) -> Sequence[str]:
        return self.terms.absent

    def claims(self) -> Sequence[Claim]:
        return self.terms.claims

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        given = {"positions": dict(positions)}
        for header, body in self._process.follow("source", given, seconds=self._seconds):
            if "signal" in header:
                yield _signal(header["signal"], body)

    def committed(self, stream: str, position: Position) -> None:
        self._process.tell({"committed": [stream, dict(position)]})


def _signal(said: Json, body: bytes) -> Signal:
    if "event" in said:
        event: Event = load(Event, said["event"])
        return event
    batch: LogBatch = load(LogBatch, said)
    return replace(batch, data=body)


class IsolatedDetector(_Isolated, LogDetector[Any]):
    """Let a detector cut and detect in its process; only lines it is triggered by go there."""

    usual = 10.0

    def __init__(self, process: Supervised, terms: Terms, limits: Limits) -> None:
        super().__init__(process, terms, limits)
        self.triggers = terms.triggers
        self.rank = "trace" if terms.is_trace else "line"  # type: ignore[misc]
        self.reads_numbers = terms.reads_numbers  # type: ignore[misc]

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        if not self.terms.cuts:
            return Span(hit, hit + 1)
        sent = {"lines": _sent(lines, 0, hit + _AT_ONCE), "hit": hit}
        asks = {"lines": lambda start: _sent(lines, start, start + 8 * _AT_ONCE)}
        said = self._process.call("cut", sent, seconds=self._seconds, asks=asks)
        if said is None:
            return None
        if "end" in said:
            return Span(int(said["start"]), int(said["end"]), bool(said["is_record"]))
        return More(int(said["start"]))

    def detect(self, block: Block) -> list[Event]:
        return list(load(list[Event], self._hook("detect", block=block)))


def _sent(lines: Lines, start: int, end: int) -> dict[str, Json]:
    texts: list[str] = []
    while start + len(texts) < end and (text := lines.get(start + len(texts))) is not None:
        texts.append(text)
    is_whole = start + len(texts) < end
    return {"lines": texts, "whole": is_whole, "final": lines.final, "capped": lines.capped}


class IsolatedAnalyzer(_Isolated, Analyzer[Any]):
    """Let an analyzer explain in its process; budgets, look-ups and check-outs stay with the host."""

    usual = 3600.0

    def __init__(self, process: Supervised, terms: Terms, limits: Limits) -> None:
        super().__init__(process, terms, limits)
        self.is_agent = terms.is_agent  # type: ignore[misc]
        self.is_offline = terms.is_offline  # type: ignore[misc]

    def analyze(self, incident: Incident, evidence: Sequence[Evidence]) -> Analysis | None:
        explorer, check_out = self.context.explorer, self.context.check_out
        tools = None if explorer is None else [dump(Tool, tool) for tool in explorer.tools]
        looking = {
            "tools": tools,
            "left": 0 if explorer is None else explorer.left,
            "has_files": check_out is not None,
        }
        with _answers(self.context) as asks:
            said = self._hook("analyze", asks, {"explorer": looking}, incident=incident, evidence=evidence)
        found: Analysis | None = load(Analysis | None, said)
        return found

    def estimate(self, incident: Incident, evidence: Sequence[Evidence]) -> Usage | None:
        said = self._hook("estimate", incident=incident, evidence=evidence)
        found: Usage | None = load(Usage | None, said)
        return found


@contextmanager
def _answers(context: Context) -> Iterator[Mapping[str, Ask]]:
    """Yield how the host answers what an analyzer asks for."""
    explorer, check_out = context.explorer, context.check_out
    taken: dict[str, Any] = {}  # Any: check-outs, as the host has them
    spendings: list[tuple[ExitStack, Any]] = []

    def explore(name: str, arguments: Json) -> Json:
        if explorer is None:
            raise UserError("there is nothing to look up here")
        text = explorer.call(name, arguments)
        return {"text": text, "left": explorer.left, "found": dump(list[Evidence], explorer.found)}

    def put(path: str) -> Json:
        if check_out is None:
            raise UserError("there is nothing to check out here")
        checkout = check_out(Path(path))
        taken[str(checkout.path)] = checkout
        return str(checkout.path)

    def edits(path: str) -> Json:
        if path not in taken:
            raise UserError(f"{path}: nothing was checked out there")
        return dump(tuple[Edit, ...], taken[path].edits())

    def spend(at_most: Json) -> Json:
        stack = ExitStack()
        spending = stack.enter_context(context.spending(load(AtMost, at_most)))
        spendings.append((stack, spending))
        return spending.said

    def settle(usage: Json, said: Json) -> Json:
        spendings[-1][1].settle(load(Usage | None, usage), said)
        return None

    def spent() -> Json:
        spendings.pop()[0].close()
        return None

    try:
        yield {
            "explore": explore,
            "check_out": put,
            "edits": edits,
            "spend": spend,
            "settle": settle,
            "spent": spent,
        }
    finally:
        for stack, _ in spendings:  # what did not end counts at its most
            stack.close()


class IsolatedAction(_Isolated, Action[Any]):
    """Let an action plan and act in its process; what it did is recorded here, as it happens."""

    usual = 3600.0

    def __init__(self, process: Supervised, terms: Terms, limits: Limits) -> None:
        super().__init__(process, terms, limits)
        self.patience = _PATIENCE if self.context.once else 0.0
        self.reaches = terms.reaches  # type: ignore[misc]

    def plan(self, incident: Incident, analysis: Analysis, change: Change | None) -> Plan | None:
        found: Plan | None = load(
            Plan | None, self._hook("plan", incident=incident, analysis=analysis, change=change)
        )
        return found

    def act(self, plan: Plan) -> Outcome:
        with _recorded(self.context) as asks:
            found: Outcome = load(Outcome, self._hook("act", asks, plan=plan))
        return found

    def follow(self, outcome: Outcome) -> Outcome | None:
        with _recorded(self.context) as asks:
            found: Outcome | None = load(Outcome | None, self._hook("follow", asks, outcome=outcome))
        return found

    def remark(self, outcome: Outcome, about: str, text: str) -> None:
        with _recorded(self.context) as asks:
            self._hook("remark", asks, outcome=outcome, about=about, text=text)


@contextmanager
def _recorded(context: Context) -> Iterator[Mapping[str, Ask]]:
    """Yield how effects are recorded; one that is open when the process dies is uncertain from then on."""
    begun: list[tuple[ExitStack, Any]] = []

    def effect(name: str, key: str) -> Json:
        stack = ExitStack()
        found = stack.enter_context(context.step(name, key))
        begun.append((stack, found))
        return {"result": found.result, "is_uncertain": found.is_uncertain}

    def effect_over(result: Json, failed: bool) -> Json:
        stack, found = begun.pop()
        if failed:
            _break_off(stack)
        else:
            found.result = result
            stack.close()
        return None

    try:
        yield {"effect": effect, "effect_over": effect_over}
    finally:
        while begun:
            _break_off(begun.pop()[0])


def _break_off(stack: ExitStack) -> None:
    """Let what records an effect know that its end was not reported."""
    with suppress(PluginBroken), stack:
        raise PluginBroken("the effect was not reported")


class IsolatedNotifier(_Isolated, Notifier[Any]):
    """Let a notifier tell people from its process."""

    usual = 75.0

    def __init__(self, process: Supervised, terms: Terms, limits: Limits) -> None:
        super().__init__(process, terms, limits)
        if limits.time is None and terms.timeout is not None:
            self._seconds = terms.timeout + 15.0
        self.attempts = terms.attempts  # type: ignore[misc]
        self.retry_after = terms.retry_after  # type: ignore[misc]
        self.takes_digests = terms.takes_digests  # type: ignore[misc]

    def notify(self, report: Report) -> Receipt:
        served = dump(dict[str, RecipientResult], dict(self.context.served))
        found: Receipt = load(Receipt, self._hook("notify", None, {"served": served}, report=report))
        return found


STAND_INS: Mapping[str, type[_Isolated]] = {
    "sources": IsolatedSource,
    "detectors": IsolatedDetector,
    "analyzers": IsolatedAnalyzer,
    "actions": IsolatedAction,
    "notifiers": IsolatedNotifier,
}
