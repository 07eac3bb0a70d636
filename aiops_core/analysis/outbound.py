"""Records as they may leave the process: every text in them redacted, edits untouched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, TypeGuard, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.records import Change, CodeSample, Edit, Evidence, Frame
from aiops_core.text.redaction import Redactor

R = TypeVar("R")

_KEPT = frozenset(
    {"id", "key", "fingerprint", "state", "severity", "pipeline", "stream", "kind", "action", "detector"}
    | {"link", "status", "language"}
)
_UNTOUCHED = (int, datetime, type, Edit, Change)
_LISTS, _MAPPINGS = (tuple, list), (dict, Mapping)
_FEW = 50
"""Frames that are remembered together; deep recursions would take much memory."""


def redact_record(record: R, redactor: Redactor) -> R:
    """Return the record without secrets; keys, ids and bytes stay.

    Source code loses its literals only, so that it can still be read and quoted. Edits and
    Changes stay as they are: a placeholder must never be written into a file, and what they add
    is checked for secrets where they are applied.
    """
    if redactor.is_clean("\n".join(_texts(record, redactor))):
        return record  # nearly always: one look at all of it costs a tenth of one at each
    return _redact(record, redactor, code=False)  # type: ignore[no-any-return]


def _texts(record: object, redactor: Redactor) -> list[str]:
    """Return what would have to be redacted; of frames that were looked at before nothing."""
    texts: list[str] = []
    left: list[Any] = [record]  # Any: records nest every JSON type
    while left:
        value = left.pop()
        if isinstance(value, str):
            texts.append(value)
        elif not value or isinstance(value, _UNTOUCHED):
            continue
        elif isinstance(value, Struct):
            left += _values(type(value))(value)
        elif isinstance(value, _LISTS):
            if not _is_stack(value) or _redact_frames(_Same(value), redactor) is not value:
                left += value
        elif isinstance(value, _MAPPINGS):
            left += [f"{key}={item}" if isinstance(item, str) else item for key, item in value.items()]
    return texts


def _redact(value: Any, redactor: Redactor, *, code: bool) -> Any:  # Any: records nest every JSON type
    if isinstance(value, str):
        return redactor.redact(value, code=code)
    if not value or isinstance(value, _UNTOUCHED):
        return value
    if isinstance(value, tuple | list):
        return _redact_items(value, redactor, code=code)
    if isinstance(value, dict | Mapping):  # nearly always a dict, which is told at once
        return {key: _redact_entry(key, item, redactor, code=code) for key, item in value.items()}
    is_code = code or isinstance(value, Frame | CodeSample) or _is_source(value)
    return _redact_fields(value, redactor, code=is_code) if isinstance(value, Struct) else value


def _redact_items(
    items: tuple[Any, ...] | list[Any], redactor: Redactor, *, code: bool
) -> Sequence[Any]:  # Any: as above
    if _is_stack(items):
        return _redact_frames(_Same(items), redactor)
    if all(isinstance(item, str) for item in items) and redactor.is_clean("\n".join(items)):
        return items
    return type(items)([_redact(item, redactor, code=code) for item in items])


def _is_stack(items: tuple[Any, ...] | list[Any]) -> TypeGuard[tuple[Frame, ...]]:  # Any: as above
    """Tell whether these are frames that may be remembered."""
    return isinstance(items[0], Frame) and isinstance(items, tuple) and len(items) <= _FEW


class _Same:
    """A key that is equal to those of the very same value alone: to tell that costs nothing."""

    __slots__ = ("value",)

    def __init__(self, value: tuple[Frame, ...]) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


@lru_cache(maxsize=2048)
def _redact_frames(
    frames: _Same, redactor: Redactor
) -> tuple[Frame, ...]:  # repeats share those of the first
    values = (getattr(frame, name) for frame in frames.value for name in _names(Frame))
    if redactor.is_clean("\n".join(value for value in values if isinstance(value, str))):
        return frames.value
    return tuple([_redact_fields(frame, redactor, code=True) for frame in frames.value])


def _redact_fields(record: R, redactor: Redactor, *, code: bool) -> R:
    changed = {}
    for name in _names(type(record)):  # type: ignore[arg-type]
        if before := getattr(record, name):
            after = _redact(before, redactor, code=code)
            if after != before:
                changed[name] = after
    return replace(record, **changed) if changed else record  # type: ignore[type-var]


@cache
def _values(kind: type[Struct]) -> Callable[[Struct], Iterable[Any]]:  # Any: records nest every JSON type
    names = _names(kind)
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: [getattr(record, name) for name in names]


@cache
def _names(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_fields__ if name not in _KEPT)


def _redact_entry(key: Any, value: Any, redactor: Redactor, *, code: bool) -> Any:  # Any: as above
    """Redact a value of a mapping with its name before it: ``password`` tells what ``hunter2`` is."""
    if not isinstance(value, str) or not isinstance(key, str) or "\n" in value:
        return _redact(value, redactor, code=code)
    lead = f"{key}="
    return redactor.redact(lead + value, code=code).removeprefix(lead)


def _is_source(value: object) -> bool:
    return isinstance(value, Evidence) and value.kind == "source"
