"""Find the JSON object that was printed over several lines, one of which was hit."""

from __future__ import annotations

import json

from aiops_core.text.fields import Record, record_of
from aiops_core.text.streams import WriterLines

_MOST_LINES = 400
_MOST_BYTES = 256 * 1024


def spread_record(data: bytes, line: int, floor: int) -> tuple[Record | None, tuple[int, int], bool] | None:
    """Return the record round the line at ``line``, where it stands, and whether it is all there.

    None where the line is no part of an object that starts with a brace on its own line, or begins one whose
    list of calls is on lines of their own, as Elasticsearch writes it.
    """
    if data.startswith(b'{"', line):
        start, end = line, _end_of_list(data, line)
    else:
        opening = _opening(data, line, floor)
        if opening is None:
            return None
        start = opening
        end = _closing(data, line, data[start : data.index(b"{", start)], start)
    if end == start:
        return None
    if end is None:
        is_too_long = len(data) - start > _MOST_BYTES
        return None if is_too_long else (None, (start, len(data)), False)
    text = data[start:end].decode("utf-8", "replace").rstrip().rstrip(",")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record_of(fields, json.dumps(fields, ensure_ascii=False)), (start, end), True


def carried_record(lines: WriterLines) -> tuple[Record | None, tuple[int, int], bool] | None:
    """Return the record that begins at the hit of one writer and has its calls on the lines below, see above."""
    last = lines.hit + 1
    while (line := lines.get(last)) is not None and line.startswith('"') and not line.rstrip().endswith("}"):
        last += 1
    if line is None and not lines.final:
        return None, lines.extent(lines.hit, last), False
    if line is None or not line.startswith('"') or lines.skipped(lines.hit, last + 1):
        return None
    text = "\n".join(lines.get(index) or "" for index in range(lines.hit, last + 1))
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    record = record_of(fields, json.dumps(fields, ensure_ascii=False))
    return record, lines.extent(lines.hit, last + 1), True


def _end_of_list(data: bytes, start: int) -> int | None:
    """Return where the strings below a line end with a closing brace, ``start`` where something else stands there."""
    at = start
    for _ in range(_MOST_LINES):
        at = data.find(b"\n", at) + 1
        if not 0 < at < len(data):
            return None
        if not data.startswith(b'"', at):
            return start
        end = data.find(b"\n", at) + 1 or len(data)
        if data[at:end].rstrip().endswith(b"}"):
            return end
    return start


def _opening(data: bytes, line: int, floor: int) -> int | None:
    """Return the start of the line with the outermost opening brace above."""
    at, found = line, None
    for _ in range(_MOST_LINES):
        if at <= floor:
            break
        end, at = at, max(data.rfind(b"\n", 0, at - 1) + 1, floor)
        text = data[at:end].rstrip()
        if text.strip() == b"{":
            found = at
            if not text.startswith((b" ", b"\t")):
                break
        elif not text.startswith((b" ", b"\t", b"}", b"]")):
            break
    return found


def _closing(data: bytes, line: int, indent: bytes, start: int) -> int | None:
    """Return where the line with the closing brace of the same indentation ends."""
    wanted = b"\n" + indent + b"}"
    at = data.find(wanted, line)
    if at < 0 or at - start > _MOST_BYTES:
        return None
    return data.find(b"\n", at + 1) + 1 or len(data)
