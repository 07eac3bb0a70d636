"""The program watches itself: canaries, what it needs outside, queue, disks; and says it over HTTP."""

from aiops_core.watch.board import Board
from aiops_core.watch.metrics import make_metrics
from aiops_core.watch.selfwatch import SelfWatch

__all__ = ["Board", "SelfWatch", "make_metrics"]
