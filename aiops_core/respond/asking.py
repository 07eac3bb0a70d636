"""The ladder of analyzers: every step down, from a full answer to the raw error, is put on record."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.analysis import borrowed, evidence_hash, unanswered
from aiops_core.component import Analyzer
from aiops_core.errors import AiopsError, NoAnswer, Refused, Retry, is_interrupt
from aiops_core.handover import handed_over, told
from aiops_core.policy import may_ask_agent
from aiops_core.records import Analysis, Decision, Evidence
from aiops_core.repository import Mirror
from aiops_core.respond.run import Postponed, Run
from aiops_core.respond.spending import OutOfBudget, purse
from aiops_core.respond.triage import gate_of
from aiops_core.step import Step
from aiops_core.tracing import Noted, span

if TYPE_CHECKING:
    from aiops_core.analysis import RepositoryExplorer
    from aiops_core.repair import Checkout

_LATER = 60.0
"""Seconds until a model that may be back is asked again, where nothing says when."""
_TURN = timedelta(minutes=1)
"""When a run looks for a turn that nobody called."""


class Misses(Struct):
    """Why the analyzers so far gave no answer, and after how many seconds some of them may."""

    reasons: list[str] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    money: list[datetime] = field(default_factory=list)
    """When some of them may be paid for again."""


def analyze(run: Run, evidence: Sequence[Evidence]) -> Analysis:
    """Ask the ladder; the first that can answer does. Raise Postponed where one may answer later."""
    misses = Misses()
    steps = run.pipeline.of_kind("analyzers")
    for step in steps:
        if decision := _may_not_ask(run, step):
            run.decide(decision)
            misses.reasons.append(decision.text)
            continue
        analysis = _used_again(run, step, evidence)
        if analysis is None and (storm := _left_out(run, step)):
            run.decide(storm)
            misses.reasons.append(storm.text)
            continue
        analysis = analysis or ask(run, step, evidence, misses)
        if analysis is not None:
            _tell_of_step_down(run, step, misses)
            return analysis
    if not steps:
        misses.reasons.append("the pipeline has no analyzers")
    if misses.later and run.may_wait:
        text = f"the analysis follows when it can be made: {'; '.join(misses.reasons)}"
        until = run.desk.clock() + timedelta(seconds=max(min(misses.later), 5.0))
        raise Postponed(Decision("postponed", text, setting="policy.tell_within"), until)
    if misses.money and run.may_wait:
        until = min(misses.money)
        text = f"the analysis follows when the budget allows it, at {until:%Y-%m-%d %H:%M} UTC or when it is raised"
        raise Postponed(
            Decision("postponed", f"{text}: {'; '.join(misses.reasons)}", setting="policy.budget"),
            until,
            wait_for="budget",
        )
    return without_model(run, misses.reasons)


def without_model(run: Run, reasons: Sequence[str]) -> Analysis:
    """Return what people are told without an answer: that of a near-identical incident, else the error."""
    language = run.pipeline.config.language
    for likeness, incident_id, title in run.desk.store.merging.near(run.incident, limit=3, answered=True):
        found = run.desk.store.incidents.answer(incident_id)
        if found is not None:
            text = f"the answer for incident {incident_id} ({title}) is shown, {likeness:.0%} alike: {'; '.join(reasons)}"
            run.decide(Decision("similar", run.redacted_text(text), setting="analyzers"))
            return run.redacted(borrowed(found, incident_id, likeness, reasons, language=language))
    text = "no analyzer could answer: " + "; ".join(reasons)
    run.decide(Decision("unanswered", text, setting="analyzers"))
    return unanswered(run.incident, reasons, language=language)


def ask(
    run: Run, step: Step, evidence: Sequence[Evidence], misses: Misses, part: str = ""
) -> Analysis | None:
    """Ask one analyzer, in its turn where a model is asked; note why there is no answer.

    ``part`` names a round of the repair, which waits for its turn here; "" is the first question.
    """
    if cast("Analyzer[Any]", step.component).is_offline:
        return _ask(run, step, evidence, misses, part)
    with run.desk.turns.taken(patiently=bool(part)) as is_turn:
        if not is_turn:
            text = "waits for its turn: as many incidents are being analysed as may be"
            until = run.desk.clock() + _TURN
            raise Postponed(Decision("turn", text, setting="analyses"), until, wait_for="turn")
        return _ask(run, step, evidence, misses, part)


def ask_again(
    run: Run, evidence: Sequence[Evidence], analysis: Analysis, refusal: Refused, part: str
) -> Analysis | None:
    """Ask the analyzer that proposed edits for others, None without an answer."""
    step = run.pipeline.step("analyzers", analysis.analyzer)
    if step is None:
        return None
    note = Evidence(
        kind="refusal",
        title="the proposed edits were refused",
        text=run.redacted_text(refusal),
        id=f"E{len(evidence) + 1}",
    )
    try:
        return ask(run, step, [*evidence, note], Misses(), part)
    except Postponed:
        return None


def _may_not_ask(run: Run, step: Step) -> Decision | None:
    if not cast("Analyzer[Any]", step.component).is_agent:
        return None
    return may_ask_agent(run.incident, step.name, run.reason, run.pipeline.config.policy)


def _left_out(run: Run, step: Step) -> Decision | None:
    """Return why a model is not asked in a storm; what asks no model is asked all the same."""
    gate = gate_of(run)
    return None if gate is None or cast("Analyzer[Any]", step.component).is_offline else gate.decision


def _used_again(run: Run, step: Step, evidence: Sequence[Evidence]) -> Analysis | None:
    """Return what this model found before from the same evidence, unless somebody wants it asked."""
    within = run.pipeline.config.policy.reuse_within
    if run.reason in ("retry", "review") or cast("Analyzer[Any]", step.component).is_offline or not within:
        return None
    key, since = evidence_hash(evidence), run.desk.clock() - within
    found = run.runs.answered_before(run.incident.id, step.name, key, since)
    if found is None or any(
        one.data.get("state") == "merged" for one in run.runs.outcomes(found[0]).values()
    ):
        return None
    before, analysis = found
    done = "; ".join(outcome.summary for outcome in run.runs.outcomes(before).values())
    text = f"the analysis of run {before} is used again, since the evidence is the same"
    text += f". What came of it: {done}" if done else ""
    run.decide(Decision("reused", run.redacted_text(text), setting="policy.reuse_within"))
    analysis = replace(analysis, usage=None)
    run.save(partial(run.runs.save_analysis, run.id, analysis))
    return analysis


def _tell_of_step_down(run: Run, step: Step, misses: Misses) -> None:
    if misses.reasons:
        text = f"{step.name} answers in place of those before it: {'; '.join(misses.reasons)}"
        run.decide(Decision("ladder", run.redacted_text(text), setting="analyzers"))


def _trace_usage(told: Noted, analysis: Analysis | None) -> None:
    """Put on the span what OpenTelemetry's conventions for generative models ask for; never what was said."""
    if analysis is None or (usage := analysis.usage) is None:
        return
    told.set_attribute("gen_ai.response.model", usage.model)
    told.set_attribute("gen_ai.usage.input_tokens", usage.input_tokens)
    told.set_attribute("gen_ai.usage.output_tokens", usage.output_tokens)
    told.set_attribute("gen_ai.usage.cache_read.input_tokens", usage.cache_read_tokens)
    if usage.cost is not None:
        told.set_attribute("aiops.cost_usd", usage.cost)


def _ask(run: Run, step: Step, evidence: Sequence[Evidence], misses: Misses, part: str) -> Analysis | None:
    explorer = _explorer(run)
    try:
        with (
            span(
                f"chat {step.name}", {"gen_ai.operation.name": "chat", "gen_ai.provider.name": step.uses}
            ) as told,
            step.component.context.exploring(explorer, _checkout(run), purse(run, step.name, part)),
        ):
            result = step.call("analyze", incident=run.incident, evidence=list(evidence))
            analysis = handed_over("analyze", result, Analysis)
            _trace_usage(told, analysis)
    except BaseException as error:
        if is_interrupt(error) or isinstance(error, Postponed):
            raise
        _missed(run, step, error, misses)
        return None
    finally:
        if explorer is not None:
            run.looked_up.extend(explorer.found)
    if analysis is None:
        misses.reasons.append(f"{step.name}: no answer")
        return None
    confidence = min(max(analysis.confidence, 0.0), 1.0) if math.isfinite(analysis.confidence) else 0.0
    analysis = replace(analysis, analyzer=analysis.analyzer or step.name, confidence=confidence)
    analysis = run.redacted(analysis)
    run.save(partial(run.runs.save_analysis, run.id, analysis, evidence_hash(evidence)))
    return analysis


def _missed(run: Run, step: Step, error: BaseException, misses: Misses) -> None:
    """Note why an analyzer gave no answer, and tell people where it failed."""
    said = f": {error}" if isinstance(error, AiopsError) else told(error)
    text = run.redacted_text(f"{step.name}{said}")
    misses.reasons.append(text)
    if isinstance(error, NoAnswer):
        reason = text.partition(": ")[2]
        nothing = Analysis(
            run.incident.title, f"no answer: {reason}", "", analyzer=step.name, usage=error.usage
        )
        run.save(partial(run.runs.save_analysis, run.id, nothing))
        return
    if isinstance(error, Refused):
        run.decide(Decision(error.rule, text, setting=error.setting))
        if isinstance(error, OutOfBudget) and error.until is not None:
            misses.money.append(error.until)
        return
    if isinstance(error, Retry):
        misses.later.append(0.0 if step.component.context.stopping.is_set() else error.after or _LATER)
    run.fault(f"analyzer {step.name}: {type(error).__name__}", f"analyzer {text}")


def _checkout(run: Run) -> Callable[[Path], Checkout] | None:
    """Return how an agent gets the files of the run's commit, None without a repository."""
    try:
        mirror = run.mirror()
    except AiopsError:
        return None  # told when the evidence was gathered
    return None if mirror is None else partial(_checked_out, run, mirror)


def _checked_out(run: Run, mirror: Mirror, path: Path) -> Checkout:
    from aiops_core.repair import Checkout

    run.make_room()
    return Checkout(mirror, run.commit, partial(run.desk.redactor.redact, code=True), path)


def _explorer(run: Run) -> RepositoryExplorer | None:
    """Return what a model may look up at the commit to be fixed, less what it was shown before."""
    if not run.commit:
        return None
    known = [*run.runs.evidence(run.id), *run.looked_up]
    shown = sum(item.id.startswith("X") for item in known)
    left = run.pipeline.config.policy.max_lookups - shown
    if left <= 0:
        return None
    try:
        mirror = run.mirror()
    except AiopsError:
        return None  # told when the evidence was gathered
    if mirror is None:
        return None
    from aiops_core.analysis import RepositoryExplorer

    return RepositoryExplorer(mirror, run.commit, run.redacted, calls=left, first=shown + 1)
