"""Find errors of Dart and Flutter programs in logs."""

from __future__ import annotations

from aiops_detector_dart._detector import DartConfig, DartErrors

__all__ = ["DartConfig", "DartErrors"]
