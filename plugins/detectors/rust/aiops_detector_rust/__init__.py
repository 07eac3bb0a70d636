"""Find Rust panics and error reports in logs."""

from __future__ import annotations

from aiops_detector_rust._detector import RustConfig, RustErrors

__all__ = ["RustConfig", "RustErrors"]
