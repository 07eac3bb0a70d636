"""May a fix be tried at all?"""

from __future__ import annotations

from aiops_core.records import Analysis, Decision
from aiops_core.settings import PipelineConfig


def may_repair(analysis: Analysis, config: PipelineConfig) -> Decision | None:
    """Return why no fix is tried, None when one may be."""
    if not analysis.edits:
        return Decision("no-edits", "no fix: the analysis proposes no change of code")
    if config.repository is None:
        return Decision("no-repository", "no fix: the pipeline names no repository", setting="repository")
    if analysis.confidence < config.policy.min_confidence:
        return Decision(
            "confidence",
            f"no fix: the analysis is {analysis.confidence:.0%} sure, {config.policy.min_confidence:.0%} is asked for",
            setting="policy.min_confidence",
        )
    return None
