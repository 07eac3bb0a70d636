"""Which incidents a written answer is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import Field, field_validator, model_validator

from aiops_core.config import Config
from aiops_core.records import Event, Incident

_CAP = 4_096
"""Characters that ``re`` looks at, where RE2 with its linear time has no wheel."""
_SEPARATORS = re.compile(r"[./\\:#$]")


class IncidentMatch(Config):
    """What an incident must have; every key that is given must fit."""

    type: str = ""
    """Type of the error or of one of its causes, whole or its last part, as in ``KeyError``."""
    message: str = ""
    """Regular expression searched in types and messages of the error and its causes, and in its headline."""
    text: str = ""
    """Regular expression searched in the whole logged error."""
    function: str = ""
    """Name of a function in the stack, whole or its last part."""
    file: str = ""
    """End of the path of a file in the stack, by whole names, as in ``shop/cart.py``."""
    fingerprint: str = Field(default="", pattern=r"^$|^\S{6,}$")
    """Fingerprint of the incident, or its first characters (six or more)."""

    @field_validator("message", "text")
    @classmethod
    def _check_pattern(cls, pattern: str) -> str:
        if pattern:
            _searcher(pattern)
        return pattern

    @model_validator(mode="after")
    def _check_anything(self) -> IncidentMatch:
        if not any(getattr(self, name) for name in type(self).model_fields):
            names = ", ".join(type(self).model_fields)
            raise ValueError(f"it would fit every incident: give at least one of {names}")
        return self

    def fits(self, incident: Incident) -> bool:
        """Return whether everything given here is found in the incident."""
        events = incident.events[:1]
        return (
            incident.fingerprint.startswith(self.fingerprint)
            and _any_ends(self.type, _types(incident))
            and (not self.function or _any_ends(self.function, _frame_parts(events, "function")))
            and (not self.file or _any_path_ends(self.file, _frame_parts(events, "file")))
            and (not self.message or _searcher(self.message)("\n".join(_said(incident))))
            and (not self.text or any(_searcher(self.text)(event.block) for event in events))
        )


def _types(incident: Incident) -> Iterator[str]:
    yield incident.type
    for event in incident.events[:1]:
        yield from (error.type for error in event.exceptions)


def _said(incident: Incident) -> Iterator[str]:
    yield f"{incident.type}: {incident.message}"
    for event in incident.events[:1]:
        yield event.headline
        yield f"{event.type}: {event.message}"
        yield from (f"{error.type}: {error.message}" for error in event.exceptions)


def _frame_parts(events: tuple[Event, ...], part: str) -> Iterator[str]:
    for event in events:
        for error in event.exceptions:
            yield from (getattr(frame, part) for frame in error.frames)


def _any_ends(wanted: str, names: Iterator[str]) -> bool:
    parts = [part for part in _SEPARATORS.split(wanted) if part]
    return not parts or any(
        [part for part in _SEPARATORS.split(name) if part][-len(parts) :] == parts for name in names
    )


def _any_path_ends(wanted: str, paths: Iterator[str]) -> bool:
    parts = wanted.replace("\\", "/").strip("/").split("/")
    return any(path.replace("\\", "/").split("/")[-len(parts) :] == parts for path in paths)


def _searcher(pattern: str) -> Callable[[str], bool]:
    """Return a search in linear time, or one on a capped text; raise ValueError for a bad pattern."""
    try:
        import re2  # type: ignore[import-untyped]
    except ImportError:
        return _with_re(pattern)
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Any = re2.compile(pattern, options=options)  # Any: re2 has no types
    except re2.error as error:
        hint = " (look-around and back-references are not known here)" if "(?" in pattern else ""
        raise ValueError(f"{pattern!r} is no regular expression: {_words(error)}{hint}") from None
    return lambda text: compiled.search(text.encode("utf-8", "replace").decode()) is not None


def _with_re(pattern: str) -> Callable[[str], bool]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    return lambda text: compiled.search(text[:_CAP]) is not None


def _words(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
