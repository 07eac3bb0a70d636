"""The gates before every effect and every message: each yields a Decision or lets things pass."""

from aiops_core.policy.gates import Proposal, may_publish, may_repair, nearer
from aiops_core.policy.matters import Matter, holds, holds_now, incident_matter, matter_of
from aiops_core.policy.questions import may_ask_agent, questions
from aiops_core.policy.routing import Routed, Target, remarks_on, routed, said
from aiops_core.policy.silencing import inhibited, silenced
from aiops_core.policy.storms import Gate, crowded
from aiops_core.policy.timing import (
    gate_for,
    is_calm,
    is_escalating,
    outdated,
    rates,
    reminder_after,
)
from aiops_core.policy.triage import left_out, newcomer, sort_out

__all__ = [
    "Gate",
    "Matter",
    "Proposal",
    "Routed",
    "Target",
    "crowded",
    "gate_for",
    "holds",
    "holds_now",
    "incident_matter",
    "inhibited",
    "is_calm",
    "is_escalating",
    "left_out",
    "matter_of",
    "may_ask_agent",
    "may_publish",
    "may_repair",
    "nearer",
    "newcomer",
    "outdated",
    "questions",
    "rates",
    "remarks_on",
    "reminder_after",
    "routed",
    "said",
    "silenced",
    "sort_out",
]
