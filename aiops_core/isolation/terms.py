"""What the program and the process of a component know of each other: an order, and terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field
from pydantic import SecretStr

from aiops_core.claims import Claim
from aiops_core.records import Json, StopLevel

STOPPED_FOR_MEMORY = 77
"""Exit code of a process that had no memory left to say so."""


class Order(Struct, frozen=True):
    """Which component a process is to be, and where it finds itself; it goes over the pipe alone."""

    kind: str
    uses: str
    directory: str
    settings: Mapping[str, Json]
    resolved: tuple[tuple[str | int, ...], ...] = ()
    """Where in the settings values stand that came through a reference."""
    empty: tuple[tuple[tuple[str | int, ...], str], ...] = ()
    """Where in the settings an environment variable stands that is set to nothing, and its name."""
    label: str = ""
    """What people call it where something is wrong with it."""
    memory: int = 0
    """Bytes it may allocate."""
    is_thorough: bool = False
    """Whether it is to look at what its settings name when it is asked for its terms."""


class Surroundings(Struct, frozen=True):
    """What of its context a component gets along with each start."""

    pipeline: str = ""
    name: str = ""
    once: bool = False
    scratch: str = ""
    mirrors: str = ""
    repository: Mapping[str, Json] | None = None
    language: str = "en"
    state: Mapping[str, Json] = field(default_factory=dict)
    level: int = 20
    is_started: bool = True
    """Whether the component is started, or only asked what is wrong with it."""


class Mistake(Struct, frozen=True):
    """What is wrong with a step: below which of its keys, at which place there."""

    key: Literal["uses", "with"]
    place: tuple[str | int, ...]
    text: str
    label: str | None = None


class Terms(Struct, frozen=True):
    """What the host has to know of a component it never sees."""

    mistakes: tuple[Mistake, ...] = ()
    timeout: float | None = None
    """Seconds its own setting of this name says."""
    is_silent: bool = True
    """Whether it has nothing to say of how it works on this machine."""
    triggers: tuple[str, ...] = ()
    is_trace: bool = True
    reads_numbers: bool = True
    cuts: bool = False
    """Whether a detector claims more than the line that was hit."""
    resumes: bool = True
    checks_senders: bool = True
    places: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    is_agent: bool = False
    is_offline: bool = False
    reaches: StopLevel = "patch"
    attempts: int = 3
    retry_after: float = 300.0
    takes_digests: bool = True


def exposed(value: Any) -> Json:  # Any: settings as pydantic dumps them
    """Return settings as JSON values, secrets as they are: for the pipe alone."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {str(key): exposed(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [exposed(item) for item in value]
    if isinstance(value, str | int | float | bool | None):
        return value
    return value.total_seconds() if hasattr(value, "total_seconds") else str(value)


def resolved_in(
    value: Any, kind: type[str], place: tuple[str | int, ...] = ()
) -> list[tuple[str | int, ...]]:
    """Return the places of all values of a kind of text."""
    if isinstance(value, kind):
        return [place]
    if isinstance(value, str):
        return []
    parts = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    return [found for key, part in parts for found in resolved_in(part, kind, (*place, key))]


def at_place(value: Any, place: tuple[str | int, ...], make: type[str]) -> Any:  # Any: JSON values
    """Return the value with the text at a place made one of a kind."""
    if not place:
        return make(value)
    first, *rest = place
    inner = at_place(value[first], tuple(rest), make)
    if isinstance(value, list):
        return [inner if index == first else item for index, item in enumerate(value)]
    return {**value, first: inner}
