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
_COMMAND = re.compile(r"\s*(?:\$|>>>|PS [^>\n]{0,100}>|[\w.-]+@[\w.-]+:\S* ?[$#]) \S")
_MOST_COMMANDS = 3
_MOST_ABOVE = 24
_LEAST_DEEPER = 2
_DIRECTIVE = re.compile(r"\s*\.\. [\w-]+::|.*::$")
"""What announces a literal block in reStructuredText."""
_PROSE = re.compile(
    r"\s*(?:[-*+>#] |\d+[.)] )?\W?[A-Za-z][\w'’/-]*[,;:]?(?: [(`\"'*_]*[A-Za-z][\w'’/-]*[^\w\s]*){3}"
)
"""A paragraph or an item of a list: it begins with four words."""


def is_example(candidate: Candidate, kept: Kept) -> bool:
    """Tell whether a trace is shown, not raised: a document quotes it, fenced or indented."""
    if candidate.record is not None or candidate.carrier is not None:
        return False
    return _is_fenced(candidate) or _is_indented_below_prose(candidate, kept)


def _is_fenced(candidate: Candidate) -> bool:
    """Tell whether the fence of a listing stands above, between both at most the commands that led to it."""
    at = candidate.first - 1
    while at >= max(candidate.first - _MOST_COMMANDS, 0) and _COMMAND.match(candidate.lines.get(at) or ""):
        at -= 1
    above = candidate.lines.get(at) or ""
    is_listing = _RULE.fullmatch(above) is not None and above == candidate.lines.get(candidate.last)
    return is_listing or _FENCE.fullmatch(above) is not None


def _is_indented_below_prose(candidate: Candidate, kept: Kept) -> bool:
    """Tell whether a trace is a literal block: deeper than a paragraph it is parted from, in a text without records."""
    width = _indentation(_text(candidate.start, kept))
    if width < _LEAST_DEEPER or candidate.prefix.strip():
        return False
    above = _lines_above(candidate.start, kept)
    if not above or above[0].strip():
        return False
    prose = next((line for line in above if line.strip() and _indentation(line) < width), "")
    is_announced = _DIRECTIVE.match(prose.rstrip()) or _PROSE.match(prose)
    return (
        is_announced is not None
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
