"""Read OTLP/HTTP log requests in protobuf; the numbers are those of the published schema."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from aiops_source_http import wire
from aiops_source_http.otlp import Attributes, LogRecord, line_of, origin_of
from aiops_source_http.otlp_json import check_growth
from aiops_source_http.records import Records, Refusal

_DEEPEST = 32
_RESOURCE_LOGS = 1
_RESOURCE, _SCOPE_LOGS = 1, 2
_SCOPE, _LOG_RECORDS = 1, 2
_ATTRIBUTES_OF_RESOURCE = 1
_NAME_OF_SCOPE = 1
_KEY, _VALUE = 1, 2
_VALUES = 1


def read_request(body: bytes, most: int) -> Records:
    """Read a request; records that cannot be read are rejected one by one.

    Raise Refusal when it is no request at all, or longer than ``most`` bytes once written out.
    """
    records = Records("otlp_protobuf")
    number = 0
    try:
        for origin, record in _records(body):
            number += 1
            try:
                line = line_of(_record(record), origin)
            except wire.WireError as error:
                records.reject(number, str(error))
                continue
            records.accept(line)
            check_growth(records, most)
    except wire.WireError as error:
        raise Refusal(f"no protobuf log request: {error}") from None
    return records


def _messages(data: bytes, number: int) -> list[bytes]:
    return [wire.raw(value) for at, value in wire.fields(data) if at == number]


def _records(body: bytes) -> Iterator[tuple[Attributes, bytes]]:
    for resource_logs in _messages(body, _RESOURCE_LOGS):
        attributes: dict[str, Any] = {}  # Any: JSON values
        for resource in _messages(resource_logs, _RESOURCE):
            attributes |= _attributes(resource, _ATTRIBUTES_OF_RESOURCE, 0)
        for scope_logs in _messages(resource_logs, _SCOPE_LOGS):
            scopes = _messages(scope_logs, _SCOPE)
            names = [name for scope in scopes for name in _messages(scope, _NAME_OF_SCOPE)]
            origin = origin_of(attributes, wire.text(names[-1]) if names else "")
            for record in _messages(scope_logs, _LOG_RECORDS):
                yield origin, record


def _record(data: bytes) -> LogRecord:
    known: dict[str, Any] = {}  # Any: what the fields of a record hold
    attributes: dict[str, Any] = {}
    for at, value in wire.fields(data):
        match at:
            case 1:
                known["time"] = wire.fixed64(value)
            case 11:
                known["observed"] = wire.fixed64(value)
            case 2:
                known["severity"] = wire.number(value)
            case 3:
                known["level"] = wire.text(value)
            case 5:
                known["body"] = _any(wire.raw(value), 0)
            case 6:
                name, held = _pair(wire.raw(value), 0)
                attributes[name] = held
            case 9:
                known["trace"] = wire.raw(value).hex()
            case 10:
                known["span"] = wire.raw(value).hex()
            case 12:
                known["event"] = wire.text(value)
    return LogRecord(**known, attributes=attributes)


def _attributes(data: bytes, number: int, depth: int) -> dict[str, Any]:  # Any: JSON values
    return dict(_pair(pair, depth) for pair in _messages(data, number))


def _pair(data: bytes, depth: int) -> tuple[str, Any]:  # Any: a JSON value
    key, value = "", None
    for at, part in wire.fields(data):
        if at == _KEY:
            key = wire.text(part)
        elif at == _VALUE:
            value = _any(wire.raw(part), depth)
    return key, value


def _any(data: bytes, depth: int) -> Any:  # Any: the JSON value that an AnyValue stands for
    if depth > _DEEPEST:
        raise wire.WireError("a value is nested too deep")
    result: Any = None
    for at, value in wire.fields(data):
        match at:
            case 1:
                result = wire.text(value)
            case 2:
                result = wire.number(value) != 0
            case 3:
                result = wire.signed(value)
            case 4:
                result = wire.double(value)
            case 5:
                result = [_any(one, depth + 1) for one in _messages(wire.raw(value), _VALUES)]
            case 6:
                result = _attributes(wire.raw(value), _VALUES, depth + 1)
            case 7:
                result = base64.b64encode(wire.raw(value)).decode()
    return result
