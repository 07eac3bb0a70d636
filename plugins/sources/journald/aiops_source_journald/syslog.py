"""Write journal entries as RFC 5424 lines: a pure function of the entry."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from aiops_source_journald.export import Entry

MOST_LINES = 5000
"""Lines passed on of one message."""
KEPT_FIELDS = frozenset(
    {
        b"__CURSOR",
        b"__REALTIME_TIMESTAMP",
        b"_SOURCE_REALTIME_TIMESTAMP",
        b"PRIORITY",
        b"SYSLOG_FACILITY",
        b"SYSLOG_IDENTIFIER",
        b"_COMM",
        b"_PID",
        b"SYSLOG_PID",
        b"_HOSTNAME",
        b"_SYSTEMD_UNIT",
        b"_SYSTEMD_USER_UNIT",
        b"UNIT",
        b"USER_UNIT",
        b"_STREAM_ID",
        b"_BOOT_ID",
        b"CONTAINER_NAME",
        b"MESSAGE",
    }
)
"""The fields that lines are made of, and the cursor."""
_DAY = 86_400_000_000
_UNPRINTABLE = re.compile(r"[^!-~]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TO_ESCAPE = re.compile(r'(["\\\]])')
_LONGEST_VALUE = 256


def render(entry: Entry) -> bytes:
    """Return the lines of an entry: one for each line of its message, all with the same header."""
    get = entry.fields.get
    priority = _priority(get(b"PRIORITY", b""), get(b"SYSLOG_FACILITY", b""))
    head = b"<%d>1 %s %s" % (priority, _time(entry).encode(), _header(entry))
    message = get(b"MESSAGE", b"")
    if b"\n" not in message and not entry.more and not entry.lengths:
        return b"%s] %s\n" % (head, message)
    messages = entry.values(b"MESSAGE") or [b""]
    lines = [line for message in messages for line in _lines(message)]
    size = max(sum(map(len, messages)), entry.lengths.get(b"MESSAGE", 0))
    if b"MESSAGE" in entry.lengths or len(lines) > MOST_LINES:
        head += b' truncated="true" original_bytes="%d"' % size
    return b"".join([b"%s] %s\n" % (head, line) for line in lines[:MOST_LINES]])


def _lines(message: bytes) -> list[bytes]:
    return message.removesuffix(b"\n").split(b"\n")


@lru_cache(maxsize=256)
def _priority(severity_text: bytes, facility_text: bytes) -> int:
    severity, facility = _number(severity_text, 7), _number(facility_text, 23)
    return (1 if facility is None else facility) * 8 + (6 if severity is None else severity)


def _number(text: bytes, most: int) -> int | None:
    """Return a number of few digits, None for anything else."""
    if len(text) > 2 or not text.isdigit():
        return None
    number = int(text)
    return number if number <= most else None


def _time(entry: Entry) -> str:
    """Return the time the sender names, unless it is more than a day from that of the journal."""
    received = _microseconds(entry.fields.get(b"__REALTIME_TIMESTAMP", b""))
    sent = _microseconds(entry.fields.get(b"_SOURCE_REALTIME_TIMESTAMP", b""))
    if sent is not None and (received is None or abs(sent - received) <= _DAY):
        received = sent
    if received is None:
        return "-"
    second, rest = divmod(received, 1_000_000)
    text = _second(second)
    return f"{text}.{rest:06d}Z" if text else "-"


def _microseconds(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) <= 18 else None


@lru_cache(maxsize=64)
def _second(second: int) -> str:
    try:
        return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return ""


def _header(entry: Entry) -> bytes:
    """Return what follows the time, up to the last parameter; the same for all entries of a writer."""
    get = entry.fields.get
    unit = get(b"_SYSTEMD_USER_UNIT") or get(b"_SYSTEMD_UNIT")
    if get(b"_PID") == b"1":  # the manager speaks of a unit
        unit = get(b"UNIT") or get(b"USER_UNIT") or unit
    return _writer(
        get(b"_HOSTNAME"),
        get(b"SYSLOG_IDENTIFIER") or get(b"_COMM"),
        get(b"_PID") or get(b"SYSLOG_PID"),
        (
            ("unit", unit),
            ("stream", get(b"_STREAM_ID")),
            ("boot", get(b"_BOOT_ID")),
            ("container", get(b"CONTAINER_NAME")),
        ),
    )


@lru_cache(maxsize=1024)
def _writer(
    host: bytes | None,
    identifier: bytes | None,
    process: bytes | None,
    parameters: tuple[tuple[str, bytes | None], ...],
) -> bytes:
    told = "".join(f' {name}="{_value(value)}"' for name, value in parameters if value)
    header = f"{_name(host, 255)} {_name(identifier, 48)} {_name(process, 128)} - [aiops@32473{told}"
    return header.encode()


def _name(value: bytes | None, longest: int) -> str:
    return _UNPRINTABLE.sub("_", (value or b"").decode("utf-8", "replace"))[:longest] or "-"


def _value(value: bytes) -> str:
    text = _CONTROL.sub(" ", value.decode("utf-8", "replace"))[:_LONGEST_VALUE]
    return _TO_ESCAPE.sub(r"\\\1", text)
