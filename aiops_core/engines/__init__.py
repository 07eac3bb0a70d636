"""Who wakes workers: an engine hands leased jobs to them; the database stays the truth."""

from aiops_core.engines.local import LocalEngine

__all__ = ["LocalEngine"]
