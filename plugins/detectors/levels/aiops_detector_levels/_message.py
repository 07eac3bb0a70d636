"""Find the message in the text of a line, which may be JSON or logfmt."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aiops_core import lazy_pattern

_MOST = 8_000
_MESSAGES = ("message", "msg", "@m", "@mt", "event", "textPayload", "text", "body", "log", "content")
_ERRORS = (
    "error",
    "err",
    "exception",
    "exc_info",
    "@x",
    "cause",
    "reason",
    "error.message",
    "exception.message",
    "error_message",
)
_LOGGERS = (
    "logger",
    "logger_name",
    "loggerName",
    "log.logger",
    "SourceContext",
    "name",
    "component",
    "module",
    "target",
)
_LOGFMT = lazy_pattern(
    r"(?:^|\s)([\w.@-]{1,40})=(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'(?=\s|$)|(\S*))"
)
_TEXT = r'"(?:[^"\\]|\\.)*"'
_VALUE = rf'(?:{_TEXT}|(?!")[^\]]*)'
_BRACKETED = lazy_pattern(rf"(?=\[)(?:\[(?P<message>{_TEXT})\])?(?: ?\[[\w.-]{{1,60}}={_VALUE}\])*\s*$")
_BRACKETED_ERROR = lazy_pattern(rf"\[err(?:or)?=(?P<error>{_VALUE})\]")
"""What TiDB and its kin write: the message and each field in brackets, what has blanks as JSON."""
_FAULTS = r"(?:error|failure|exception|problem|issue|fault|warning)(?:s|\(s\))?"
_NO_FAULTS = lazy_pattern(
    rf"(?:\w+ ?[:=] ?)?(?:0|no|none|zero)(?: [\w-]+){{0,2}}? {_FAULTS}"
    rf"(?: (?:found|detected|reported|occurred|remaining|left|in|from|and)\b.*|\s*[^\w\s].*)?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_SOME_FAULTS = lazy_pattern(rf"\b[1-9]\d* (?:[\w-]+ )?(?:{_FAULTS}|failed)\b", re.IGNORECASE)
_NOUGHT = lazy_pattern(r"(?:0|none|zero|nil|null)(?:[,;|/ ]+\w+ ?[:=] ?\d+)*[ .,;]*$", re.IGNORECASE)
_LINK = lazy_pattern(r"#[\w-]+$")
"""What follows the name of a link in Markdown."""
_SUMMARY = lazy_pattern(r"ERROR [^\s:]{1,400}\.py(?:::\S.*|\s*| - .*)$")
"""What pytest says once more below its reports."""
_TAGS = lazy_pattern(r"(?:\s*\[[^\[\]]*\])*\W*$")


def says_nothing(message: str) -> bool:
    """Tell whether a message tells of no fault: it has no words but tags, or counts none."""
    if _NO_FAULTS.match(message):
        return not _SOME_FAULTS.search(message)
    return any(form.match(message) for form in (_NOUGHT, _TAGS, _LINK))


def sums_up(line: str) -> bool:
    """Tell whether a line repeats what was told above it."""
    return _SUMMARY.match(line[:_MOST]) is not None


def read_message(text: str) -> tuple[str, str]:
    """Return the message and, where the text names one, the logger."""
    if (bracketed := _BRACKETED.match(text)) is not None:
        return _of_brackets(bracketed)[:_MOST], ""
    fields = _fields(text)
    if not fields:
        return text[:_MOST], ""
    message = _first(fields, _MESSAGES)
    if not message and any(fields.get(name) == "" for name in _MESSAGES) and not _first(fields, _ERRORS):
        return "", ""
    error = _first(fields, _ERRORS)
    if error and error not in message:
        message = f"{message}: {error}" if message else error
    return (message or text)[:_MOST], _first(fields, _LOGGERS)[:200]


def _of_brackets(found: re.Match[str]) -> str:
    error = _BRACKETED_ERROR.search(found.string, max(0, found.end("message")))
    told = [_unquoted(part) for part in (found["message"], error and error["error"]) if part]
    return ": ".join(told) or found.string


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return text


def _fields(text: str) -> Mapping[str, Any]:  # Any: whatever the application logged
    if text.startswith("{"):
        return _json_fields(text)
    if not re.match(r"[\w.@-]{1,40}=", text):
        return {}
    return {
        found[1]: found[4] or (found[2] or found[3] or "").replace('\\"', '"')
        for found in _LOGFMT.finditer(text[: 2 * _MOST])
    }


def _json_fields(text: str) -> Mapping[str, Any]:  # Any: as above
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(record, dict):
        return {}
    nested = record.get("log")
    if isinstance(nested, dict):
        record = {**record, **{f"log.{key}": value for key, value in nested.items()}}
    fields = record.get("fields")
    return {**fields, **record} if isinstance(fields, dict) else record


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first field of these that holds text, or an object with a message of its own."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, dict):
            value = value.get("message") or value.get("msg")
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""
