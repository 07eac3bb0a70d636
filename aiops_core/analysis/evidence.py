"""What an analysis may cite: gathered from the repository, the log and earlier incidents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.analysis.budget import Candidate, fit
from aiops_core.analysis.code import CodeReader
from aiops_core.errors import AiopsError
from aiops_core.records import Analysis, Change, Event, Evidence, Incident, Outcome
from aiops_core.repository import Mirror
from aiops_core.settings import Repository
from aiops_core.text.carriers import as_written
from aiops_core.text.phrases import counted
from aiops_core.text.redaction import PLACEHOLDER
from aiops_core.text.sanitising import clean

MAX_CHARACTERS = 60_000
"""Characters of all evidence together: some 15,000 tokens."""
_LONGEST_BLOCK = 16_000
_LONGEST_LINE = 1_000
_LONGEST_FIX = 3_000
_OTHER_EVENTS = 3
_NOT_HASHED = ("incident", "note", "refusal")

# What is cut last comes first.
_REFUSAL, _BLOCK, _SOURCE, _CONTEXT, _CALLERS, _BLAME, _DEPLOYED, _COMMITS, _SIMILAR, _TESTS = range(10)


class Precedent(Struct, frozen=True):
    """A similar incident: what was found then, and what was done about it."""

    incident: Incident
    analysis: Analysis | None = None
    change: Change | None = None
    outcomes: Sequence[Outcome] = ()


def gather(
    incident: Incident,
    *,
    mirror: Mirror | None = None,
    repository: Repository | None = None,
    commit: str = "",
    similar: Sequence[Precedent] = (),
    earlier: Sequence[Mapping[str, str]] = (),
    max_characters: int = MAX_CHARACTERS,
) -> list[Evidence]:
    """Return what is known about an incident, each piece under an id from E1 on.

    ``commit`` is the one to be fixed, by default the head of the configured branch. ``earlier``
    holds attributes of events before this incident, the latest first: they tell the release that
    ran before.
    Nothing is raised for a repository that cannot be read: a note says so. Pieces that do not
    fit are shortened or left out, tests first, then similar incidents, commits,
    those of the release, blame, callers,
    log context and last of all the source of the raise; a note says which.
    """
    candidates = [
        *_log(incident),
        *_code(incident, mirror, repository, commit, earlier),
        *_similar(incident, similar),
    ]
    kept = fit(candidates, max_characters)
    return [replace(item, id=f"E{number}") for number, item in enumerate(kept, 1)]


def _log(incident: Incident) -> Iterator[Candidate]:
    if not incident.events:
        return
    event = incident.event
    yield Candidate(
        _BLOCK, Evidence("log", _place(event, "error"), _shortened(_block(event), _LONGEST_BLOCK))
    )
    before, after = map(_lines, (event.context_before, event.context_after))
    if before or after:
        text = "\n".join([*before, "… the error above …", *after])
        yield Candidate(_CONTEXT, Evidence("log", "log lines round the error", text))
    for other in _others(incident):
        yield Candidate(
            _CONTEXT, Evidence("log", _place(other, "the same error"), _shortened(_block(other), 2_000))
        )


def _others(incident: Incident) -> list[Event]:
    """Return later events of the incident that say something the ones before did not."""
    seen = {incident.event.message}
    found: list[Event] = []
    for event in incident.events[1:]:
        if event.message not in seen and len(found) < _OTHER_EVENTS:
            seen.add(event.message)
            found.append(event)
    return found


def _block(event: Event) -> str:
    return "\n".join(
        filter(None, (event.headline, as_written(event.block) or f"{event.type}: {event.message}"))
    )


def _place(event: Event, what: str) -> str:
    at = f", {event.occurred_at:%Y-%m-%d %H:%M:%S} UTC" if event.occurred_at else ""
    attributes = ", ".join(f"{name}={value}" for name, value in sorted(event.attributes.items())[:12])
    return clean(f"{what} in {event.path or 'the log'}{at}{f' ({attributes})' if attributes else ''}")[:400]


def _lines(lines: Sequence[str]) -> list[str]:
    return [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …" for line in lines]


def _shortened(text: str, limit: int) -> str:
    """Return the text without its middle where it is too long: both ends of a trace matter."""
    text = "\n".join(_lines(text.split("\n")))
    if len(text) <= limit:
        return text
    left_out = len(text) - limit
    return f"{text[: limit // 2]}\n… {left_out} characters left out …\n{text[-limit // 2 :]}"


def _code(
    incident: Incident,
    mirror: Mirror | None,
    repository: Repository | None,
    commit: str,
    earlier: Sequence[Mapping[str, str]],
) -> Iterator[Candidate]:
    if mirror is None or repository is None or not incident.events:
        return
    try:
        reader = CodeReader(mirror, repository, incident.event, commit, earlier)
        yield from (Candidate(_REFUSAL, note) for note in reader.notes)
        for rank, item in enumerate(reader.sources()):
            yield Candidate(_SOURCE if rank == 0 else _CALLERS, item)
        yield from (Candidate(_BLAME, item) for item in reader.blame())
        yield from (Candidate(_DEPLOYED, item) for item in reader.deployed())
        yield from (Candidate(_COMMITS, item) for item in reader.commits())
        yield from (Candidate(_TESTS, item) for item in reader.tests())
    except AiopsError as error:
        yield Candidate(_REFUSAL, Evidence("note", "the repository could not be read", str(error)))


def _similar(of: Incident, similar: Sequence[Precedent]) -> Iterator[Candidate]:
    for one in similar:
        incident, analysis = one.incident, one.analysis
        text = (
            f"{incident.type}: {incident.message[:300]}\n"
            f"state {incident.state}, {counted(incident.count, 'time')}, last {incident.last_seen:%Y-%m-%d %H:%M} UTC"
        )
        if analysis is not None and analysis.confidence > 0:
            text += f"\nfound then ({analysis.confidence:.0%} sure): {analysis.root_cause[:1_500]}"
        text += "".join(f"\n{line}" for line in _fix(one))
        name = "this incident, before" if incident.id == of.id else f"similar incident {incident.id}"
        yield Candidate(_SIMILAR, Evidence("incident", name, text))


def _fix(one: Precedent) -> Iterator[str]:
    """Yield what was done about an incident, and how sure it is that it helped."""
    if one.change is None:
        return
    done = [outcome for outcome in one.outcomes if outcome.status == "done"]
    for outcome in done:
        yield f"done then: {outcome.summary[:300]} {outcome.url}".rstrip()
    helped = done and one.incident.state == "resolved"
    yield f"{'what fixed it' if helped else 'the fix proposed then'}:\n{_shortened(one.change.diff, _LONGEST_FIX)}"


def evidence_hash(evidence: Sequence[Evidence]) -> str:
    """Return what is equal for evidence from which the same has to follow.

    What is known of other incidents, and what was refused or cut, does not count; a secret is the
    same secret in every process.
    """
    said = [
        PLACEHOLDER.sub("[redacted]", f"{item.kind}\0{item.path}\0{item.line}\0{item.text}")
        for item in evidence
        if item.kind not in _NOT_HASHED
    ]
    return hashlib.blake2b("\0\0".join(said).encode("utf-8", "replace"), digest_size=16).hexdigest()
