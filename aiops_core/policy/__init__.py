"""The gates before every effect and every message: each yields a Decision or lets things pass."""

from aiops_core.policy.gates import Proposal, may_publish, may_repair, nearer
from aiops_core.policy.matters import Matter, holds, holds_now, incident_matter, matter_of
from aiops_core.policy.questions import may_ask_agent, questions
from aiops_core.policy.routing import Routed, Target, routed
from aiops_core.policy.storms import Gate, crowded

__all__ = [
    "Gate",
    "Matter",
    "Proposal",
    "Routed",
    "Target",
    "crowded",
    "holds",
    "holds_now",
    "incident_matter",
    "matter_of",
    "may_ask_agent",
    "may_publish",
    "may_repair",
    "nearer",
    "questions",
    "routed",
]
