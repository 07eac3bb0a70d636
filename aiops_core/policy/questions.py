"""What a person is asked about before a fix is published, whatever the mode of the action."""

from __future__ import annotations

from aiops_core.records import Change
from aiops_core.settings import Policy


def questions(change: Change | None, policy: Policy) -> list[str]:
    """Return why a person has to allow what follows from an analysis; empty when nobody has to."""
    asked = change.asks if change is not None else ()
    return [why for question, why in asked if question in policy.ask_for]
