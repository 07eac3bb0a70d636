"""Find Java, Kotlin and Scala exceptions in logs."""

from __future__ import annotations

from aiops_detector_java._detector import JavaConfig, JavaErrors

__all__ = ["JavaConfig", "JavaErrors"]
