"""The sections that carry an analysis: cause, steps, code, prevention, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from aiops_core.records import Analysis, CodeSample, Evidence, Usage
from aiops_core.text.report.parts import (
    ReportPart,
    ReportSection,
    excerpt,
    facts,
    items,
    line,
    paragraph,
    section,
)
from aiops_core.text.report.words import Say

_SAMPLE_LINES, _SAMPLE_CHARACTERS = 120, 8_000
_MOST_SAMPLES = 5


def is_recorded(analysis: Analysis | None) -> bool:
    """Tell whether the answer was read from a file instead of being found out."""
    return analysis is not None and analysis.analyzer == "recorded"


def is_unanswered(analysis: Analysis | None) -> bool:
    """Tell whether no analyzer could answer."""
    return analysis is None or not analysis.is_answered


def explanation(analysis: Analysis, say: Say) -> Iterator[ReportSection]:
    """Yield what was found out, the most wanted first; empty sections are left out."""
    unanswered = is_unanswered(analysis)
    steps = "What to check" if unanswered else "Repair steps"
    kept = () if unanswered else analysis.code_samples[:_MOST_SAMPLES]  # the log says it all
    samples = (_sample(sample, say) for sample in kept)
    yield from section("Summary", paragraph(analysis.summary), say)
    yield from section("Root cause", paragraph(analysis.root_cause), say)
    yield from section(steps, items("steps", analysis.repair_steps, say), say)
    yield from section("Code", (sample for sample in samples if sample.text), say)
    yield from section("Prevention", items("list", analysis.prevention, say), say)


def trust(analysis: Analysis | None, evidence: Sequence[Evidence], say: Say) -> tuple[ReportSection, ...]:
    """Return how sure the answer is, what it cites, who gave it and what it cost."""
    confidence = analysis.confidence if analysis else 0.0
    value = min(max(confidence, 0.0), 1.0) if math.isfinite(confidence) else 0.0
    parts = [ReportPart("meter", f"{value:.0%}".replace("%", " %"), value=value)]
    if analysis is not None and not is_unanswered(analysis):
        if not analysis.provable:
            parts.append(ReportPart("notice", say("Not provable from this data.")))
        rows = [(say("Evidence"), _cited(analysis, evidence)), (say("Analyzer"), analysis.analyzer)]
        parts += facts(rows + _usage(analysis.usage, say))
    return section("Confidence", parts, say)


def _cited(analysis: Analysis, evidence: Sequence[Evidence]) -> str:
    """Name what is cited: its title where it is known, its id elsewhere."""
    titles = {item.id: f"{item.id} {line(item.title)}" for item in evidence}
    return ", ".join(titles.get(name, name) for name in analysis.cited)


def _sample(sample: CodeSample, say: Say) -> ReportPart:
    body = excerpt(sample.code, say, lines=_SAMPLE_LINES, characters=_SAMPLE_CHARACTERS)
    return ReportPart("code", body, label=line(sample.title))


def _usage(usage: Usage | None, say: Say) -> list[tuple[str, str]]:
    if usage is None:
        return []
    read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    tokens = say("{read} read, {written} written", read=read, written=usage.output_tokens)
    return [
        (say("Model"), usage.model),
        (say("Tokens"), tokens if read or usage.output_tokens else ""),
        (say("Cost"), "" if usage.cost is None else f"{usage.cost:.4f} USD"),
    ]
