"""The whole pipeline on recorded logs: a clock that follows the logs, and no effect on anything."""

from aiops_core.replay.expectation import difference, narrowed, written
from aiops_core.replay.logs import read_logs
from aiops_core.replay.play import replay

__all__ = ["difference", "narrowed", "read_logs", "replay", "written"]
