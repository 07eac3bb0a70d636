"""What every model of settings is made of: durations, sizes, and values that cannot change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict

from aiops_core.documented import Documented

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*")
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?)i?b?\s*", re.IGNORECASE)


def _parse_duration(value: Any) -> Any:  # Any: whatever stands in the YAML
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is no duration: write a number and ms, s, m, h or d, as in 90s or 24h")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2] or "s"])


def duration_text(value: timedelta) -> str:
    """Write a length of time the way people write it: ``24h`` as ``1d``."""
    seconds = value.total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _parse_size(value: Any) -> Any:  # Any: whatever stands in the YAML
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is no size: write a number and KB, MB or GB, as in 256KB")
    return int(float(match[1]) * 1024 ** " kmg".index(match[2].lower() or " "))


def size_text(value: int) -> str:
    """Write a number of bytes the way people write it: ``262144`` as ``256KB``."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "KB")):
        if value and value % 1024**power == 0:
            return f"{value // 1024**power}{unit}"
    return str(value)


Duration = Annotated[timedelta, BeforeValidator(_parse_duration, json_schema_input_type=str | float)]
"""A length of time: ``90s``, ``24h``, or a number of seconds."""
Size = Annotated[int, BeforeValidator(_parse_size, json_schema_input_type=str | int)]
"""A number of bytes: ``256KB``, ``10MB`` (1 KB = 1024 bytes)."""


class Config(Documented):
    """Be the ancestor of everything people configure: unknown keys refused, values frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, hide_input_in_errors=True)
    gone: ClassVar[Mapping[str, str]] = {}
    """Settings there are no more, and what is said to those who write them."""
