"""The gates between an analysis and an effect: each yields a Decision or lets things pass."""

from aiops_core.policy.gates import Proposal, may_publish, may_repair, nearer
from aiops_core.policy.questions import questions

__all__ = ["Proposal", "may_publish", "may_repair", "nearer", "questions"]
