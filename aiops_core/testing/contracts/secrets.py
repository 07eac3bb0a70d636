"""Find the secrets of a component's settings, and give a value to those that nobody set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from itertools import pairwise
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from aiops_core.config import Config

CANARY = "canary-4f1c0d9be8a74e0d"
"""The value of every secret setting for which the bench gives none."""
_SHORTEST = 4
"""Characters of a secret below which it is in any text."""
_LISTS = (list, tuple, set, frozenset, Sequence)
Place = tuple[str | int, ...]
"""Names of settings, and 0 for the first of a list."""


def with_every_secret(kind: type[Config], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with a value for every secret, nested ones too, that goes with the others."""
    whole = deepcopy(dict(settings))  # Any: as people write them
    for place in _places(kind, ()):
        longer = deepcopy(whole)
        if _set(longer, place):
            with suppress(ValidationError):  # secrets that exclude each other
                kind.model_validate(longer)
                whole = longer
    return whole


def secrets_in(value: object) -> Iterator[str]:
    """Yield the secrets of a configuration that are long enough to be looked for."""
    if isinstance(value, SecretStr):
        if len(value.get_secret_value()) >= _SHORTEST:
            yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from secrets_in(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from secrets_in(one)


def models_in(annotation: object) -> Iterator[tuple[Place, type[Config]]]:
    """Yield the nested settings of a field, each with its place within."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        yield (), annotation
    within: Place = (0,) if get_origin(annotation) in _LISTS else ()
    for argument in get_args(annotation):
        for place, model in models_in(argument):
            yield (*within, *place), model


def _places(kind: type[Config], above: tuple[type[Config], ...]) -> Iterator[Place]:
    if kind in above:
        return  # settings within themselves: once is enough
    for name, info in kind.model_fields.items():
        here: Place = (info.alias or name,)
        if info.annotation is SecretStr or SecretStr in get_args(info.annotation):
            yield here
        for within, model in models_in(info.annotation):
            yield from ((*here, *within, *place) for place in _places(model, (*above, kind)))


def _set(settings: dict[str, Any], place: Place) -> bool:  # Any: as people write them
    """Set one that is not there; return whether it was."""
    node: Any = settings
    for step, below in pairwise(place):
        node = _below(node, step, [] if below == 0 else {})
    if not isinstance(node, dict) or place[-1] in node:
        return False
    node[place[-1]] = CANARY
    return True


def _below(node: Any, step: str | int, default: object) -> Any:  # Any: as people write them
    if isinstance(node, list):
        if not node:
            node.append(default)
        return node[0]
    return node.setdefault(step, default) if isinstance(node, dict) else None
