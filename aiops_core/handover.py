"""Check what components hand over: a wrong type is told where it came from, and goes no further."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from aiops_core.errors import AiopsError
from aiops_core.records import SEVERITIES, Event, LogBatch, RaisedException, Signal

_TEXTS = ("type", "message", "language", "headline", "fingerprint", "key")

R = TypeVar("R")


class WrongType(TypeError):
    """Say what a component handed over, and what it should have."""


_PLAIN = (WrongType, AiopsError)
"""Errors whose words say by themselves what is wrong."""


def events_from(result: object) -> list[Event]:
    """Return what ``detect`` handed over as a list; raise WrongType for what is no event."""
    if result is None:
        return []
    return [_checked(event) for event in (result if isinstance(result, list) else [result])]


def signal_from(signal: object) -> Signal:
    """Return what ``source`` yielded; raise WrongType for what is no signal."""
    if isinstance(signal, Event):
        return _event(signal, "source() yielded")
    if not isinstance(signal, LogBatch):
        raise WrongType(f"source() yielded {named(signal)}. Let it yield a LogBatch or an Event")
    if not isinstance(signal.data, bytes) or not signal.marks:
        raise WrongType(
            "source() yielded a LogBatch without bytes as its data or without marks. Give it both"
        )
    return signal


def handed_over(hook: str, result: object, kind: type[R]) -> R | None:
    """Return what the hook of a step returned; raise WrongType for what is neither of the kind nor None."""
    if result is None or isinstance(result, kind):
        return result
    raise WrongType(f"{hook}() returned {named(result)}. Let it return {_a(kind)} or None")


def told(error: BaseException) -> str:
    """Say what a component did wrong: the end of a sentence that begins with its name, without the full stop."""
    said = str(error).removesuffix(".")
    return f": {said}" if isinstance(error, _PLAIN) else f" raised {type(error).__name__}: {said}"


def _checked(event: object) -> Event:
    if not isinstance(event, Event):
        raise WrongType(f"detect() returned {named(event)}. Let it return an Event, a list of Events or None")
    return _event(event, "detect() returned")


def _event(event: Event, did: str) -> Event:
    for name in _TEXTS:
        if not isinstance(value := getattr(event, name), str):
            raise WrongType(f"{did} an Event whose {name} is {named(value)}. Let it be text")
    if event.severity is not None and event.severity not in SEVERITIES:
        raise WrongType(
            f"{did} an Event whose severity is {event.severity!r}. Let it be one of {', '.join(SEVERITIES)}, or None"
        )
    if event.occurred_at is not None and not isinstance(event.occurred_at, datetime):
        raise WrongType(
            f"{did} an Event whose occurred_at is {named(event.occurred_at)}. Let it be a datetime"
        )
    if not isinstance(event.attributes, Mapping) or not all(
        isinstance(text, str) for pair in event.attributes.items() for text in pair
    ):
        raise WrongType(f"{did} an Event whose attributes are no mapping of text to text. Let them be one")
    if not all(isinstance(one, RaisedException) for one in event.exceptions):
        raise WrongType(f"{did} an Event whose exceptions are not RaisedExceptions. Let them be")
    return event


def _a(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def named(value: object) -> str:
    """Say what a value is, in few words."""
    return "None" if value is None else f"{type(value).__name__} {value!r}"[:100]
