"""Find .NET exceptions in logs."""

from __future__ import annotations

from aiops_detector_dotnet._detector import DotnetConfig, DotnetErrors

__all__ = ["DotnetConfig", "DotnetErrors"]
