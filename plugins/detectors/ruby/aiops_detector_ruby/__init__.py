"""Find uncaught and logged Ruby exceptions."""

from __future__ import annotations

from aiops_detector_ruby._detector import RubyConfig, RubyErrors

__all__ = ["RubyConfig", "RubyErrors"]
