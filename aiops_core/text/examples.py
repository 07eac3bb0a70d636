"""Tell a trace that a document shows from one that a program printed."""

from __future__ import annotations

import re

from aiops_core.text.candidates import Candidate
from aiops_core.text.envelope import parse_envelope
from aiops_core.text.kept import Kept
from aiops_core.text.unwrap import decode_line

_FENCE = re.compile(r"\s*(?:```|~~~)[\w.+-]*(?: ?\{[^}]*\})?\s*")
_RULE = re.compile(r"(?:-{4}|\.{4})\s*")
"""What stands above and below a listing of AsciiDoc."""
_LISTING = re.compile(
    rb"^[ \t>]*(?:```|~~~) ?(?P<language>(?:[\w.+-]+(?: [^`\n]{0,80})?|\{[^}\n]*\})?)$|(?P<open><pre\b)|</pre>",
    re.MULTILINE,
)
"""What begins or ends a listing of Markdown, of HTML."""
_SIGNS = (b"```", b"~~~", b"<pre")
_REACH = 4096
"""Bytes above a trace in which the beginning of its listing is looked for."""
_COMMAND = re.compile(r"\s*(?:\$|>>>|PS [^>\n]{0,100}>|[\w.-]+@[\w.-]+:\S* ?[$#]) \S")
_MOST_COMMANDS = 3
_MOST_ABOVE = 40
_LEAST_DEEPER = 2
_DIRECTIVE = re.compile(r"\s*\.\. [\w-]+::|.*::$")
"""What announces a literal block in reStructuredText."""
_PROSE = re.compile(
    r"\s*(?:[-*+>#] |\d+[.)] )?\W?[A-Za-z][\w'’/-]*[,;:]?(?: [(`\"'*_]*[A-Za-z][\w'’/-]*[^\w\s]*){3}"
)
"""A paragraph or an item of a list: it begins with four words."""


_NUMBERED = re.compile(r" {1,4}\d{1,5}\) \S")
"""How runners of tests list what failed."""


def is_example(candidate: Candidate, kept: Kept) -> bool:
    """Tell whether a trace is shown, not raised: a document quotes it, fenced or indented."""
    if candidate.record is not None or candidate.carrier is not None:
        return False
    return _is_listed(candidate, kept) or _is_indented_below_prose(candidate, kept)


def _is_listed(candidate: Candidate, kept: Kept) -> bool:
    """Tell whether a listing began above that did not end yet.

    One that names its language, or of HTML, may show other lines first; any other at most the commands
    that led to the trace.
    """
    above = _line_above_commands(candidate)
    if _RULE.fullmatch(above):
        return above == candidate.lines.get(candidate.last)
    before = kept.slice(max(candidate.start - _REACH, kept.base), candidate.start)
    if not any(map(before.__contains__, _SIGNS)):
        return False
    marks = [*_LISTING.finditer(before)]
    between = before[marks[-1].end() :] if marks else b""
    if any(_is_record(decode_line(line)) for line in between.splitlines()):
        return False
    *_, second, last = (None, None, *map(_begins_listing, marks))
    return last is True or (last is None and second is not True and _FENCE.fullmatch(above) is not None)


def _begins_listing(found: re.Match[bytes]) -> bool | None:
    """Tell whether a mark begins a listing; None for one that may as well end it."""
    if found["language"] is not None:
        return True if found["language"].strip() else None
    return found["open"] is not None


def _line_above_commands(candidate: Candidate) -> str:
    at = candidate.first - 1
    while at >= max(candidate.first - _MOST_COMMANDS, 0) and _COMMAND.match(candidate.lines.get(at) or ""):
        at -= 1
    return candidate.lines.get(at) or ""


def _is_indented_below_prose(candidate: Candidate, kept: Kept) -> bool:
    """Tell whether a trace is a literal block: deeper than a paragraph it is parted from, in a text without records."""
    first = _text(candidate.start, kept)
    width = _indentation(first)
    if width < _LEAST_DEEPER or candidate.prefix.strip() or _NUMBERED.match(first):
        return False
    above = _lines_above(candidate.start, kept)
    at = next((at for at, line in enumerate(above) if line.strip() and _indentation(line) < width), 0)
    if not at or above[at - 1].strip():
        return False
    prose = above[at]
    # Of a listing that begins with something else only the double colon is a sure sign.
    is_first = not any(map(str.strip, above[:at]))
    is_announced = _DIRECTIVE.match(prose.rstrip()) or (is_first and _PROSE.match(prose))
    return (
        bool(is_announced)
        and width >= _indentation(prose) + _LEAST_DEEPER
        and not any(map(_is_record, above))
    )


def _lines_above(start: int, kept: Kept) -> list[str]:
    """Return the lines above a place that are still known, the nearest first."""
    found: list[str] = []
    while start > kept.base and len(found) < _MOST_ABOVE:
        start = kept.line_before(start)
        found.append(_text(start, kept))
    return found


def _text(start: int, kept: Kept) -> str:
    return decode_line(kept.line(start)).expandtabs(4)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_record(line: str) -> bool:
    envelope = parse_envelope(line)
    return envelope.severity is not None or envelope.occurred_at is not None
