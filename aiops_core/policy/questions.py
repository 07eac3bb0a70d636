"""What only a person lets happen, whatever the mode of the action."""

from __future__ import annotations

from aiops_core.records import Change, Decision, Incident
from aiops_core.settings import Policy


def questions(incident: Incident, change: Change | None, policy: Policy) -> list[str]:
    """Return why a person has to allow what follows from an analysis; empty when nobody has to."""
    asked = change.asks if change is not None else ()
    found = [why for question, why in asked if question in policy.ask_for]
    if _is_from_strangers(incident, policy):
        found.append("nobody checked who sent the events")
    return found


def may_ask_agent(incident: Incident, name: str, reason: str, policy: Policy) -> Decision | None:
    """Return why an agent is not asked about an incident, None when it may be; ``reason`` is the run's."""
    if reason == "retry" or not _is_from_strangers(incident, policy):
        return None
    text = (
        f"{name}: not asked, an agent acts on events only whose senders are known. "
        f"Look at them, then 'aiops incidents retry {incident.id}' lets it answer"
    )
    return Decision("unauthenticated", text, setting="policy.ask_for")


def _is_from_strangers(incident: Incident, policy: Policy) -> bool:
    return "unauthenticated" in policy.ask_for and any(event.unauthenticated for event in incident.events)
