"""What analyzers that ask a model over HTTP have in common: the conversation, its ends, its budgets."""

from aiops_core.analysis.models.analyzer import Ask, ModelAnalyzer, ModelConfig
from aiops_core.analysis.models.calls import (
    CallFailed,
    FailureKind,
    Question,
    Said,
    Target,
    ToolCall,
    cannot_pay,
    unpaid,
)
from aiops_core.analysis.models.usage import added

__all__ = [
    "Ask",
    "CallFailed",
    "FailureKind",
    "ModelAnalyzer",
    "ModelConfig",
    "Question",
    "Said",
    "Target",
    "ToolCall",
    "added",
    "cannot_pay",
    "unpaid",
]
