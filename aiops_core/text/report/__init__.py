"""A report in words people read: one outline, rendered as text, as HTML, or by a notifier; and as data."""

from aiops_core.text.report.brief import fit_sections, outline_brief, plain_lines, shorten
from aiops_core.text.report.data import REPORT_VERSION, report_data
from aiops_core.text.report.digest import merge_reports
from aiops_core.text.report.markdown import (
    MarkdownStyle,
    quoted_block,
    render_markdown,
    title_line,
    widen_markup,
)
from aiops_core.text.report.outline import ReportOutline, outline_report
from aiops_core.text.report.page import render_html
from aiops_core.text.report.parts import ReportPart, ReportSection
from aiops_core.text.report.plain import render_subject, render_text
from aiops_core.text.report.words import Say, words

__all__ = [
    "REPORT_VERSION",
    "MarkdownStyle",
    "ReportOutline",
    "ReportPart",
    "ReportSection",
    "Say",
    "fit_sections",
    "merge_reports",
    "outline_brief",
    "outline_report",
    "plain_lines",
    "quoted_block",
    "render_html",
    "render_markdown",
    "render_subject",
    "render_text",
    "report_data",
    "shorten",
    "title_line",
    "widen_markup",
    "words",
]
