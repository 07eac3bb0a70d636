"""A report in words people read: one outline, rendered as text, as HTML, or by a notifier."""

from aiops_core.text.report.outline import ReportOutline, outline_report
from aiops_core.text.report.page import render_html
from aiops_core.text.report.parts import ReportPart, ReportSection
from aiops_core.text.report.plain import render_subject, render_text

__all__ = [
    "ReportOutline",
    "ReportPart",
    "ReportSection",
    "outline_report",
    "render_html",
    "render_subject",
    "render_text",
]
