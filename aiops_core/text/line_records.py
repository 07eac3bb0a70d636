"""Recognise records that carry one line of a program each: journals, clouds and shippers write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aiops_core.text.carriers import Carried, writer_of
from aiops_core.text.envelope_forms import severity_of_fields
from aiops_core.text.fields import logfmt_fields
from aiops_core.text.release_fields import origin_of
from aiops_core.text.shipped import object_in
from aiops_core.text.unwrap import strip_ansi

_MOST = 64 * 1024
_TEXTS = ("log", "message", "msg", "MESSAGE", "textPayload", "@message", "line")


@lru_cache(maxsize=64)
def line_record(raw: bytes) -> Carried | None:
    """Return the line that a raw line of JSON or logfmt carries; None for any other line and other records."""
    if len(raw) > _MOST:
        return None
    line, written_at = raw.decode("utf-8", "replace"), ""
    fields: Mapping[str, Any] = logfmt_fields(line)  # Any: whatever was logged
    if not fields:
        if not raw.rstrip().endswith((b"}", b"}]")) or (found := object_in(line)) is None:
            return None
        line, written_at = found
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            return None
    text = next((fields[name] for name in _TEXTS if isinstance(fields.get(name), str)), None)
    if text is None or "\n" in text.rstrip("\r\n"):
        return None
    severity, time = severity_of_fields(line, 0)
    stream = " ".join(["record", *writer_of(fields)])
    if time is not None:
        written_at = line[time.start() :][:64]
    return Carried(stream, strip_ansi(text.rstrip("\r\n")), written_at, severity, origin_of(fields))
