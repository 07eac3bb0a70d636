"""aiops-core: watch logs, detect errors, group them, explain, repair, tell.

This module re-exports what a plugin may import; forges also use ``aiops_core.repair``, tests
``aiops_core.testing``.
"""

from aiops_core.component import (
    Action,
    Analyzer,
    Component,
    Context,
    Detector,
    Extension,
    LogDetector,
    Notifier,
    Source,
)
from aiops_core.errors import AiopsError, PluginBroken, Refused, Retry, UserError
from aiops_core.hooks import hookimpl
from aiops_core.records import (
    Analysis,
    Block,
    Change,
    ChangedFile,
    CodeSample,
    Decision,
    Edit,
    Event,
    Evidence,
    Frame,
    Incident,
    LogBatch,
    Outcome,
    Plan,
    Position,
    RaisedException,
    Receipt,
    RecipientResult,
    Report,
    Severity,
    Signal,
    TestRun,
    Usage,
    parse_severity,
)
from aiops_core.settings import Config, Duration, Repository, Size
from aiops_core.text.lines import Lines, More, Span

__version__ = "0.1.0"

__all__ = [
    "Action",
    "AiopsError",
    "Analysis",
    "Analyzer",
    "Block",
    "Change",
    "ChangedFile",
    "CodeSample",
    "Component",
    "Config",
    "Context",
    "Decision",
    "Detector",
    "Duration",
    "Edit",
    "Event",
    "Evidence",
    "Extension",
    "Frame",
    "Incident",
    "Lines",
    "LogBatch",
    "LogDetector",
    "More",
    "Notifier",
    "Outcome",
    "Plan",
    "PluginBroken",
    "Position",
    "RaisedException",
    "Receipt",
    "RecipientResult",
    "Refused",
    "Report",
    "Repository",
    "Retry",
    "Severity",
    "Signal",
    "Size",
    "Source",
    "Span",
    "TestRun",
    "Usage",
    "UserError",
    "__version__",
    "hookimpl",
    "parse_severity",
]
