"""aiops-core: watch logs, detect errors, group them, explain, repair, tell.

This module re-exports what a plugin may import; forges also use ``aiops_core.repair``, tests
``aiops_core.testing``. Names are loaded on first use, so that ``aiops --help`` starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiops_core.analysis import (
        AnalysisAnswer,
        AnswerInvalid,
        Entry,
        IncidentMatch,
        Prompt,
        build_prompt,
        parse_answer,
        read_entries,
    )
    from aiops_core.component import (
        Action,
        Analyzer,
        Component,
        Context,
        Detector,
        Explorer,
        Extension,
        LogDetector,
        Notifier,
        Source,
        Tool,
    )
    from aiops_core.errors import AiopsError, NoAnswer, PluginBroken, Refused, Retry, UserError
    from aiops_core.failpoints import failpoint
    from aiops_core.hooks import hookimpl
    from aiops_core.listening import server_context
    from aiops_core.polling import Found, PolledSource, PollingConfig, parse_retry_after
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
        StopLevel,
        TestRun,
        Usage,
        parse_severity,
    )
    from aiops_core.settings import Config, Duration, Repository, Size
    from aiops_core.text.carrying import carry
    from aiops_core.text.envelope import parse_envelope
    from aiops_core.text.lazy import lazy_pattern
    from aiops_core.text.lines import AskedLines, Lines, More, Span
    from aiops_core.text.pieces import LONGEST_LINE, LineCutter, Piece
    from aiops_core.text.redaction import Redactor
    from aiops_core.text.report import ReportPart, outline_report, render_html, render_subject, render_text
    from aiops_core.text.sanitising import clean

__version__ = "0.1.0"

__all__ = [
    "LONGEST_LINE",
    "Action",
    "AiopsError",
    "Analysis",
    "AnalysisAnswer",
    "Analyzer",
    "AnswerInvalid",
    "AskedLines",
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
    "Entry",
    "Event",
    "Evidence",
    "Explorer",
    "Extension",
    "Found",
    "Frame",
    "Incident",
    "IncidentMatch",
    "LineCutter",
    "Lines",
    "LogBatch",
    "LogDetector",
    "More",
    "NoAnswer",
    "Notifier",
    "Outcome",
    "Piece",
    "Plan",
    "PluginBroken",
    "PolledSource",
    "PollingConfig",
    "Position",
    "Prompt",
    "RaisedException",
    "Receipt",
    "RecipientResult",
    "Redactor",
    "Refused",
    "Report",
    "ReportPart",
    "Repository",
    "Retry",
    "Severity",
    "Signal",
    "Size",
    "Source",
    "Span",
    "StopLevel",
    "TestRun",
    "Tool",
    "Usage",
    "UserError",
    "__version__",
    "build_prompt",
    "carry",
    "clean",
    "failpoint",
    "hookimpl",
    "lazy_pattern",
    "outline_report",
    "parse_answer",
    "parse_envelope",
    "parse_retry_after",
    "parse_severity",
    "read_entries",
    "render_html",
    "render_subject",
    "render_text",
    "server_context",
]

_WHERE = {
    "Action": "component",
    "AiopsError": "errors",
    "Analysis": "records",
    "AnalysisAnswer": "analysis",
    "Analyzer": "component",
    "AskedLines": "text.lines",
    "AnswerInvalid": "analysis",
    "Block": "records",
    "Change": "records",
    "ChangedFile": "records",
    "CodeSample": "records",
    "Component": "component",
    "Config": "settings",
    "Context": "component",
    "Decision": "records",
    "Detector": "component",
    "Duration": "settings",
    "Edit": "records",
    "Entry": "analysis",
    "Event": "records",
    "Evidence": "records",
    "Explorer": "component",
    "Extension": "component",
    "Found": "polling",
    "Frame": "records",
    "Incident": "records",
    "IncidentMatch": "analysis",
    "LONGEST_LINE": "text.pieces",
    "LineCutter": "text.pieces",
    "Lines": "text.lines",
    "LogBatch": "records",
    "LogDetector": "component",
    "More": "text.lines",
    "NoAnswer": "errors",
    "Notifier": "component",
    "Outcome": "records",
    "Piece": "text.pieces",
    "Plan": "records",
    "PluginBroken": "errors",
    "PolledSource": "polling",
    "PollingConfig": "polling",
    "Position": "records",
    "Prompt": "analysis",
    "RaisedException": "records",
    "Receipt": "records",
    "RecipientResult": "records",
    "Redactor": "text.redaction",
    "Refused": "errors",
    "Report": "records",
    "ReportPart": "text.report",
    "Repository": "settings",
    "Retry": "errors",
    "Severity": "records",
    "Signal": "records",
    "Size": "settings",
    "Source": "component",
    "Span": "text.lines",
    "StopLevel": "records",
    "TestRun": "records",
    "Tool": "component",
    "Usage": "records",
    "UserError": "errors",
    "build_prompt": "analysis",
    "carry": "text.carrying",
    "clean": "text.sanitising",
    "failpoint": "failpoints",
    "hookimpl": "hooks",
    "lazy_pattern": "text.lazy",
    "outline_report": "text.report",
    "parse_answer": "analysis",
    "parse_envelope": "text.envelope",
    "parse_retry_after": "polling",
    "parse_severity": "records",
    "read_entries": "analysis",
    "render_html": "text.report",
    "render_subject": "text.report",
    "render_text": "text.report",
    "server_context": "listening",
}


def __getattr__(name: str) -> Any:  # Any: a module's attributes are of any type
    if name not in _WHERE:
        raise AttributeError(f"module 'aiops_core' has no attribute {name!r}")
    value = getattr(import_module(f"aiops_core.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
