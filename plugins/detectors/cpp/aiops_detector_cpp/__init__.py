"""Find crashes of programs in C, C++ and other native languages in logs."""

from __future__ import annotations

from aiops_detector_cpp._detector import CppConfig, CppErrors

__all__ = ["CppConfig", "CppErrors"]
