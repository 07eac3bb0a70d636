"""In a storm of incidents: decide once for all that wait which are analysed, and which are one for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from aiops_core.policy import Gate, left_out, newcomer, sort_out
from aiops_core.records import Decision
from aiops_core.respond.run import Run
from aiops_core.store import BY_ITSELF, Triaged
from aiops_core.text.phrases import counted


def triage(run: Run) -> Triaged | None:
    """Return what becomes of a run in a storm, None outside of one; it stays so whatever is killed."""
    if run.reason not in BY_ITSELF:
        return None
    store, storm = run.desk.store, run.pipeline.config.notices.storm
    began = run.created_at
    with store.moment():
        known = store.triage.of_run(run.id)
        is_storm = known is None and store.triage.is_storm(run.pipeline.name, began, storm.incidents)
    if not is_storm:
        return known
    with store.transaction():
        decided = store.triage.going_on(run.pipeline.name)
        until = decided[0].until if decided else run.desk.clock() + storm.within
        waiting = store.triage.undecided(run.pipeline.name, run.id, began - storm.within)
        newcomers = [newcomer(number, at, until, incident) for number, at, incident in waiting]
        found = sort_out(newcomers, decided, storm)
        store.triage.save(found)
        _say_who_leads(run, found, [*decided, *found])
    return store.triage.of_run(run.id)


def gate_of(run: Run) -> Gate | None:
    """Return until when the message of a run waits for the end of its storm, and why."""
    if run.triaged is None:
        return None
    return left_out(run.triaged, run.pipeline.config.notices.storm)


def _say_who_leads(run: Run, found: Sequence[Triaged], known: Sequence[Triaged]) -> None:
    runs = {one.incident_id: one for one in known}
    for head, count in Counter(one.part_of for one in found if one.part_of is not None).items():
        of = runs[head]
        text = f"{counted(count, 'incident')} of service {of.service} that came up with it are told as part of it"
        why = Decision("storm", text, setting="notices.storm.together")
        if of.run_id == run.id:
            run.decide(why)
        else:
            run.desk.store.incidents.decide(head, of.run_id, why)
