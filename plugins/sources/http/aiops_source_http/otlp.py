"""Write OTLP log records as JSON lines, whatever encoding they came in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct, field

from aiops_source_http.lines import one_line

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_LONGEST_ORIGIN = 16 * 1024

Attributes = Mapping[str, Any]  # Any: JSON values, as the sender chose them


class LogRecord(Struct, frozen=True):
    """One record as OTLP has it; times in nanoseconds since 1970, 0 where unknown."""

    time: int = 0
    observed: int = 0
    severity: int = 0
    level: str = ""
    body: Any = None  # Any: a JSON value
    attributes: Attributes = field(default_factory=dict)
    trace: str = ""
    span: str = ""
    event: str = ""


def line_of(record: LogRecord, origin: Attributes) -> bytes:
    """Return a record as one line; ``origin`` are the attributes of its resource and scope."""
    line: dict[str, Any] = {}
    if time := _time(record.time or record.observed):
        line["time"] = time
    if level := record.level or _level(record.severity):
        line["severity"] = level
    line |= origin
    line |= {name: value for name, value in record.attributes.items() if name not in line or name in origin}
    if record.event:
        line["event.name"] = record.event
    if record.body not in (None, ""):
        line["message" if isinstance(record.body, str) else "body"] = record.body
    if record.trace:
        line["trace_id"] = record.trace
    if record.span:
        line["span_id"] = record.span
    return one_line(line)


def origin_of(resource: Attributes, scope: str) -> Attributes:
    """Return what every line of a scope carries; a resource too large for that keeps its service."""
    origin = {**resource, **({"otel.scope.name": scope} if scope else {})}
    if len(one_line(origin)) <= _LONGEST_ORIGIN:
        return origin
    names = ("service.name", "service.namespace", "service.version", "host.name")
    return {name: str(origin[name])[:200] for name in names if name in origin}


def _level(severity: int) -> str:
    return _LEVELS[(severity - 1) // 4] if 1 <= severity <= 24 else ""


def _time(nanoseconds: int) -> str:
    try:
        moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if nanoseconds else ""
