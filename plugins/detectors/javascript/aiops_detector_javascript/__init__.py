"""Find JavaScript errors in logs."""

from __future__ import annotations

from aiops_detector_javascript._detector import JavascriptConfig, JavascriptErrors

__all__ = ["JavascriptConfig", "JavascriptErrors"]
