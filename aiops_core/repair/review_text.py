"""What is said in the threads of a request: what became of a comment, and why a fix is as it is."""

from __future__ import annotations

from collections.abc import Iterable

from aiops_core.records import Analysis, Change, TestRun
from aiops_core.repair.diff import count_lines
from aiops_core.repair.wording import one_line, shorten, spare_issues
from aiops_core.text.phrases import counted
from aiops_core.text.sanitising import code_span, escape_markdown

COMMANDS = (
    "`/aiops explain` tells why the fix is as it is, `/aiops retry` tries the last wishes again, "
    "`/aiops stop` ends the conversation. Edited comments and quotes are not read."
)
HELP = f"That is no command here. {COMMANDS}"
STOPPED = "No more changes will be made here, until somebody writes `/aiops retry`."
ONLY_WRITERS = "Only comments of people who may push to this repository are acted on. This is said here once."
NOT_EDITED = "Comments that were edited are not read. Write a new one, please. This is said here once."
_PROSE = 3_000


def rounds_used_up(rounds: int) -> str:
    """Say that this request had all its rounds."""
    return (
        f"This request has had its {counted(rounds, 'round')} of changes. Push to the branch, "
        "or let the operator raise `review.rounds`. This is said here once."
    )


def made(analysis: Analysis, change: Change, commit: str) -> str:
    """Say what was changed, as asked."""
    files = "\n".join(
        f"- {code_span(file.path)} +{added} −{removed}"
        for file in change.files
        for added, removed in [count_lines(change.diff, file.path)]
    )
    return "\n\n".join(filter(None, [f"Done in {commit}.", _prose(analysis.summary), files, _tests(change)]))


def not_made(analysis: Analysis | None, why: str = "") -> str:
    """Say that nothing was changed, and why; without a reason it is what the analysis says."""
    said = _prose(analysis.summary) if analysis is not None else ""
    reason = (
        f"Not done: {escape_markdown(one_line(spare_issues(why), 600))}" if why else "Nothing was changed."
    )
    return f"{reason}\n\n{said}".strip() if said and not why else reason


def waits(analysis: Analysis | None) -> str:
    """Say that a change waits for the operator."""
    said = f"\n\n{_prose(analysis.summary)}" if analysis is not None else ""
    return f"A change is ready, and waits for the operator's approval.{said}"


def explanation(analysis: Analysis | None, change: Change | None) -> str:
    """Say why the fix is as it is, from what is on record; nobody is asked again."""
    if analysis is None:
        return "There is no analysis on record for this request."
    parts = [
        f"**Root cause** ({analysis.confidence:.0%} sure)\n\n{_prose(analysis.root_cause or analysis.summary)}",
        _list("Repair", analysis.repair_steps),
        _tests(change) if change is not None else "",
        _list("Prevention", analysis.prevention),
    ]
    return "\n\n".join(filter(None, parts))


def _tests(change: Change) -> str:
    if change.before is None or change.after is None:
        return "No test ran on it."
    return (
        f"Tests, {code_span(change.after.command)}: {_run(change.before)} before, {_run(change.after)} after."
    )


def _run(run: TestRun) -> str:
    if run.timed_out:
        return "time limit"
    known = run.failed or run.passed
    return counted(len(run.failed), "failure") if known else f"exit code {run.exit_code}"


def _list(title: str, items: Iterable[str]) -> str:
    lines = [f"- {escape_markdown(one_line(spare_issues(item), 400))}" for item in items]
    return "\n".join([f"**{title}**", "", *lines]) if lines else ""


def _prose(text: str) -> str:
    paragraphs = (" ".join(part.split()) for part in shorten(text, _PROSE).split("\n\n"))
    return "\n\n".join(escape_markdown(spare_issues(part)) for part in paragraphs if part)
