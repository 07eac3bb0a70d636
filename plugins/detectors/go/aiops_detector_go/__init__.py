"""Find Go panics, fatal errors and data races in logs."""

from __future__ import annotations

from aiops_detector_go._detector import GoConfig, GoErrors

__all__ = ["GoConfig", "GoErrors"]
