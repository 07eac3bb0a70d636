"""Find PHP exceptions and fatal errors in logs."""

from __future__ import annotations

from aiops_detector_php._detector import PhpConfig, PhpErrors

__all__ = ["PhpConfig", "PhpErrors"]
