"""Find crashes of Swift and Objective-C programs in logs."""

from __future__ import annotations

from aiops_detector_swift._detector import SwiftConfig, SwiftErrors

__all__ = ["SwiftConfig", "SwiftErrors"]
