"""From an incident to an analysis: evidence, the prompt, and what counts as an answer."""

from aiops_core.analysis.answer import AnalysisAnswer, parse_answer
from aiops_core.analysis.budget import CUT
from aiops_core.analysis.code import SEVERAL_FILES, UNKNOWN_RELEASE
from aiops_core.analysis.code_blocks import AnswerInvalid
from aiops_core.analysis.evidence import Precedent, evidence_hash, gather
from aiops_core.analysis.explore import RepositoryExplorer
from aiops_core.analysis.matching import IncidentMatch
from aiops_core.analysis.outbound import redact_record
from aiops_core.analysis.prompt import Prompt, build_prompt
from aiops_core.analysis.review import review_evidence
from aiops_core.analysis.unanswered import borrowed, unanswered
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
