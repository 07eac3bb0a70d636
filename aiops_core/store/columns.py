"""How values become columns: times, text, JSON and frozen records, the last two with a checksum."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Generic, TypeVar
from zlib import crc32

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from aiops_core.errors import StoreError
from aiops_core.plain import escaped, from_text, to_text
from aiops_core.records import Json

T = TypeVar("T")
_DAMAGED = (
    "the state database: a row is damaged, its checksum does not fit. Run 'aiops db check', and put a "
    "backup in its place with 'aiops db restore'."
)
_json = json.JSONEncoder(separators=(",", ":")).encode
_ESCAPED = re.compile(r"\\u(d[89a-f][0-9a-f]{2})")


class Time(TypeDecorator[datetime]):
    """Keep a time as UTC text of one width, so that text order is time order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Words(TypeDecorator[str]):
    """Keep text from outside, lone surrogates (of file names, of JSON logs) escaped on the way."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else escaped(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or "\\u" not in value:
            return value
        return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)


class JsonValue(TypeDecorator[Json]):
    """Keep JSON as it came; None is NULL. ``instead`` makes what stands for what the disk has damaged."""

    impl = Text
    cache_ok = True

    def __init__(self, instead: Callable[[], Json] | None = None) -> None:
        self.instead = instead
        super().__init__()

    def process_bind_param(self, value: Json, dialect: Dialect) -> str | None:
        return None if value is None else sealed(_json(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Json:
        if value is None:
            return None
        return _read(value, json.loads, self.instead)


class Record(TypeDecorator[T], Generic[T]):
    """Keep a frozen record as JSON and give it back as it was; ``instead`` is as of a JsonValue."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[T], instead: Callable[[], T] | None = None) -> None:
        self.kind = kind
        self.instead = instead
        super().__init__()

    def process_bind_param(self, value: T | None, dialect: Dialect) -> str | None:
        return None if value is None else sealed(to_text(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> T | None:
        if value is None:
            return None
        return _read(value, partial(from_text, self.kind), self.instead)


def _read(value: str, parse: Callable[[str], T], instead: Callable[[], T] | None) -> T:
    """Return what was kept; where the disk has damaged it what stands for it, or raise StoreError."""
    try:
        return parse(opened(value))
    except (StoreError, ValueError) as error:  # whatever was damaged, the mark of the checksum too
        problem = error if isinstance(error, StoreError) else StoreError(_DAMAGED)
    if instead is None:
        raise problem
    logging.getLogger("aiops.store").error("%s Until then something stands in its place.", problem)
    return instead()


def sealed(text: str) -> str:
    """Return JSON text with its checksum below: a disk may change what it keeps, and say nothing."""
    return f"{text}\n{crc32(text.encode()):08x}"


def opened(text: str) -> str:
    """Return the text that was sealed; raise StoreError where it is not what was sealed.

    Text of versions that sealed nothing is taken as it is.
    """
    if text[-9:-8] != "\n":
        return text
    if f"{crc32(text[:-9].encode('utf-8', 'surrogatepass')):08x}" != text[-8:]:
        raise StoreError(_DAMAGED)
    return text[:-9]
