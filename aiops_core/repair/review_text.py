"""What is said in the threads of a request: what became of a comment, and why a fix is as it is."""

from __future__ import annotations

from collections.abc import Iterable

from aiops_core.records import Analysis, Change, TestRun
from aiops_core.repair.diff import count_lines
from aiops_core.repair.wording import one_line, shorten, spare_issues
from aiops_core.text.report import Say
from aiops_core.text.sanitising import code_span, escape_markdown

COMMANDS = (
    "`/aiops explain` tells why the fix is as it is, `/aiops retry` tries the last wishes again, "
    "`/aiops stop` ends the conversation. Edited comments and quotes are not read."
)
STOPPED = "No more changes will be made here, until somebody writes `/aiops retry`."
ONLY_WRITERS = "Only comments of people who may push to this repository are acted on. This is said here once."
NOT_EDITED = "Comments that were edited are not read. Write a new one, please. This is said here once."
ROUNDS_USED_UP = (
    "This request has had all its rounds of changes ({rounds}). Push to the branch, "
    "or let the operator raise `review.rounds`. This is said here once."
)
NOT_PUSHED = (
    "There is a new fix for this incident, and it was not pushed: this branch holds commits of others or of "
    "its review, and those are never overwritten. Close this request, or merge it, "
    "for the next fix to get a branch of its own."
)
GIVEN_UP = "the round was given up. The operator was told; /aiops retry tries again"
PROVEN = (
    "A test now fails without this fix and passes with it, so the request is no longer marked as unverified."
)
STAYS_AWAY = (
    "The error was not seen for {length}, without this fix. Close this request if it is not needed any more."
)
HOLDS = "0 in {length} (was {rate}/day). The error did not come back since this was deployed."
IS_BACK = "The error is back: {events} of {release}, which has the fix {commit}. Its incident is open again."
IS_BACK_SINCE = "The error is back: {events} since the fix {commit} was merged. Its incident is open again."
_PROSE = 3_000


def helping(say: Say) -> str:
    """Say which commands there are."""
    return say("That is no command here. {commands}", commands=say(COMMANDS))


def made(say: Say, analysis: Analysis, change: Change, commit: str, *, is_proven: bool = False) -> str:
    """Say what was changed, as asked; ``is_proven`` when that has proven the whole fix."""
    files = "\n".join(
        f"- {code_span(file.path)} +{added} −{removed}"
        for file in change.files
        for added, removed in [count_lines(change.diff, file.path)]
    )
    parts = [say("Done in {commit}.", commit=commit), _prose(analysis.summary), files, _tests(say, change)]
    return "\n\n".join(filter(None, [*parts, say(PROVEN) if is_proven else ""]))


def not_made(say: Say, analysis: Analysis | None, why: str = "") -> str:
    """Say that nothing was changed, and why; without a reason it is what the analysis says."""
    if why:
        return say("Not done: {why}", why=escape_markdown(one_line(spare_issues(why), 600)))
    said = _prose(analysis.summary) if analysis is not None else ""
    return "\n\n".join(filter(None, [say("Nothing was changed."), said]))


def waits(say: Say, analysis: Analysis | None) -> str:
    """Say that a change waits for the operator."""
    said = f"\n\n{_prose(analysis.summary)}" if analysis is not None else ""
    return say("A change is ready, and waits for the operator's approval.") + said


def explanation(say: Say, analysis: Analysis | None, change: Change | None) -> str:
    """Say why the fix is as it is, from what is on record; nobody is asked again."""
    if analysis is None:
        return say("There is no analysis on record for this request.")
    cause = say("**Root cause** ({confidence} sure)", confidence=f"{analysis.confidence:.0%}")
    parts = [
        f"{cause}\n\n{_prose(analysis.root_cause or analysis.summary)}",
        _list(say("Repair"), analysis.repair_steps),
        _tests(say, change) if change is not None else "",
        _list(say("Prevention"), analysis.prevention),
    ]
    return "\n\n".join(filter(None, parts))


def _tests(say: Say, change: Change) -> str:
    if change.before is None or change.after is None:
        return say("No test ran on it.")
    before, after = _run(say, change.before), _run(say, change.after)
    command = code_span(change.after.command)
    return say(
        "Tests, {command}: {before} before, {after} after.", command=command, before=before, after=after
    )


def _run(say: Say, run: TestRun) -> str:
    if run.timed_out:
        return say("time limit")
    if not (run.failed or run.passed):
        return say("exit code {code}", code=run.exit_code)
    if len(run.failed) == 1:
        return say("1 failure")
    return say("{count} failures", count=len(run.failed))


def _list(title: str, items: Iterable[str]) -> str:
    lines = [f"- {escape_markdown(one_line(spare_issues(item), 400))}" for item in items]
    return "\n".join([f"**{title}**", "", *lines]) if lines else ""


def _prose(text: str) -> str:
    paragraphs = (" ".join(part.split()) for part in shorten(text, _PROSE).split("\n\n"))
    return "\n\n".join(escape_markdown(spare_issues(part)) for part in paragraphs if part)
