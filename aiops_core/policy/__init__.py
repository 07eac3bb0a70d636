"""The gates between an analysis and an effect: each yields a Decision or lets things pass."""

from aiops_core.policy.gates import Proposal, may_publish, may_repair, nearer
from aiops_core.policy.questions import may_ask_agent, questions

__all__ = ["Proposal", "may_ask_agent", "may_publish", "may_repair", "nearer", "questions"]
