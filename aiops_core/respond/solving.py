"""From an incident to an analysis and, where the analysis proposes one, a fix that passed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.analysis import CUT, SEVERAL_FILES, UNKNOWN_RELEASE, Precedent, gather
from aiops_core.errors import AiopsError, Refused
from aiops_core.handover import named
from aiops_core.policy import Proposal, may_repair, nearer
from aiops_core.records import Analysis, Change, ChangedFile, Decision, Evidence, TestRun
from aiops_core.repository import Mirror, release_of
from aiops_core.respond.asking import ask_again
from aiops_core.respond.run import Run
from aiops_core.text.redaction import contains_secret

_TOKEN = 4  # characters, roughly
ROUNDS = 3
"""Times one analyzer may mend what the repair refused, the first proposal included."""


class Gathered(Struct, frozen=True):
    """What the evidence step gives: what may be cited, and the commit it is of ("" without one)."""

    evidence: tuple[Evidence, ...]
    commit: str = ""


class Repaired(Struct, frozen=True):
    """What the repair step gives: the analysis it ended with and the Change that passed."""

    analysis: Analysis
    change: Change


def gather_evidence(run: Run) -> Gathered:
    """Read the log, the repository, earlier incidents and what extensions know."""
    try:
        mirror = run.mirror()
    except AiopsError as error:
        mirror = None
        run.fault("repository", f"the repository cannot be read: {error}")
    repository = run.pipeline.config.repository
    found = gather(
        run.incident,
        mirror=mirror,
        repository=repository,
        commit=run.commit,
        similar=_precedents(run) if run.pipeline.of_kind("analyzers") else (),
        earlier=run.store.incidents.attributes_before(run.incident) if mirror is not None else (),
        max_characters=_TOKEN * run.pipeline.config.policy.evidence_tokens,
    )
    _tell_of_notes(run, found)
    extra = enumerate([*_review(run, mirror), *_from_extensions(run)], len(found) + 1)
    found = run.redacted([*found, *(replace(item, id=f"E{number}") for number, item in extra)])
    run.save(partial(run.runs.save_evidence, run.id, found))
    return Gathered(tuple(found), run.commit)


def _review(run: Run, mirror: Mirror | None) -> list[Evidence]:
    """Return what reviewers ask of a request, in a round of review."""
    repository = run.pipeline.config.repository
    if run.review is None or mirror is None or repository is None:
        return []
    from aiops_core.analysis import review_evidence

    earlier = [row.id for row in run.runs.of_incident(run.incident.id) if row.id < run.id]
    analysis = run.runs.analysis(earlier[-1]) if earlier else None
    return review_evidence(run.review, mirror, run.commit, mirror.head(repository.branch), analysis)


def _precedents(run: Run) -> list[Precedent]:
    """Return what earlier runs found out about this incident and similar ones, and what came of it."""
    with run.store.moment():
        similar = run.store.incidents.similar(run.incident, limit=3)
        fixes = run.store.runs.last_fixes([incident.id for incident, _ in similar])
        found = [Precedent(one, analysis, *fixes.get(one.id, (None, ()))) for one, analysis in similar]
        return _before(run) + found


def _before(run: Run) -> list[Precedent]:
    """Return what an earlier run found out about this incident, and what came of it."""
    runs = run.store.runs
    earlier = [row.id for row in runs.of_incident(run.incident.id) if row.id < run.id]
    analysis = run.store.incidents.answer(run.incident.id) if earlier else None
    if analysis is None or run.review is not None:
        return []
    outcomes = tuple(runs.outcomes(earlier[-1]).values())
    return [Precedent(run.incident, analysis, runs.change(earlier[-1]), outcomes)]


def _tell_of_notes(run: Run, found: Sequence[Evidence]) -> None:
    """Tell people, too, what the analyzer does not see, and which setting would change that."""
    for item in found:
        listed = "; ".join(item.text.split("\n"))
        if item.kind == "note" and item.title == CUT:
            text = f"evidence was cut, the last first: {listed}"
            run.decide(Decision("evidence-cut", run.redacted_text(text), setting="policy.evidence_tokens"))
        elif item.kind == "note" and item.title.endswith(SEVERAL_FILES):
            text = f"{item.title}, none is shown: {listed}"
            run.decide(Decision("ambiguous-path", run.redacted_text(text), setting="repository.paths"))
        elif item.kind == "note" and item.text.endswith(UNKNOWN_RELEASE):
            run.decide(
                Decision("unknown-release", run.redacted_text(item.text), setting="repository.release")
            )


def _from_extensions(run: Run) -> list[Evidence]:
    found: list[Evidence] = []
    for name, items in run.pipeline.observe("gather", run.fault, incident=run.incident):
        if isinstance(items, list) and all(isinstance(item, Evidence) for item in items):
            found += items
        elif items is not None:
            text = f"extension {name}: gather() returned {named(items)}. Let it return a list of Evidence"
            run.fault(f"extension {name}: gather", text)
    return found


def repair(run: Run, evidence: Sequence[Evidence], analysis: Analysis) -> Repaired | None:
    """Try the proposed fix; hand refusals back to the analyzer that proposed it."""
    from aiops_core.repair import NOT_THE_EDITS_FAULT

    refusal: Refused | None = None
    for round_ in range(ROUNDS):
        decision = may_repair(Proposal(run.incident, evidence, analysis), run.pipeline.config)
        if decision is not None:
            if refusal is not None:
                raise refusal
            _abstain(run, decision)
            return None
        try:
            return Repaired(analysis, _propose(run, analysis, evidence))
        except Refused as error:
            refusal = error
            run.decide(Decision(error.rule, run.redacted_text(error), setting=error.setting))
        if refusal.rule in NOT_THE_EDITS_FAULT or round_ + 1 == ROUNDS:
            break
        again = ask_again(run, evidence, analysis, refusal, f"repair {round_ + 1}")
        if again is None or again.edits == analysis.edits:
            break
        analysis = again
    raise refusal or Refused("nothing was proposed", rule="no-edits")


def _abstain(run: Run, decision: Decision) -> None:
    """Put on record why no fix is tried; too few events of today may be enough tomorrow."""
    run.decide(decision)
    if decision.rule == "too-few-events":
        run.desk.store.incidents.await_events(run.incident.id, run.pipeline.config.policy.min_events)


def _propose(run: Run, analysis: Analysis, evidence: Sequence[Evidence]) -> Change:
    if run.desk.is_rehearsal:
        return _rehearsed(run, analysis)
    from aiops_core.repair import propose, straying

    mirror = run.mirror()
    repository = run.pipeline.config.repository
    if mirror is None or repository is None:
        raise Refused("the pipeline names no repository", rule="no-repository", setting="repository")
    if run.review is None:
        _refuse_what_is_mended(run, analysis, mirror, repository.release)
    fork = _fork(run, mirror, repository.branch)
    run.make_room()
    change = propose(
        analysis.edits,
        mirror=mirror,
        repository=repository,
        policy=run.pipeline.config.policy,
        scratch=run.work,
        grounds=run.desk.premises.grounds,
        commit=run.commit,
        find_secret=contains_secret,
        originals=partial(run.desk.redactor.originals, code=True),
        incident=run.incident if run.review is None or fork else None,
        fork=fork,
    )
    stop_at = run.pipeline.config.policy.stop_at
    change = replace(
        _without_secrets(run, change),
        run=run.id,
        made_at=run.desk.clock(),
        may_reach=nearer(change.may_reach, stop_at),
        asks=change.asks + straying(change, analysis, evidence),
        onto=run.review.branch if run.review is not None else "",
    )
    run.save(partial(run.runs.save_change, run.id, change))
    return change


def _rehearsed(run: Run, analysis: Analysis) -> Change:
    """Return the change that a fix becomes if its tests pass: nothing is checked out and nothing runs."""
    repository = run.pipeline.config.repository
    passed = TestRun(repository.test if repository else "", 0, 0.0)
    files = tuple(ChangedFile(edit.to or edit.path, b"") for edit in analysis.edits)
    level = run.pipeline.config.policy.stop_at
    branch = repository.branch if repository else ""
    change = Change("", branch, files, "", before=passed, after=passed, may_reach=level)
    run.save(partial(run.runs.save_change, run.id, change))
    return change


def _fork(run: Run, mirror: Mirror, branch: str) -> str:
    """Return where the branch of an unproven request left its base, "" for any other run."""
    if run.review is None or not run.review.is_unverified:
        return ""
    return mirror.common_ancestor(mirror.head(branch), run.commit) or ""


def _refuse_what_is_mended(run: Run, analysis: Analysis, mirror: Mirror, default: str) -> None:
    """Refuse edits that the branch has got since the release the error came from."""
    from aiops_core.repair import mended_in

    attributes = run.incident.event.attributes if run.incident.events else {}
    release = release_of(mirror, attributes, default)
    running = release.commit if release else None
    if release is None or running is None or not mirror.has_ancestor(run.commit, running):
        return
    if commit := mended_in(analysis.edits, mirror, running, run.commit):
        raise Refused(
            f"fixed in {commit[:12]} of the branch, not deployed: the error came from "
            f"{release.attribute} {release.value} ({running[:12]}). Deploy a release with that commit.",
            rule="fixed-not-deployed",
        )


def _without_secrets(run: Run, change: Change) -> Change:
    """Redact what people are shown of a change: old source lines and what the tests printed."""
    redact = run.desk.redactor.redact
    before, after = (
        tests and replace(tests, output=redact(tests.output)) for tests in (change.before, change.after)
    )
    return replace(change, diff=redact(change.diff, code=True), before=before, after=after)
