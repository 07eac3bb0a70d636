"""Write documents as lines: a pure function of the document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from aiops_core import Found, carry

Fields = Mapping[str, Any]  # whatever was indexed
_HOST = ("host.name", "host.hostname", "hostname", "host", "kubernetes.node.name", "agent.hostname")
_SERVICE = (
    "service.name",
    "kubernetes.container.name",
    "container.name",
    "log.syslog.appname",
    "process.name",
    "program",
    "event.dataset",
)
_PID = ("process.pid", "log.syslog.procid")
_LEVEL = ("log.level", "level", "severity_text", "severity", "levelname", "log.syslog.severity.name")
_ATTRIBUTES = {
    "container": ("kubernetes.container.name", "container.name"),
    "pod": ("kubernetes.pod.name",),
    "namespace": ("kubernetes.namespace",),
    "release": ("service.version",),
    "thread": ("process.thread.name",),
    "file": ("log.file.path",),
}
_TRACE = re.compile(r"stack|trace|exception", re.IGNORECASE)
_TIME = re.compile(r"(.{19})(?:\.(\d{1,9}))?Z")
_LONGEST_RECORD = 1 << 20
_DEEPEST = 20


def read_time(value: object) -> int:
    """Return the nanoseconds since 1970 of a sort value; raise ValueError for what is no time."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no time")
    seconds = int(datetime.fromisoformat(f"{found[1]}+00:00").timestamp())
    return seconds * 10**9 + int((found[2] or "0").ljust(9, "0"))


def read_hit(hit: Fields, message_field: str, stream_fields: Sequence[str]) -> Found:
    """Return the entry that a hit of a search is."""
    time = read_time(hit["sort"][0])
    fields: Fields = hit.get("_source") or {}
    attributes = {name: _first(fields, paths) for name, paths in _ATTRIBUTES.items()}
    data = carry(
        _text(fields, message_field),
        time=time,
        level=_first(fields, _LEVEL),
        host=_first(fields, _HOST),
        service=_first(fields, _SERVICE),
        pid=_first(fields, _PID),
        attributes={"stream": _stream(fields, stream_fields), **attributes},
    )
    return Found(time, f"{hit.get('_index', '')}/{hit['_id']}", data)


def value_of(fields: Fields, path: str) -> object:
    """Return the value at a dotted path, whichever of its dots are nesting; None without one."""
    if path in fields:
        return fields[path]
    for dot in (found.start() for found in re.finditer(r"\.", path)):
        below = fields.get(path[:dot])
        if isinstance(below, Mapping) and (value := value_of(below, path[dot + 1 :])) is not None:
            return value
    return None


def _first(fields: Fields, paths: Iterable[str]) -> str:
    for path in paths:
        value = value_of(fields, path)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str | int | float) and str(value):
            return str(value)
    return ""


def _stream(fields: Fields, paths: Sequence[str]) -> str:
    """Name the writer of a line; "" where no field tells."""
    values = [_first(fields, [path]) for path in paths]
    if not any(values):
        return ""
    return blake2b("\0".join(values).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _text(fields: Fields, message_field: str) -> str:
    """Return the message; the whole document on one line where it holds more than a message of one line."""
    message = value_of(fields, message_field)
    if isinstance(message, str) and not _has_lines(fields):
        return message
    record = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return message if isinstance(message, str) and len(record) > _LONGEST_RECORD else record


def _has_lines(value: object, name: str = "", depth: int = 0) -> bool:
    """Tell whether a document holds a text of several lines, or a trace as a list."""
    if isinstance(value, str):
        return "\n" in value.strip()
    if depth > _DEEPEST:
        return False
    if isinstance(value, Mapping):
        return any(_has_lines(member, key, depth + 1) for key, member in value.items())
    if not isinstance(value, list) or not value:
        return False
    is_trace = _TRACE.search(name) is not None and (len(value) > 1 or isinstance(value[0], Mapping))
    return is_trace or any(_has_lines(member, "", depth + 1) for member in value)
