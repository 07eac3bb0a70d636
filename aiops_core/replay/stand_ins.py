"""What takes the place of components that would ask a model, write to a forge or tell people."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.budget import AtMost
from aiops_core.catalogue import Catalogue
from aiops_core.component import Action, Analyzer, Notifier
from aiops_core.context import Context
from aiops_core.host import make_component
from aiops_core.pipeline import Pipeline
from aiops_core.records import Analysis, Change, Evidence, Incident, Outcome, Plan, Receipt, Report, Usage
from aiops_core.step import Step

SKIPPED = "Not asked: this is a replay."
Clock = Callable[[], datetime]


class Sent(Struct, frozen=True):
    """One message that people would have got."""

    at: datetime
    pipeline: str
    to: str
    report: Report


class _Asked(Analyzer):
    """Answer from a cassette; without a fitting answer say what asking the model would have taken."""

    def __init__(self, model: Analyzer[Any], cassette: Analyzer[Any] | None) -> None:
        super().__init__(context=model.context)
        self._model = model
        self._cassette = cassette

    def analyze(self, incident: Incident, evidence: Sequence[Evidence]) -> Analysis | None:
        usage = self._model.estimate(incident, evidence) or Usage()
        tokens = usage.input_tokens + usage.output_tokens
        with self.context.spending(AtMost(usage.model, tokens or None, usage.cost)) as spending:
            spending.settle(usage)  # budgets hold in a replay, too
        recorded = self._cassette.analyze(incident, evidence) if self._cassette is not None else None
        if recorded is None:
            return Analysis(incident.title, SKIPPED, "", provable=False, usage=usage)
        return replace(recorded, usage=usage)


class _Planned(Action):
    """Plan as the action does, and do nothing."""

    def __init__(self, action: Action[Any]) -> None:
        super().__init__(context=action.context)
        self._action = action
        self.reaches = action.reaches  # type: ignore[misc]  # of this instance alone

    def plan(self, incident: Incident, analysis: Analysis, change: Change | None) -> Plan | None:
        return self._action.plan(incident, analysis, change)

    def act(self, plan: Plan) -> Outcome:
        return Outcome("done", plan.title, final=False)  # open, as long as the replay lasts


class _Heard(Notifier):
    """Note what would have been sent."""

    def __init__(self, notifier: Notifier[Any], sent: list[Sent]) -> None:
        super().__init__(context=notifier.context)
        self._sent = sent

    def notify(self, report: Report) -> Receipt:
        context = self.context
        self._sent.append(Sent(context.clock(), context.pipeline, context.name, report))
        return Receipt()


def harmless(pipeline: Pipeline, clock: Clock, cassette: Path | None, sent: list[Sent]) -> Pipeline:
    """Return the pipeline with nothing in it that reaches outside; what observes it is left out."""
    steps = []
    for step in pipeline.steps:
        if step.kind == "extensions":
            continue
        step.component.context.clock = clock
        component = _stand_in(step, cassette, sent)
        if component is step.component and step.kind == "analyzers":
            component.start()
        steps.append(Step(step.kind, step.name, step.uses, component, step.mode))
    return Pipeline(pipeline.name, pipeline.config, steps)


def _stand_in(step: Step, cassette: Path | None, sent: list[Sent]) -> Any:  # Any: a component of its kind
    component = step.component
    if isinstance(component, Analyzer) and not component.is_offline:
        return _Asked(component, _recorded(cassette, component.context) if cassette else None)
    if isinstance(component, Action):
        return _Planned(component)
    if isinstance(component, Notifier):
        return _Heard(component, sent)
    return component


def _recorded(cassette: Path, context: Context) -> Analyzer[Any]:
    kind = Catalogue().load("analyzers", "recorded", Path.cwd())
    config = kind.config_type.model_validate({"path": str(cassette.resolve())})
    own = Context(name=context.name, language=context.language, logger=logging.getLogger("aiops.replay"))
    component = make_component(kind, config, own)
    component.start()
    if not isinstance(component, Analyzer):
        raise AssertionError("'recorded' is an analyzer")
    return component
