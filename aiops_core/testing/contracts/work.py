"""Let a component do its work once, whatever its kind."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from aiops_core.component import Action, Analyzer, Component, Extension, LogDetector, Notifier, Source
from aiops_core.errors import AiopsError
from aiops_core.host import Host
from aiops_core.records import Block, Event, Json, LogBatch, Outcome, Position, Signal
from aiops_core.testing.contracts.bench import Material, Trial
from aiops_core.testing.detecting import find
from aiops_core.text.blocks import Grammar

_QUIET = 0.5
"""Seconds without a signal after which a source that goes on is told to stop."""
_GLANCE = 0.01
_PATIENCE = 20.0
_ENDS_WITHIN = 5.0
_LONG = 100_000
_PLACES = 12
_LINES = 6
_BEGINS = re.compile(r"\b|(?<=\D)(?=\d)|(?<=\d)(?=\D)")


def work(trial: Trial, component: Component[Any], material: Material) -> object:
    """Return what the component makes of the material; what it may raise by contract is swallowed."""
    for kind, act in _WORK.items():
        if isinstance(component, kind):
            try:
                return act(trial, component, material)
            except AiopsError as error:
                trial.said.append(str(error))
                return None
    return None


@dataclass(frozen=True, slots=True)
class Yielded:
    """A signal, and what the source kept when it was yielded: both are committed together."""

    signal: Signal
    state: Mapping[str, Json]


def read(
    trial: Trial,
    source: Source[Any],
    positions: Mapping[str, Position] | None = None,
    feed: Callable[[Source[Any]], None] | None = None,
) -> list[Yielded]:
    """Return what a source yields until it ends, or until it is quiet and told to end.

    ``feed`` takes the place of the bench's.
    """
    found: list[Yielded] = []
    raised: list[BaseException] = []
    given = deepcopy(dict(positions or {}))
    thread = threading.Thread(target=_read, args=(source, given, found, raised), daemon=True)
    thread.start()
    (feed or trial.bench.feed)(source)
    _wait(thread, found, trial.bench.last)
    source.context.stopping.set()
    thread.join(_ENDS_WITHIN)
    if thread.is_alive():
        trial.fail(
            f"source() goes on {_ENDS_WITHIN:g} s after context.stopping was set. Look at it each second"
        )
    if raised:
        raise raised[0]
    if given != dict(positions or {}):
        trial.fail("changed the positions it was handed. Copy what you change")
    return found


def _wait(thread: threading.Thread, found: list[Yielded], last: bytes) -> None:
    until, count, quiet_from = time.monotonic() + _PATIENCE, 0, time.monotonic()
    while thread.is_alive() and time.monotonic() < until:
        thread.join(_GLANCE)
        if last and found and isinstance(batch := found[-1].signal, LogBatch) and batch.data.endswith(last):
            return
        if len(found) > count:
            count, quiet_from = len(found), time.monotonic()
        if count and time.monotonic() - quiet_from > _QUIET:
            return


def _read(
    source: Source[Any], positions: dict[str, Position], found: list[Yielded], raised: list[BaseException]
) -> None:
    try:
        for signal in source.source(positions) or ():
            found.append(Yielded(signal, deepcopy(source.context.state)))
            if isinstance(signal, LogBatch):
                source.committed(signal.stream, signal.end)
            if source.context.stopping.is_set():
                return
    except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
        raised.append(error)


def _read_with(trial: Trial, source: Source[Any], material: Material) -> object:
    """Read what the bench has; where the material is unwanted, with it in the files or sent as well."""
    if not material.is_unwanted:
        return read(trial, source)
    data = material.block.raw.encode("utf-8", "surrogateescape") + b"\n"
    send = trial.bench.send
    if send is not None and trial.is_fed:
        return read(trial, source, feed=lambda one: send(one, data))
    if send is not None:
        send(source, data)
        return read(trial, source)
    for path in trial.files:
        with path.open("ab") as file:
            file.write(data)
    return read(trial, source)


def _detect(trial: Trial, detector: LogDetector[Any], material: Material) -> object:
    """Look at the material, and at each good sample with the material within and after every line."""
    text, grammar = material.block.raw, Grammar([detector])
    looks: Any = detector if material.is_unwanted else _Watched(trial, detector)
    lines = [line for good in trial.good[:3] for line in good.splitlines(keepends=True)[:20]]
    texts = [text, *(line + text for line in lines)]
    texts += ["".join(texts[1:])] if len(text) < _LONG else []
    found_alone = [line for line in lines if find(looks, text=line, grammar=grammar)]
    texts += [torn for line in (found_alone or lines)[:_LINES] for torn in _with_inside(line, text)]
    return [one.event for one_text in texts for one in find(looks, text=one_text, grammar=grammar)]


class _Watched:
    """Be a detector that changes no block it is handed."""

    def __init__(self, trial: Trial, detector: LogDetector[Any]) -> None:
        self._trial = trial
        self._detector = detector

    def detect(self, block: Block) -> Event | list[Event] | None:
        """Look at a block."""
        with _unchanged(self._trial, block):
            return self._detector.detect(block)


def _with_inside(line: str, text: str) -> Iterator[str]:
    """Yield the line with a text at its end, and a short text at each place where a word or number begins."""
    words = line.rstrip("\r\n")
    yield f"{words}{text}\n"
    if len(text) < _LONG:
        for place in list(_BEGINS.finditer(words))[:_PLACES]:
            yield f"{words[: place.start()]}{text}{words[place.start() :]}\n"


def _extend(trial: Trial, extension: Extension[Any], material: Material) -> object:
    """Call every hook it has."""
    told: Mapping[str, Mapping[str, object]] = {
        "gather": {"incident": material.incident},
        "started": {"pipeline": "shop"},
        "events_recorded": {"events": list(material.incident.events)},
        "incident_changed": {"incident": material.incident, "before": ""},
        "step_finished": {"incident": material.incident, "step": "analyze", "state": "done"},
        "stopping": {"pipeline": "shop"},
    }
    host = Host()
    host.register(extension)
    return [getattr(host.hook, name)(**arguments) for name, arguments in told.items()]


def _analyze(trial: Trial, analyzer: Analyzer[Any], material: Material) -> object:
    estimate = analyzer.estimate(material.incident, material.evidence)
    return estimate, analyzer.analyze(material.incident, material.evidence)


def _plan_and_act(trial: Trial, action: Action[Any], material: Material) -> object:
    plan = action.plan(material.incident, material.analysis, material.change)
    if plan is None:
        return None
    with _unchanged(trial, plan):
        outcome = action.act(plan)
    if not isinstance(outcome, Outcome):
        return plan, outcome
    with _unchanged(trial, outcome):
        news = None if outcome.final else action.follow(outcome)
        if "state" in outcome.data:  # the host has something to say of a request only
            action.remark(outcome, "no-longer-seen", f"Not seen any more: {material.analysis.title}")
    return plan, outcome, news


@contextmanager
def _unchanged(trial: Trial, given: object) -> Iterator[None]:
    before = deepcopy(given)
    yield
    if given != before:
        trial.fail("changed what it was handed. Copy what you change: others see the same record")


_WORK: Mapping[type[Component[Any]], Callable[[Trial, Any, Material], object]] = {
    Source: _read_with,
    LogDetector: _detect,
    Analyzer: _analyze,
    Action: _plan_and_act,
    Notifier: lambda trial, notifier, material: notifier.notify(material.report),
    Extension: _extend,
}
