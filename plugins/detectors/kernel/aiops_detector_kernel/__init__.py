"""Find reports of operating system kernels in logs."""

from __future__ import annotations

from aiops_detector_kernel._detector import KernelConfig, KernelErrors

__all__ = ["KernelConfig", "KernelErrors"]
