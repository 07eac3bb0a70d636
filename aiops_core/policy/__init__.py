"""The gates between an analysis and an effect: each yields a Decision or lets things pass."""

from aiops_core.policy.gates import may_repair

__all__ = ["may_repair"]
