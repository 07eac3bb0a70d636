"""The words of a request for review: its title, its text, and the mark it is found again by."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from aiops_core.records import Analysis, Change, ChangedFile, Frame, Incident, Outcome, TestRun
from aiops_core.repair.diff import count_lines
from aiops_core.repair.paths import MEANT
from aiops_core.repair.reproducing import UNREPRODUCED
from aiops_core.repair.review_text import COMMANDS
from aiops_core.repair.wording import TITLE, error_name, one_line, place_name, shorten, spare_issues
from aiops_core.text.carriers import as_written
from aiops_core.text.phrases import counted, headed
from aiops_core.text.sanitising import code_block, code_span, escape_markdown, silence_commands

BODY_LIMIT = 60_000
_PROSE_LIMIT = 6_000
_LIST_LIMIT = 20
_FRAMES = 5
_SHOWN = "a test fails without it and passes with it"
_UNSHOWN = "**none shows the error**"
_SEAL = re.compile(r"<!-- aiops:text=([0-9a-f]{12}) -->")
_MARKER = re.compile(r"<!-- aiops:fingerprint=([\w.:+/=-]+) -->")


def request_marker(incident: Incident) -> str:
    """Return the hidden line by which a request is found again from its fingerprint."""
    safe = re.sub(r"-{2,}", "-", re.sub(r"[^\w.:+/=-]", "", incident.fingerprint, flags=re.ASCII))
    return f"<!-- aiops:fingerprint={safe} -->"


def marked_fingerprint(body: str) -> str:
    """Return the fingerprint a request body carries, or "" where it is not one of ours."""
    match = _MARKER.search(body)
    return match[1] if match else ""


def request_title(incident: Incident, analysis: Analysis) -> str:
    """Return ``Fix <error> in <function>``; without a place, what the analysis calls it."""
    error, place = error_name(incident), place_name(incident)
    return one_line(f"Fix {error} in {place}" if place else f"Fix {error}: {analysis.title}", TITLE)


def sealed(title: str, body: str) -> str:
    """Return the text with a hidden line that tells whether anybody changed it or its title since."""
    return f"{body.rstrip()}\n\n<!-- aiops:text={_digest(title, body)} -->\n"


def is_as_written(title: str, body: str) -> bool:
    """Return whether title and text of a request are still what we wrote."""
    match = _SEAL.search(body)
    return match is not None and match[1] == _digest(title, _SEAL.sub("", body))


def as_proven(title: str, body: str) -> str | None:
    """Return the text of a request once its fix is proven; None where people changed it."""
    if not is_as_written(title, body):
        return None
    bullet = f"- {_note(UNREPRODUCED)}"
    lines = [line.replace(_UNSHOWN, _SHOWN) for line in _SEAL.sub("", body).splitlines() if line != bullet]
    return sealed(title, re.sub(r"## Not verified\n+(?=## |<details>)", "", "\n".join(lines)))


def _digest(title: str, body: str) -> str:
    words = " ".join([*title.split(), "\n", *body.split()])  # forges change white space
    return hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=6).hexdigest()


def request_body(
    incident: Incident,
    analysis: Analysis,
    change: Change,
    outcomes: Sequence[Outcome] = (),
    *,
    is_heard: bool = False,
) -> str:
    """Return the request's text in Markdown: what happened, why, what changed, what was tested.

    ``is_heard`` says that comments on the request are acted on.
    Everything a log or a model wrote is escaped. Longer than 60,000 characters it loses the end
    of the trace first, never the marker.
    """
    head = [request_marker(incident), _banner(change), _facts(incident, analysis, change)]
    body = [
        _section("Where", _bullets(_frame(frame) for frame in _frames(incident))),
        _section("Root cause", _prose(analysis.root_cause or analysis.summary)),
        _section("What changed", _files(change)),
        _section("Tests", _tests(change)),
        _section("Not verified", _bullets(_unverified(analysis, change))),
        _section("Prevention", _bullets(escape_markdown(one_line(p, 400)) for p in analysis.prevention)),
        _section("Also done", _bullets(_outcome(outcome) for outcome in outcomes)),
        _section("How to review", _review(change, is_heard)),
    ]
    text = "\n\n".join(part for part in [*head, *body] if part)[: BODY_LIMIT - 2_000]
    return text + _trace(incident, BODY_LIMIT - len(text))


def _banner(change: Change) -> str:
    tested = "**nothing has tested it yet**"
    if change.is_verified:
        proof = _SHOWN if change.reproduced_by else _UNSHOWN
        tested = f"its tests ran before and after the change, and {proof}"
    return f"A program wrote this fix from an error in the logs; {tested}. Review it like anybody's code."


def _facts(incident: Incident, analysis: Analysis, change: Change) -> str:
    attributes = incident.event.attributes if incident.events else {}
    run = f", run {change.run}" if change.run else ""
    rows = [
        ("Problem", _span(headed(incident.type, incident.message), 300)),
        (
            "Seen",
            f"{counted(incident.count, 'time')}, {_time(incident.first_seen)} to {_time(incident.last_seen)}",
        ),
        *((name, _span(attributes[key], 120)) for name, key in _ATTRIBUTES if attributes.get(key)),
        (
            "Incident",
            f"{incident.id} of pipeline {code_span(incident.pipeline)}{run}, "
            f"`aiops incidents show {incident.id}` tells the rest",
        ),
        ("Fingerprint", code_span(incident.fingerprint)),
        ("Analysis", _analyst(analysis)),
    ]
    lines = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows)
    return f"| | |\n|---|---|\n{lines}"


_ATTRIBUTES = (("Service", "service"), ("Release", "release"), ("Host", "host"))


def _frames(incident: Incident) -> list[Frame]:
    """Return the innermost frames of the program itself, the place of the error first."""
    frames = incident.event.own_frames if incident.events else ()
    return [*reversed(frames)][:_FRAMES]


def _frame(frame: Frame) -> str:
    place = f"{frame.file or frame.module}:{frame.line}" if frame.line else frame.file or frame.module
    named = f" in {_span(frame.function, 120)}" if frame.function else ""
    return f"{_span(place, 200)}{named}"


def _analyst(analysis: Analysis) -> str:
    usage = analysis.usage
    cost = f", {usage.cost:.2f} USD" if usage is not None and usage.cost is not None else ""
    name = (usage.model if usage is not None else "") or analysis.analyzer
    return f"{_span(name, 80) if name else 'unnamed'}, {analysis.confidence:.0%} sure{cost}"


def _files(change: Change) -> str:
    mapped = (_note(note) for note in change.notes if MEANT in note)
    return _bullets([*(_file(file, change.diff) for file in change.files), *mapped])


def _file(file: ChangedFile, diff: str) -> str:
    added, removed = count_lines(diff, file.path)
    what = " (removed)" if file.content is None else ""
    return f"{_span(file.path, 200)}{what} +{added} −{removed}"


def _tests(change: Change) -> str:
    before, after = change.before, change.after
    if before is None or after is None:
        return ""
    rows = [
        ("ended with", _ending(before), _ending(after)),
        ("tests", _number(before.tests), _number(after.tests)),
        ("failing", _failing(before), _failing(after)),
        ("seconds", f"{before.seconds:.1f}", f"{after.seconds:.1f}"),
    ]
    lines = "\n".join(f"| {name} | {one} | {two} |" for name, one, two in rows)
    command = f"{_span(after.command, 300)}, sandbox: {after.sandbox}"
    return f"{command}\n\n| | before | after |\n|---|---|---|\n{lines}{_failures(change, before, after)}"


def _failures(change: Change, before: TestRun, after: TestRun) -> str:
    fixed = [name for name in before.failed if name not in after.failed]
    shown = [name for name in change.reproduced_by if name not in before.failed]
    parts = [
        ("New, fail without the fix and pass with it", shown),
        ("Failed before and pass now", fixed),
        ("Failed before already", list(after.failed)),
    ]
    return "".join(
        f"\n\n{title}:\n\n{_bullets(_span(name, 200) for name in names)}" for title, names in parts if names
    )


def _ending(run: TestRun) -> str:
    return "time limit" if run.timed_out else f"exit code {run.exit_code}"


def _number(number: int | None) -> str:
    return "not known" if number is None else str(number)


def _failing(run: TestRun) -> str:
    return str(len(run.failed)) if run.failed or run.passed else "not known"


def _unverified(analysis: Analysis, change: Change) -> Iterable[str]:
    if not analysis.provable:
        yield "The root cause cannot be proven from the data there was."
    yield from (_note(note) for note in change.notes if MEANT not in note)


def _note(text: str) -> str:
    return escape_markdown(one_line(text, 400))


def _review(change: Change, is_heard: bool) -> str:
    how = f"Who may push here can ask for changes in comments: {COMMANDS} " if is_heard else ""
    return (
        f"Made from commit {code_span(change.base_commit)} of {code_span(change.base_branch)}. {how}"
        "Push to this branch as you like: what people commit is never overwritten. "
        "To stop it, close the request: a closed one stays closed."
    )


def _outcome(outcome: Outcome) -> str:
    action = f"{code_span(outcome.action)}: " if outcome.action else ""
    return f"{action}{outcome.status} – {escape_markdown(one_line(outcome.summary, 300))}"


def _trace(incident: Incident, room: int) -> str:
    block = as_written(incident.event.block) if incident.events else ""
    opening, closing = "\n\n<details><summary>From the log</summary>\n\n", "\n\n</details>\n"
    room -= len(opening) + len(closing) + 400
    if not block.strip() or room < 400:
        return "\n"
    cut = block if len(block) <= room else block[:room] + "\n[cut]"
    fenced = code_block(silence_commands(spare_issues(cut)))
    while len(fenced) > room + 400:  # brackets and long fences make text longer
        cut = cut[: len(cut) - (len(fenced) - room)] + "\n[cut]"
        fenced = code_block(silence_commands(spare_issues(cut)))
    return opening + fenced + closing


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _prose(text: str) -> str:
    paragraphs = (" ".join(part.split()) for part in shorten(text, _PROSE_LIMIT).split("\n\n"))
    return "\n\n".join(escape_markdown(spare_issues(part)) for part in paragraphs if part)


def _bullets(items: Iterable[str]) -> str:
    lines = [f"- {item}" for item in items]
    more = len(lines) - _LIST_LIMIT
    return "\n".join([*lines[:_LIST_LIMIT], *([f"- and {more} more"] if more > 0 else [])])


def _span(text: str, limit: int) -> str:
    """Return untrusted text as code; GitLab looks for what to close in code too."""
    return code_span(spare_issues(shorten(text, limit)))


def _cell(value: str) -> str:
    return value.replace("|", "\\|")


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
