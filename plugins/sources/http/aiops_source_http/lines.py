"""Read bodies of lines: NDJSON, JSON arrays and objects, plain text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from aiops_source_http.records import LONGEST_LINE, Records, Refusal


def read_plain(body: bytes) -> Records:
    """Read plain lines; blank ones stay, they may belong to a trace."""
    records = Records()
    body = body.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n")
    for number, line in enumerate(body.split(b"\n") if body else (), start=1):
        if len(line) > LONGEST_LINE:
            records.note(number, f"longer than {LONGEST_LINE} bytes: only the beginning is read")
        records.accept(line[:LONGEST_LINE])
    return records


def read_ndjson(body: bytes) -> Records:
    """Read one JSON object a line; others are rejected line by line."""
    records = Records()
    for number, whole in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        line = whole.strip(b" \t\r")
        if not line:
            continue
        if reason := _fault(line):
            records.reject(number, reason)
        else:
            records.accept(line)
    return records


def read_json(body: bytes) -> Records:
    """Read one JSON object, an array of objects, or, where it is neither, NDJSON."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return read_ndjson(body)
    if not isinstance(value, dict | list):
        raise Refusal("not a JSON object, nor an array of objects")
    records = Records()
    for number, line in enumerate(_objects(value), start=1):
        if line is None:
            records.reject(number, "not a JSON object")
        elif len(line) > LONGEST_LINE:
            records.reject(number, f"longer than {LONGEST_LINE} bytes")
        else:
            records.accept(line)
    return records


def _objects(value: dict[str, object] | list[object]) -> Iterator[bytes | None]:
    """Yield each object on one line, None for what is none."""
    items: Iterable[object] = value if isinstance(value, list) else [value]
    for item in items:
        try:
            yield one_line(item) if isinstance(item, dict) else None
        except RecursionError:
            yield None


def one_line(value: object) -> bytes:
    """Write a JSON value on one line; lone surrogates, which no UTF-8 has, become question marks."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return written.encode("utf-8", "replace")


def _fault(line: bytes) -> str:
    if len(line) > LONGEST_LINE:
        return f"longer than {LONGEST_LINE} bytes"
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return f"no JSON: {error.msg} at column {error.colno}"
    except UnicodeDecodeError as error:
        return f"no UTF-8 at byte {error.start + 1}"
    except (ValueError, RecursionError):
        return "no JSON: a number too long, or nested too deep"
    return "" if isinstance(value, dict) else "not a JSON object"
