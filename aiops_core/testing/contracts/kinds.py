"""What is asked of the components of one kind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from aiops_core.errors import AiopsError, NoAnswer
from aiops_core.host import HOOKS
from aiops_core.records import Analysis, Event, LogBatch, Outcome, Plan, Position, Receipt, Signal
from aiops_core.testing import samples
from aiops_core.testing.contracts.bench import Trial, usual
from aiops_core.testing.contracts.work import read
from aiops_core.testing.detecting import Found, find
from aiops_core.testing.forge_scene import FileEffects
from aiops_core.text.blocks import Grammar

_STRANGE: tuple[Position, ...] = ({}, {"odd": [1, None]}, {"offset": -1}, {"offset": "x"})


# -- sources


def what_it_yields_fits_together(trial: Trial) -> None:
    """Batches of a stream follow each other with ascending marks and positions of JSON; gaps say that bytes were skipped."""
    with trial.started() as source:
        signals = [one.signal for one in read(trial, source)]
    if not signals:
        trial.fail("yielded nothing. Give the contract a bench on which there is something to read")
    ends: dict[str, int] = {}
    for signal in signals:
        if isinstance(signal, LogBatch):
            _check_batch(trial, signal)
            if signal.offset < ends.get(signal.stream, signal.offset):
                trial.fail(
                    f"a batch starts at {signal.offset}, the one before ended at {ends[signal.stream]}. "
                    "offset is where data[0] stands in the stream"
                )
            ends[signal.stream] = signal.offset + len(signal.data)
        elif not isinstance(signal, Event):
            trial.fail(f"yielded {type(signal).__name__}. Yield LogBatch or Event")


def _check_batch(trial: Trial, batch: LogBatch) -> None:
    places = [at for at, _ in batch.marks]
    if not places or places[0] != 0 or places[-1] != len(batch.data) or places != sorted(places):
        trial.fail(
            f"marks at {places} of {len(batch.data)} bytes. The first is at 0, the last at the end, ascending"
        )
    try:
        json.dumps([position for _, position in batch.marks])
    except (TypeError, ValueError) as error:
        trial.fail(f"a position is no JSON: {error}. Use text, numbers, lists and mappings")
    if batch.data and not batch.ended and not batch.data.endswith(b"\n"):
        trial.fail("a batch ends in mid-line. Hold back the last line until it is whole, or end the stream")


def its_positions_resume(trial: Trial) -> None:
    """What it yields from a position is what came after it: nothing left out, nothing twice.

    Not asked of a source that is sent things: they would be sent again.
    """
    with trial.started() as source:
        if not source.resumes or trial.is_fed:
            return
        yielded = read(trial, source)
    batches = [(one.signal, one.state) for one in yielded if isinstance(one.signal, LogBatch)]
    whole = _by_stream(batch for batch, _ in batches)
    ends = {batch.stream: batch.end for batch, _ in batches}
    seen = dict.fromkeys(whole, 0)
    for batch, state in batches:
        seen[batch.stream] += len(batch.data)
        left = whole[batch.stream][seen[batch.stream] :]
        with trial.started() as source:
            source.context.state.update(state)
            again = read(trial, source, {**ends, batch.stream: batch.end})
        rest = _by_stream(one.signal for one in again).get(batch.stream, b"")
        if rest != left:
            trial.fail(
                f"from {batch.end} it yields {len(rest)} bytes, {rest[:40]!r}…; "
                f"not committed were {len(left)}, {left[:40]!r}…. Start at the position"
            )


def _by_stream(signals: Iterable[Signal]) -> dict[str, bytes]:
    whole: dict[str, bytes] = {}
    for signal in signals:
        if isinstance(signal, LogBatch):
            whole[signal.stream] = whole.get(signal.stream, b"") + signal.data
    return whole


def strange_positions_do_not_break_it(trial: Trial) -> None:
    """A position it never wrote, from a damaged or older state, raises no foreign exception."""
    with trial.started() as source:
        streams = {one.signal.stream for one in read(trial, source)}
    for position in _STRANGE:
        with trial.started() as source:
            try:
                read(trial, source, dict.fromkeys([*streams, "nobody's"], position))
            except AiopsError:
                pass
            except AssertionError:
                raise
            except Exception as error:  # noqa: BLE001 - told as the author's own mistake
                trial.fail(f"position {position} made it raise {error!r}. Begin anew, and say so in the log")


# -- detectors


def it_finds_what_is_there(trial: Trial) -> None:
    """Every good sample holds at least one event, with a type."""
    if not trial.good:
        trial.fail("no good=[…]. Give lines as they are logged in which it finds something")
    with trial.started() as detector:
        grammar = Grammar([detector])
        for text in trial.good:
            found = find(detector, text=text, grammar=grammar)
            if not found:
                trial.fail(f"found nothing in {text[:200]!r}. Are its triggers in one line of it?")
            if not all(one.event.type for one in found):
                trial.fail("an event without a type. Name the kind of error: incidents are made by it")


def it_finds_nothing_where_nothing_is(trial: Trial) -> None:
    """No bad sample holds an event."""
    with trial.started() as detector:
        grammar = Grammar([detector])
        for text in trial.bad:
            for one in find(detector, text=text, grammar=grammar)[:1]:
                trial.fail(f"found {one.event.type!r} in {text[:200]!r}. Make its triggers narrower")


def it_finds_the_same_however_lines_arrive(trial: Trial) -> None:
    """Lines one by one give the same events as lines at once."""
    with trial.started() as detector:
        grammar = Grammar([detector])
        for text in (*trial.good, "".join(trial.good)):
            at_once, one_by_one = (
                [_told(one) for one in find(detector, text=text, step=step, grammar=grammar)]
                for step in (0, 1)
            )
            if at_once != one_by_one:
                trial.fail(
                    f"lines at once give {at_once}, one by one {one_by_one}. "
                    "cut() returns More until it knows the end"
                )


def _told(one: Found) -> tuple[str, str, int, int]:
    return one.event.type, one.event.message, one.start, one.end


# -- analyzers


def its_answer_holds(trial: Trial) -> None:
    """It answers with an Analysis, None or NoAnswer, sure between 0 and 1, citing what it was given."""
    material = usual(trial.bench)
    with trial.started() as analyzer:
        try:
            answer = analyzer.analyze(material.incident, material.evidence)
        except NoAnswer:
            return
    if answer is None:
        return
    if not isinstance(answer, Analysis):
        trial.fail(f"returned {type(answer).__name__}. Return an Analysis, or None to pass")
    if not 0 <= answer.confidence <= 1:
        trial.fail(f"is {answer.confidence} sure. confidence is between 0 and 1")
    known = {item.id for item in material.evidence}
    if strange := set(answer.cited) - known:
        trial.fail(f"cites {sorted(strange)}, which it was not given. Cite ids of the evidence")


# -- actions


def _plan(trial: Trial, action: Any) -> Plan:  # Any: an action of any config
    material = usual(trial.bench)
    plan = action.plan(material.incident, material.analysis, material.change)
    if plan is None:
        trial.fail("planned nothing on this bench. Give it a change, or whatever it acts on")
    if not isinstance(plan, Plan):
        trial.fail(f"plan() returned {type(plan).__name__}. Return a Plan, or None")
    assert isinstance(plan, Plan)
    return plan


def _act(trial: Trial, action: Any, plan: Plan) -> None:  # Any: an action of any config
    outcome = action.act(plan)
    if not isinstance(outcome, Outcome):
        trial.fail(f"act() returned {type(outcome).__name__}. Return an Outcome")


def planning_touches_nothing(trial: Trial) -> None:
    """A plan changes nothing outside, and the same incident has the same plan."""
    before = trial.bench.reached()
    with trial.started() as action:
        first, again = _plan(trial, action), _plan(trial, action)
    if trial.bench.reached() != before:
        trial.fail("plan() changed the world outside. A dry run is plan() alone: act in act()")
    if first.hash != again.hash:
        trial.fail(
            "planned twice, the plans differ. Approvals are bound to a plan: leave time and chance out"
        )


def acting_twice_has_one_effect(trial: Trial) -> None:
    """A plan carried out again, as after a crash, does nothing more."""
    context = trial.context()
    with trial.started(context) as action:
        plan, untouched = _plan(trial, action), trial.bench.reached()
        _act(trial, action, plan)
        once = trial.bench.reached()
    if once == untouched:
        trial.fail("act() reached nothing that the bench's reached() shows. Let it show what acting changes")
    with trial.started(replace(trial.context(), effects=context.effects)) as action:
        _act(trial, action, plan)
    if trial.bench.reached() != once:
        trial.fail("acting again had another effect. Do it inside 'with self.context.step(name, key)'")


def a_crash_doubles_nothing(trial: Trial) -> None:
    """An effect that was made and never recorded is not made again, whichever it is."""
    context = trial.context()
    dies = _DiesOnceAtEach()
    context.effects = FileEffects(context.scratch / "effects.json", dies)
    with trial.started(context) as action:
        plan = _plan(trial, action)
    before = trial.bench.reached()
    while dies.has_died:
        dies.has_died = False
        before = trial.bench.reached()
        with trial.started(replace(trial.context(), effects=context.effects)) as action:
            try:
                _act(trial, action, plan)
            except _Crash:
                continue
    if dies.points and trial.bench.reached() != before:
        trial.fail("after a crash it had another effect. Look first where effect.is_uncertain is set")


class _Crash(BaseException):
    """Be the end of a process."""


class _DiesOnceAtEach:
    """End the process after each effect, before it is recorded; once each."""

    def __init__(self) -> None:
        self.points: set[str] = set()
        self.has_died = True

    def __call__(self, point: str) -> None:
        if point.endswith("done") and point not in self.points:
            self.points.add(point)
            self.has_died = True
            raise _Crash


# -- notifiers


def it_tells_of_incidents_and_faults(trial: Trial) -> None:
    """It takes both kinds of report, in both languages, and returns a Receipt."""
    reports = (samples.report(), samples.report(language="zh"), samples.fault(), samples.report(change=None))
    for report in reports:
        with trial.started() as notifier:
            receipt = notifier.notify(report)
            if not isinstance(receipt, Receipt):
                trial.fail(f"notify() returned {type(receipt).__name__}. Return a Receipt")


# -- extensions


def it_has_a_hook(trial: Trial) -> None:
    """It defines at least one hook of extensions."""
    if not any(hasattr(trial.component, name) for name in HOOKS["extensions"]):
        trial.fail(f"defines no hook. An extension has one of {', '.join(sorted(HOOKS['extensions']))}")
