"""Read which release and service a JSON or logfmt line says it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_NAMES = frozenset(
    {
        "commit",
        "git_commit",
        "git.commit",
        "git.commit.sha",
        "git_sha",
        "revision",
        "vcs.revision",
        "vcs.ref.head.revision",
        "release",
        "version",
        "service.version",
        "app_version",
    }
)
_WITHIN = ("service", "dd", "git", "vcs")
"""Objects whose members are named with a dot elsewhere."""
_OTHERWISE = {
    "dd.version": "version",
    "dd.service": "service",
    "service": "service",
    "service.name": "service",
    "service_name": "service",
}
"""What else is read, and under which name."""
_HINTS = ("version", "release", "commit", "revision", "git_sha", "service")
_LONGEST_LINE = 64 * 1024
_PAIR = re.compile(
    r"(?:^|\s)(?P<name>[\w.@-]{1,40})=(?:\"(?P<quoted>(?:[^\"\\]|\\.)*+)\"|(?P<bare>[^\s\"]{1,200}))"
)


def origin_in(line: str, start: int) -> Mapping[str, str]:
    """Return what a line says of its release and service, one that is JSON or logfmt from ``start`` on."""
    if len(line) > _LONGEST_LINE or not any(hint in line for hint in _HINTS):
        return {}
    if line.startswith("{", start):
        return _in_json(line[start:])
    pairs = {found["name"]: found["bare"] or found["quoted"] for found in _PAIR.finditer(line, start)}
    return _origin(pairs)


def _in_json(text: str) -> Mapping[str, str]:
    try:
        fields: Any = json.loads(text)  # Any: whatever was logged
    except (ValueError, RecursionError):
        return {}
    return origin_of(fields) if isinstance(fields, dict) else {}


def origin_of(fields: Mapping[str, Any]) -> Mapping[str, str]:  # Any: whatever was logged
    """Return what a record says of its release and service."""
    if "short_message" in fields:  # whose version is that of the format
        return {}
    flat = dict(fields)
    for outer in _WITHIN:
        if isinstance(fields.get(outer), dict):
            flat |= {f"{outer}.{name}": value for name, value in fields[outer].items()}
    return _origin(flat)


def _origin(fields: Mapping[str, Any]) -> Mapping[str, str]:  # Any: whatever was logged
    return {
        _OTHERWISE.get(name, name): value.strip()
        for name, value in fields.items()
        if (name in _NAMES or name in _OTHERWISE) and isinstance(value, str) and value.strip()
    }
