"""Recognise records that carry one line of a program each: journals, clouds and shippers write them."""

from __future__ import annotations

import json
from functools import lru_cache

from aiops_core.text.carriers import Carried, writer_of
from aiops_core.text.envelope_forms import severity_of_fields
from aiops_core.text.unwrap import strip_ansi

_MOST = 64 * 1024
_TEXTS = ("log", "message", "msg", "MESSAGE", "textPayload", "@message", "line")


@lru_cache(maxsize=64)
def line_record(raw: bytes) -> Carried | None:
    """Return the line that a raw line of JSON carries; None for any other line and other records."""
    if raw[:1] != b"{" or len(raw) > _MOST:
        return None
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    text = next((fields[name] for name in _TEXTS if isinstance(fields.get(name), str)), None)
    if text is None or "\n" in text.rstrip("\r\n"):
        return None
    line = raw.decode("utf-8", "replace")
    time = severity_of_fields(line, 0)[1]
    stream = " ".join(["record", *writer_of(fields)])
    return Carried(stream, strip_ansi(text.rstrip("\r\n")), line[time.start() :][:64] if time else "")
