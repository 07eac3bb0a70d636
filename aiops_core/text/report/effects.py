"""The sections that say what was done: tests, the change, outcomes, plans and decisions."""

from __future__ import annotations

from collections.abc import Iterator

from aiops_core.records import Change, Decision, Outcome, Plan, Report, TestRun
from aiops_core.text.report.parts import (
    ReportPart,
    ReportSection,
    excerpt,
    facts,
    items,
    length,
    line,
    moment,
    paragraph,
    section,
    web_address,
)
from aiops_core.text.report.words import Say

_DIFF_LINES, _DIFF_CHARACTERS = 600, 32_000
_PLAN_LINES, _PLAN_CHARACTERS = 40, 4_000


def call_to_review(report: Report, say: Say) -> tuple[ReportPart, ...]:
    """Return the request to review a fix and the links that lead to it."""
    done = [outcome for outcome in report.outcomes if outcome.status == "done"]
    if not done or report.change is None:
        return ()
    if report.change.reproduced_by:
        text, label = say("A fix is ready. Please review it before it is merged."), "good"
    else:
        text, label = say("A fix is there that no test proves. Please review it with care."), ""
    notice = ReportPart("notice", text, label=label)
    links = (web_address(outcome.url) for outcome in done)
    return (notice, *(ReportPart("link", say("Review the fix"), url=url) for url in links if url))


def tests_of(change: Change, say: Say) -> tuple[ReportSection, ...]:
    """Return the test runs before and after the change."""
    after, before = change.after, change.before
    if after is None:
        notice = ReportPart("notice", say("No tests ran on this change. Review it with care."))
        return section("Tests", (notice,), say)
    earlier = before.failed if before else ()
    sandbox = say("none: not isolated") if after.sandbox == "none" else after.sandbox
    rows = [
        (say("Before"), _run(before, say) if before else ""),
        (say("After"), _run(after, say)),
        (say("Repaired tests"), _names([name for name in earlier if name not in after.failed], say)),
        (say("Still failing"), _names(after.failed, say)),
        (say("Command"), after.command),
        (say("Sandbox"), sandbox),
    ]
    unsafe = say("The tests ran outside a sandbox (sandbox: none).") if after.sandbox == "none" else ""
    return section("Tests", (*facts(rows), *((ReportPart("notice", unsafe),) if unsafe else ())), say)


def diff_of(change: Change, say: Say) -> tuple[ReportSection, ...]:
    """Return the change itself."""
    base = " ".join(filter(None, (change.base_branch, change.base_commit[:12])))
    diff = excerpt(change.diff, say, lines=_DIFF_LINES, characters=_DIFF_CHARACTERS)
    shown = (ReportPart("diff", diff),) if diff else ()
    parts = (*facts([(say("Based on"), base)]), *items("list", change.notes, say), *shown)
    return section("The change", parts, say)


def deeds(report: Report, say: Say) -> Iterator[ReportSection]:
    """Yield what actions did, what they only planned, and why."""
    done = (part for outcome in report.outcomes for part in _outcome(outcome, say))
    acted = {outcome.action for outcome in report.outcomes if outcome.action}
    waiting = [plan for plan in report.plans if plan.action not in acted]
    planned = (part for plan in waiting for part in _plan(plan, say))
    decided = items("list", (_decision(decision, say) for decision in report.decisions), say)
    yield from section("What was done", done, say)
    yield from section("Planned, not done", planned, say)
    yield from section("Decisions", decided, say)


def _run(run: TestRun, say: Say) -> str:
    seconds = length(run.seconds)
    if run.timed_out:
        return say("stopped after {seconds}", seconds=seconds)
    if run.passed:
        phrase = {None: "passed in {seconds}", 1: "passed, 1 test in {seconds}"}.get(
            run.tests, "passed, {tests} tests in {seconds}"
        )
        return say(phrase, tests=run.tests, seconds=seconds)
    phrase = "failed, exit code {code}, in {seconds}"
    if run.tests is not None and run.failed:
        phrase = "failed, {failed} of {tests} tests, exit code {code}, in {seconds}"
        if run.tests == 1:
            phrase = "failed, 1 of 1 test, exit code {code}, in {seconds}"
    return say(phrase, failed=len(run.failed), tests=run.tests, code=run.exit_code, seconds=seconds)


def _names(names: tuple[str, ...] | list[str], say: Say) -> str:
    more = [say("… and {count} more", count=len(names) - 5)] if len(names) > 5 else []
    return ", ".join([*names[:5], *more])


def _outcome(outcome: Outcome, say: Say) -> Iterator[ReportPart]:
    head = " · ".join(filter(None, (say(outcome.status), line(outcome.action))))
    yield from paragraph(f"{head}: {outcome.summary}")
    if url := web_address(outcome.url):
        yield ReportPart("link", url, url=url)
    else:
        yield from paragraph(outcome.url)


def _plan(plan: Plan, say: Say) -> Iterator[ReportPart]:
    title = ": ".join(filter(None, (line(plan.action), line(plan.title))))
    body = excerpt(plan.text, say, lines=_PLAN_LINES, characters=_PLAN_CHARACTERS)
    yield from (ReportPart("code", body, label=title),) if body else paragraph(title)


def _decision(decision: Decision, say: Say) -> str:
    details = [
        moment(decision.at) if decision.at else "",
        say("rule {rule}", rule=decision.rule) if decision.rule else "",
        say("setting {setting}", setting=decision.setting) if decision.setting else "",
    ]
    known = ", ".join(filter(None, details))
    return f"{decision.text} ({known})" if known else decision.text
