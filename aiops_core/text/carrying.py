"""Write what a service holds as the lines the core reads: RFC 5424, with what is known of the writer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from aiops_core.text.levels import SEVERITY_OF, severity_of_number

_MOST_LINES = 5000
_MOST_BYTES = 1 << 20
_USER = 8
_INFO = 6
_OF_SEVERITY = {"critical": 2, "error": 3, "warning": 4, "info": _INFO}
_UNPRINTABLE = re.compile(r"[^!-~]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TO_ESCAPE = re.compile(r'(["\\\]])')
_ATTRIBUTE = re.compile(r"[^\w.-]", re.ASCII)
_LONGEST_VALUE = 256
_OUT_OF_RANGE = "-"


def carry(
    text: str,
    *,
    time: int,
    level: str = "",
    host: str = "",
    service: str = "",
    pid: str = "",
    attributes: Mapping[str, str],
) -> bytes:
    """Return the lines of a text, each with the same header: lines with equal header are one sequence.

    ``time`` is in nanoseconds since 1970, ``level`` any name or number of a log level. ``attributes``
    become those of the event; ``stream`` among them tells writers of one host and service apart. Of a
    text of more than 5000 lines or 1 MiB the beginning is kept, with the attribute ``truncated``.
    """
    raw = text.removesuffix("\n").encode("utf-8", "replace")
    lines = raw[:_MOST_BYTES].split(b"\n")
    if len(raw) > _MOST_BYTES or len(lines) > _MOST_LINES:
        attributes = {**attributes, "truncated": "true", "original_bytes": str(len(raw))}
    header = _header(host, service, pid, tuple(attributes.items()))
    head = f"<{_USER + _number(level)}>1 {_when(time)} {header} ".encode()
    return b"".join([b"%s%s\n" % (head, line) for line in lines[:_MOST_LINES]])


@lru_cache(maxsize=256)
def _number(level: str) -> int:
    name = level.strip().upper()
    severity = severity_of_number(int(name)) if name.isdecimal() and len(name) < 4 else SEVERITY_OF.get(name)
    return _OF_SEVERITY[severity] if severity else _INFO


def _when(time: int) -> str:
    second, rest = divmod(time, 10**9)
    try:
        return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"
    except (OverflowError, ValueError, OSError):
        return _OUT_OF_RANGE


@lru_cache(maxsize=1024)
def _header(host: str, service: str, pid: str, attributes: tuple[tuple[str, str], ...]) -> str:
    """Return what follows the time, up to the text; the same for all lines of a writer."""
    told = "".join(
        f' {_ATTRIBUTE.sub("_", name)[:32]}="{_value(value)}"' for name, value in attributes if name and value
    )
    return f"{_name(host, 255)} {_name(service, 48)} {_name(pid, 128)} - " + (
        f"[aiops@32473{told}]" if told else "-"
    )


def _name(value: str, longest: int) -> str:
    return _UNPRINTABLE.sub("_", value)[:longest] or "-"


def _value(value: str) -> str:
    return _TO_ESCAPE.sub(r"\\\1", _CONTROL.sub(" ", value)[:_LONGEST_VALUE])
