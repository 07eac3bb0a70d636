"""Which of too many incidents are analysed, which are told as they are, and which are part of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from aiops_core.notices import Storm
from aiops_core.policy.matters import incident_matter
from aiops_core.policy.storms import Gate
from aiops_core.records import SEVERITIES, Decision, Incident
from aiops_core.store import Triaged
from aiops_core.text.phrases import counted


def newcomer(run_id: int, began_at: datetime, until: datetime, incident: Incident) -> Triaged:
    """Return what is known of an incident that came up in a storm, nothing decided yet."""
    services = incident_matter(incident).services
    return Triaged(
        run_id=run_id,
        incident_id=incident.id,
        pipeline=incident.pipeline,
        service=services[0] if services else "",
        verdict="raw",
        part_of=None,
        began_at=began_at,
        until=until,
        severity=incident.severity,
        count=incident.count,
    )


def sort_out(newcomers: Sequence[Triaged], known: Sequence[Triaged], storm: Storm) -> list[Triaged]:
    """Return newcomers with what becomes of each; ``known`` are those of the same storm already decided about."""
    heads = [one for one in known if one.part_of is None]
    sorted_out: list[Triaged] = []
    members: Counter[int] = Counter()
    for one in sorted(newcomers, key=_impact):
        head = next((head for head in heads if _are_together(one, head, storm)), None)
        if head is None:
            heads.append(one)
        else:
            members[head.incident_id] += one.count
            sorted_out.append(one.of(head.incident_id))
    new = [one for one in heads if one not in known]
    left = storm.analyse - sum(one.verdict == "analysed" for one in known)
    new.sort(key=lambda one: _impact(one, members[one.incident_id]))
    return [*(one.judged(analysed=number < left) for number, one in enumerate(new)), *sorted_out]


def left_out(one: Triaged, storm: Storm) -> Gate | None:
    """Return why models are not asked and until when the message waits, None for what is analysed."""
    if one.verdict == "analysed":
        return None
    told = f"told by {one.until:%Y-%m-%d %H:%M:%S} UTC with the others, as one message"
    if one.part_of is not None:
        text = f"part of incident {one.part_of}, the gravest of service {one.service} in this storm: no model is asked, {told}"
        return Gate(one.until, "storm", Decision("storm", text, setting="notices.storm.together"))
    text = (
        f"no model is asked: more than {counted(storm.incidents, 'incident')} came up within a minute, and only the "
        f"{storm.analyse} gravest are analysed; {told}"
    )
    return Gate(one.until, "storm", Decision("storm", text, setting="notices.storm.analyse"))


def _impact(one: Triaged, more: int = 0) -> tuple[int, int, int]:
    return SEVERITIES.index(one.severity), -one.count - more, one.incident_id


def _are_together(one: Triaged, head: Triaged, storm: Storm) -> bool:
    is_same = bool(one.service) and one.service == head.service
    is_near = bool(storm.together) and abs(one.began_at - head.began_at) <= storm.together
    return is_same and is_near and SEVERITIES.index(head.severity) <= SEVERITIES.index(one.severity)
