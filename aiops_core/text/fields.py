"""Read records: lines that are one JSON object or logfmt, and may carry a whole trace in a field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from aiops_core.text.shipped import object_in
from aiops_core.text.structured import python_chain, written_out

_MOST = 1 << 20
_DEEPEST = 6
_MOST_VALUES = 500
_MESSAGES = ("message", "msg", "@m", "@mt", "event", "textPayload", "body", "short_message", "text")
_LOGFMT = re.compile(
    r"(?:^|\s)([\w.@-]{1,60})=(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'(?=\s|$)|([^\s\"]*))"
)
_RAISED = re.compile(r"(?:^|[\s|])(?:[a-z_][\w$]{0,60}\.){1,12}[A-Z][\w$]{0,80}(?:Exception|Error): ")
"""An exception of a language with packages: the record behind it is quoted in its message."""
_LOGFMT_START = re.compile(r"[\w.@-]{1,60}=")
_LOGFMT_ESCAPE = re.compile(r"\\(.)")
_ESCAPE = re.compile(r"\\([nrt])")
_LEAST_ENDS = 2
_LETTERS = {"n": "\n", "t": "\t", "r": "\r"}
_MEMBER = re.compile(r"[ \t]+\"[^\"]{1,80}\"\s*:")


class Record(Struct, frozen=True):
    """A record: the ``message`` people read, the ``texts`` of several lines, and all of it on one ``line``."""

    message: str
    texts: tuple[str, ...]
    line: str


def read_record(text: str) -> Record | None:
    """Read a line that is one record with a text of several lines in a field; None for any other."""
    if not may_carry_text(text) or len(text) > _MOST:
        return None
    if "\n" in text:  # a carrier wrote the line ends of one message in its own way
        return Record("", (text,), text.replace("\n", " "))
    if (shipped := object_in(text)) is not None:
        return _of_json(shipped[0])
    start = text.find("{")
    if 0 <= start <= 200 and text.rstrip().endswith("}") and not _RAISED.search(text, 0, start):
        return _of_json(text[start:])
    start = _logfmt_start(text)
    found = _of_logfmt(text[start:]) if start >= 0 else None
    return found or _of_escaped(text)


def may_carry_text(text: str) -> bool:
    """Tell whether a line may be a record with a text of several lines; quick, and rather yes than no."""
    return any(sign in text for sign in ("\\n", "\n", '["', '[{"', '[ "', "[ {"))


def is_member(text: str) -> bool:
    """Tell whether a line looks like one member of a JSON object spread over several lines."""
    return _MEMBER.match(text) is not None


def begins_object(text: str) -> bool:
    """Tell whether a line looks like the first of a JSON object whose list of calls goes on below."""
    return text.startswith('{"') and text.rstrip().endswith((",", "["))


def _of_json(text: str) -> Record | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record_of(fields, text) if isinstance(fields, dict) else None


def record_of(fields: Mapping[str, Any], line: str) -> Record | None:  # Any: whatever was logged
    """Return the record with these fields; None where none holds a text of several lines."""
    texts = tuple(_texts(fields))
    return Record(_message(fields), texts, line) if texts else None


def _logfmt_start(text: str) -> int:
    if _LOGFMT_START.match(text):
        return 0
    found = re.search(r" (?:level|lvl|msg|time|ts)=", text[:200])
    return found.start() + 1 if found else -1


def _of_logfmt(text: str) -> Record | None:
    return record_of(_logfmt_fields(text), text)


def logfmt_fields(text: str) -> Mapping[str, str]:
    """Return the fields of a line that is logfmt from its start; none of any other line."""
    return _logfmt_fields(text) if _LOGFMT_START.match(text) else {}


def _logfmt_fields(text: str) -> dict[str, str]:
    return {found[1]: _logfmt_value(found) for found in _LOGFMT.finditer(text)}


def _of_escaped(text: str) -> Record | None:
    """Read a line into which several were folded, their line ends written as backslash and n."""
    if text.count("\\n") < _LEAST_ENDS:
        return None
    return Record("", (_ESCAPE.sub(lambda escape: _LETTERS[escape[1]], text),), text)


def _logfmt_value(found: re.Match[str]) -> str:
    quoted = found[3] if found[2] is None else found[2]
    if quoted is None:
        return found[4]
    return _LOGFMT_ESCAPE.sub(lambda escape: _LETTERS.get(escape[1], escape[1]), quoted)


def _message(fields: Mapping[str, Any]) -> str:  # Any: whatever was logged
    for name in _MESSAGES:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip().partition("\n")[0]
    return ""


def _texts(fields: Mapping[str, Any]) -> Iterator[str]:  # Any: whatever was logged
    """Yield every text of several lines, the outermost first, structured traces written out."""
    level: list[Any] = [fields]
    seen = 0
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict) and (text := written_out(value)):
                yield text
            members = list(value.values()) if isinstance(value, dict) else value
            seen += len(members)
            for member in members[:_MOST_VALUES]:
                if isinstance(member, str):
                    if "\n" in member.strip():
                        yield member
                elif (
                    isinstance(member, list)
                    and len(member) > 1
                    and all(isinstance(one, str) for one in member)
                ):
                    yield "\n".join(one.rstrip("\n") for one in member)
                elif text := python_chain(member):
                    yield text
                elif isinstance(member, dict | list):
                    below.append(member)
        if seen > _MOST_VALUES:
            return
        level = below
