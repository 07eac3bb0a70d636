"""Records as plain JSON values, as JSON text, and back."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, TypeVar

from msgspec import ValidationError, convert, to_builtins
from msgspec.json import Decoder, Encoder

from aiops_core.records import Change, Json

T = TypeVar("T")
_ALPHABET = str.maketrans("-_", "+/")


def to_plain(record: object) -> Json:
    """Return a record as JSON values, bytes in base64; raise TypeError for one that holds what is no JSON."""
    return _listed(to_builtins(record, enc_hook=_plainer))


def from_plain(kind: type[T], value: Json) -> T:
    """Return the record of this type again; raise ValueError for what is none."""
    _decoder(kind)
    try:
        return convert(value, kind, dec_hook=_settings)
    except ValidationError:
        if kind is not Change:
            raise
        return convert(_as_now(value), kind, dec_hook=_settings)


def to_text(record: object) -> str:
    """Return a record as JSON text; lone surrogates, which JSON text cannot hold, are escaped."""
    try:
        return _encode(record).decode()
    except UnicodeEncodeError:
        return _encode(_without_surrogates(to_plain(record))).decode()


def from_text(kind: type[T], text: str) -> T:
    """Return the record of this type again; raise ValueError for what is none."""
    try:
        record: T = _decoder(kind).decode(text)
    except ValidationError:
        if kind is not Change:
            raise
        return from_plain(kind, _decoder(Any).decode(text))
    return record


def escaped(text: str) -> str:
    """Return text with its lone surrogates escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _listed(value: Json) -> Json:
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return value


def _plainer(value: object) -> Json:
    """Return the plain value of one that is more than that: settings, a path, some kind of text."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str | PurePath):
        return str(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no JSON")


def _settings(kind: type, value: Json) -> Any:  # Any: settings of that kind
    if not hasattr(kind, "model_validate"):
        raise TypeError(f"{kind.__name__} cannot be made of JSON")
    return kind.model_validate(value)


def _as_now(change: Json) -> Json:
    """Return a change whose contents were written in the alphabet of URLs, as by the first versions."""
    try:
        files = [
            {**file, "content": file["content"] and file["content"].translate(_ALPHABET)}
            for file in change["files"]
        ]
        return {**change, "files": files}
    except (AttributeError, KeyError, TypeError):
        return change


def _without_surrogates(value: Json) -> Json:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value


def _decoder(kind: type[T]) -> Decoder[T]:
    """Return what reads this type, made by one thread: msgspec shows others a type that is half looked at."""
    decoder = _decoders.get(kind)
    if decoder is None:
        with _making:
            decoder = _decoders[kind] = Decoder(kind, dec_hook=_settings)
    return decoder


_encode = Encoder(enc_hook=_plainer).encode
_decoders: dict[Any, Decoder[Any]] = {}  # Any: one for each kind
_making = threading.Lock()
