"""Find the name of an exception in a JSON record that holds its backtrace as a list."""

from __future__ import annotations

import json
from typing import Any

from aiops_core import lazy_pattern
from aiops_detector_ruby._lines import Head

_TYPES = ("class", "exception_class", "error_class", "name", "type", "kind", "exception", "error")
_MESSAGES = ("message", "exception_message", "error_message", "msg", "error")
_NAME = lazy_pattern(r"[A-Z]\w*(?:::[A-Z]\w*)*$")
_TRACES = frozenset({"backtrace", "stack_trace", "stacktrace", "stack", "trace"})
_DEEPEST = 6


def read_record(raw: str) -> Head | None:
    """Return what the object beside the backtrace says; None for a line that is no JSON record."""
    start = raw.find("{")
    try:
        fields = json.loads(raw[start:]) if 0 <= start <= 200 else None
    except (ValueError, RecursionError):
        return None
    if isinstance(fields, dict) and isinstance(fields.get("log"), str) and fields["log"].startswith("{"):
        return read_record(fields["log"])  # as docker keeps it
    return _in_object(fields, _DEEPEST)


def _in_object(value: Any, depth: int) -> Head | None:  # Any: whatever was logged
    if not isinstance(value, dict) or not depth:
        return None
    inner = (_in_object(member, depth - 1) for member in value.values())
    head = next((found for found in inner if found is not None), None)
    if head is not None or not any(_is_trace(name) for name in value):
        return head
    name = _first(value, _TYPES)
    return Head(name, _first_text(value)) if _NAME.match(name) else None


def _is_trace(name: str) -> bool:
    return name.lower() in _TRACES or name.lower().endswith(("_backtrace", "_stacktrace"))


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> str:  # Any: whatever was logged
    values = (fields.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and _NAME.match(value)), "")


def _first_text(fields: dict[str, Any]) -> str:  # Any: whatever was logged
    values = (fields.get(name) for name in _MESSAGES)
    return next((value for value in values if isinstance(value, str) and not _NAME.match(value)), "")
