"""May a fix be tried, and how far may it be taken?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from aiops_core.policy.infrastructure import infrastructure_cause
from aiops_core.records import STOP_LEVELS, Analysis, Change, Decision, Evidence, Incident, StopLevel
from aiops_core.settings import PipelineConfig
from aiops_core.text.phrases import counted


class Proposal(Struct, frozen=True):
    """What the gates look at: the analysis of an incident, and what it rests on."""

    incident: Incident
    evidence: Sequence[Evidence]
    analysis: Analysis


def may_repair(proposal: Proposal, config: PipelineConfig) -> Decision | None:
    """Return why no fix is tried, None when one may be."""
    return next((decision for gate in _GATES if (decision := gate(proposal, config))), None)


def may_publish(change: Change, name: str, reaches: StopLevel) -> Decision | None:
    """Return why an action that reaches so far is not planned, None when it may be."""
    if _rank(reaches) <= _rank(change.may_reach):
        return None
    text = f"{name}: not planned, it takes a fix to {reaches} and this one stops at {change.may_reach}"
    return Decision("stop-level", text, setting="policy.stop_at")


def nearer(one: StopLevel, other: StopLevel) -> StopLevel:
    """Return the level that stops earlier."""
    return min(one, other, key=_rank)


def _rank(level: StopLevel) -> int:
    return STOP_LEVELS.index(level)


def _edits(proposal: Proposal, config: PipelineConfig) -> Decision | None:
    if proposal.analysis.edits:
        return None
    if proposal.analysis.is_answered:
        return Decision("no-edits", "no fix: the analysis proposes no change of code")
    return Decision("no-edits", "no fix: nobody analysed the error", setting="analyzers")


def _repository(proposal: Proposal, config: PipelineConfig) -> Decision | None:
    if config.repository is not None:
        return None
    return Decision("no-repository", "no fix: the pipeline names no repository", setting="repository")


def _stop(proposal: Proposal, config: PipelineConfig) -> Decision | None:
    if config.policy.stop_at != "analyse":
        return None
    return Decision("stop-level", "no fix: the pipeline stops at analyse", setting="policy.stop_at")


def _infrastructure(proposal: Proposal, config: PipelineConfig) -> Decision | None:
    cause = infrastructure_cause(proposal.incident) if "infrastructure" in config.policy.abstain else ""
    if not cause:
        return None
    text = f"no fix: the cause is outside the code ({cause})"
    return Decision("infrastructure", text, setting="policy.abstain")


def _frame(proposal: Proposal, config: PipelineConfig) -> Decision | None:
    if "no-in-app-frame" not in config.policy.abstain or _is_located(proposal):
        return None
    text = "no fix: the stack has no line of the program itself"
    return Decision("no-in-app-frame", text, setting="policy.abstain")


def _is_located(proposal: Proposal) -> bool:
    """Whether a frame is the program's own: so says its detector, or the repository has its file."""
    events = proposal.incident.events[:1]
    frames = (frame for event in events for error in event.exceptions for frame in error.frames)
    return any(frame.in_app for frame in frames) or any(
        item.kind == "source" and item.path for item in proposal.evidence
    )


def _events(proposal: Proposal, config: PipelineConfig) -> Decision | None:
    count, wanted = proposal.incident.count, config.policy.min_events
    if count >= wanted:
        return None
    text = f"no fix yet: the incident has {counted(count, 'event')}, {wanted} are asked for"
    return Decision("too-few-events", text, setting="policy.min_events")


def _confidence(proposal: Proposal, config: PipelineConfig) -> Decision | None:
    sure, wanted = proposal.analysis.confidence, config.policy.min_confidence
    if sure >= wanted:
        return None
    text = f"no fix: the analysis is {sure:.0%} sure, {wanted:.0%} is asked for"
    return Decision("confidence", text, setting="policy.min_confidence")


_GATES: tuple[Callable[[Proposal, PipelineConfig], Decision | None], ...] = (
    _edits,
    _repository,
    _stop,
    _infrastructure,
    _frame,
    _confidence,
    _events,
)
