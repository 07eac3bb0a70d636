"""Read OTLP/HTTP log requests in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from aiops_source_http.otlp import Attributes, LogRecord, line_of, origin_of
from aiops_source_http.records import Records, Refusal

_ID = re.compile(r"[0-9a-fA-F]{16}|[0-9a-fA-F]{32}|")
_DEEPEST = 32
_UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError)
_KINDS: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("stringValue", str),
    ("boolValue", bool),
    ("intValue", (str, int)),
    ("doubleValue", (float, int, str)),
    ("bytesValue", str),
)
_NUMBERS = {"intValue": int, "doubleValue": float}

Json = Any  # whatever the sender wrote


def read_request(body: bytes, most: int) -> Records:
    """Read a request; records that cannot be read are rejected one by one.

    Raise Refusal when it is no request at all, or longer than ``most`` bytes once written out.
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"no JSON: {error}" if isinstance(error, ValueError) else "nested too deep") from None
    records = Records("otlp_json")
    number = 0
    for origin, record in _records(request):
        number += 1
        try:
            line = line_of(_record(record), origin)
        except _UNREADABLE as error:
            records.reject(number, str(error) or "cannot be read")
            continue
        records.accept(line)
        check_growth(records, most)
    return records


def check_growth(records: Records, most: int) -> None:
    """Raise Refusal when written-out records have become too long."""
    if len(records.lines) > most:
        raise Refusal("written out, the records are too long. Send fewer at once", 413)


def _records(request: Json) -> Iterator[tuple[Attributes, Json]]:
    for resource_logs in _list(_object(request, "the request"), "resourceLogs"):
        resource = _object(resource_logs, "resourceLogs").get("resource") or {}
        attributes = _of_request(_object(resource, "resource"))
        for scope_logs in _list(resource_logs, "scopeLogs"):
            scope = _object(scope_logs, "scopeLogs").get("scope") or {}
            name = _object(scope, "scope").get("name")
            origin = origin_of(attributes, name if isinstance(name, str) else "")
            for record in _list(scope_logs, "logRecords"):
                yield origin, record


def _of_request(resource: dict[str, Json]) -> Attributes:
    try:
        return _attributes(resource)
    except _UNREADABLE as error:
        raise Refusal(f"resource: {error}") from None


def _object(value: Json, what: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Refusal(f"{what} is no JSON object")
    return value


def _list(value: dict[str, Json], name: str) -> list[Json]:
    found = value.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Refusal(f"{name} is no list")
    return found


def _record(value: Json) -> LogRecord:
    if not isinstance(value, dict):
        raise TypeError("the record is no JSON object")
    body = value.get("body")
    return LogRecord(
        time=_number(value, "timeUnixNano"),
        observed=_number(value, "observedTimeUnixNano"),
        severity=_number(value, "severityNumber"),
        level=_text(value, "severityText"),
        body=None if body is None else _any(body, 0),
        attributes=_attributes(value),
        trace=_id(value, "traceId"),
        span=_id(value, "spanId"),
        event=_text(value, "eventName"),
    )


def _attributes(value: dict[str, Json]) -> dict[str, Json]:
    pairs = value.get("attributes") or []
    if not isinstance(pairs, list):
        raise TypeError("attributes is no list")
    return _pairs(pairs, 0)


def _pairs(pairs: list[Json], depth: int) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for pair in pairs:
        if not isinstance(pair, dict) or not isinstance(pair.get("key"), str):
            raise TypeError("an attribute has no key")
        found[pair["key"]] = _any(pair.get("value") or {}, depth)
    return found


def _any(value: Json, depth: int) -> Json:
    """Return the JSON value that an AnyValue stands for."""
    if not isinstance(value, dict):
        raise TypeError('a value is no JSON object such as {"stringValue": …}')
    if depth > _DEEPEST:
        raise ValueError("a value is nested too deep")
    for name, kind in _KINDS:
        if name in value:
            return _plain(name, value[name], kind)
    for name in ("arrayValue", "kvlistValue"):
        if name in value:
            values = (value[name] or {}).get("values") or [] if isinstance(value[name] or {}, dict) else None
            if not isinstance(values, list):
                raise TypeError(f"{name} has no list of values")
            return (
                _pairs(values, depth + 1)
                if name == "kvlistValue"
                else [_any(one, depth + 1) for one in values]
            )
    return None


def _plain(name: str, value: Json, kind: type | tuple[type, ...]) -> Json:
    fits = isinstance(value, kind)
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{name} does not fit its name")
    try:
        return _NUMBERS[name](value) if name in _NUMBERS else value
    except (ValueError, OverflowError):
        raise ValueError(f"{name} is no number") from None


def _number(value: dict[str, Json], name: str) -> int:
    found = value.get(name) or 0
    if isinstance(found, str | int) and not isinstance(found, bool):
        with suppress(ValueError):
            return int(found)
    raise TypeError(f"{name} is no number")


def _text(value: dict[str, Json], name: str) -> str:
    found = value.get(name) or ""
    if not isinstance(found, str):
        raise TypeError(f"{name} is no text")
    return found


def _id(value: dict[str, Json], name: str) -> str:
    found = _text(value, name)
    if not _ID.fullmatch(found):
        raise ValueError(f"{name} is no hexadecimal id")
    return found.lower()
