"""What a first pipeline file is to hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field


class Part(Struct, frozen=True):
    """One step, and what is said above it; one that is ``off`` stands in the file as a comment."""

    uses: str
    settings: Mapping[str, Any] = field(default_factory=dict)  # Any: YAML values
    note: str = ""
    off: bool = False


class Draft(Struct):
    """Steps by kind, and what is known of the repository; ``notes`` are told to whoever asked."""

    name: str
    sources: list[Part] = field(default_factory=list)
    analyzers: list[Part] = field(default_factory=list)
    actions: list[Part] = field(default_factory=list)
    notifiers: list[Part] = field(default_factory=list)
    repository: dict[str, str] = field(default_factory=dict)
    repository_off: dict[str, str] = field(default_factory=dict)
    """Settings of the repository that stand in the file as comments."""
    notes: list[str] = field(default_factory=list)
