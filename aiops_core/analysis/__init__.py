"""From an incident to an analysis: evidence, the prompt, and what counts as an answer.

Names are loaded on first use: a run without analyzers starts without most of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops_core.importing import exported

if TYPE_CHECKING:
    from aiops_core.analysis.answer import AnalysisAnswer, parse_answer
    from aiops_core.analysis.budget import CUT
    from aiops_core.analysis.code import SEVERAL_FILES, UNKNOWN_RELEASE
    from aiops_core.analysis.code_blocks import AnswerInvalid
    from aiops_core.analysis.evidence import Precedent, evidence_hash, gather
    from aiops_core.analysis.explore import RepositoryExplorer
    from aiops_core.analysis.matching import IncidentMatch
    from aiops_core.analysis.no_answer import borrowed, unanswered
    from aiops_core.analysis.outbound import redact_record
    from aiops_core.analysis.prompt import Prompt, build_prompt
    from aiops_core.analysis.review import review_evidence
    from aiops_core.analysis.written import Entry, read_entries

__all__ = [
    "CUT",
    "SEVERAL_FILES",
    "UNKNOWN_RELEASE",
    "AnalysisAnswer",
    "AnswerInvalid",
    "Entry",
    "IncidentMatch",
    "Precedent",
    "Prompt",
    "RepositoryExplorer",
    "borrowed",
    "build_prompt",
    "evidence_hash",
    "gather",
    "parse_answer",
    "read_entries",
    "redact_record",
    "review_evidence",
    "unanswered",
]

_WHERE = {
    "AnalysisAnswer": "analysis.answer",
    "AnswerInvalid": "analysis.code_blocks",
    "CUT": "analysis.budget",
    "Entry": "analysis.written",
    "IncidentMatch": "analysis.matching",
    "Precedent": "analysis.evidence",
    "Prompt": "analysis.prompt",
    "RepositoryExplorer": "analysis.explore",
    "SEVERAL_FILES": "analysis.code",
    "UNKNOWN_RELEASE": "analysis.code",
    "borrowed": "analysis.no_answer",
    "build_prompt": "analysis.prompt",
    "evidence_hash": "analysis.evidence",
    "gather": "analysis.evidence",
    "parse_answer": "analysis.answer",
    "read_entries": "analysis.written",
    "redact_record": "analysis.outbound",
    "review_evidence": "analysis.review",
    "unanswered": "analysis.no_answer",
}


def __getattr__(name: str) -> Any:  # Any: a module's attributes are of any type
    return exported(__name__, name, _WHERE)
