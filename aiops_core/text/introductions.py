"""Find the logging line that introduced a trace, so that both are one block."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from aiops_core.text.candidates import Candidate
from aiops_core.text.claims import is_of_writer, line_at
from aiops_core.text.envelope import may_be_severe, parse_envelope
from aiops_core.text.envelope_forms import is_on_every_line, is_parted
from aiops_core.text.kept import Kept
from aiops_core.text.unwrap import decode_line, learn_prefix

_INTRODUCE = frozenset({"critical", "error", "warning"})
"""Severities of a logging line that may introduce a trace."""
_TRACE = re.compile(r"\bTRACE\b")
MOST_FIELDS = 8
"""Indented lines of a record that may stand above the trace in it."""
_WRITER = frozenset({"service", "host", "pid", "thread"})
"""Attributes that tell writers apart."""


def start_with_headline(candidate: Candidate, kept: Kept, taken: Container[int], held: Container[int]) -> int:
    """Return where a trace starts once the logging line that introduced it is joined.

    Lines that start at places ``taken`` belong to others already; those ``held`` may introduce
    whatever their severity.
    """
    previous = _previous(candidate, kept) if candidate.record is None and not candidate.is_record else None
    if previous is None or previous in taken:
        return candidate.start
    text = _introduction(candidate, previous, kept)
    if not text:
        return candidate.start
    prefix = candidate.prefix or _own_prefix(candidate)
    is_own = any(_has_prefix(text, one) and _is_of_the_same(text, one) for one in _prefixes(prefix))
    if not is_own if prefix.strip() else is_on_every_line(text):
        return candidate.start
    if previous in held:
        return previous
    severity = parse_envelope(text).severity or parse_envelope(learn_prefix(prefix)(text)).severity
    return previous if severity in _INTRODUCE else candidate.start


def start_of_record(candidate: Candidate, start: int, kept: Kept) -> int:
    """Return where the record begins a line of which does: the time may stand on a line above the level."""
    if start <= max(kept.claimed, kept.base) or not may_be_severe(kept.line(start)):
        return start
    above = kept.line_before(start)
    is_first = is_of_writer(candidate, kept.line(above)) and is_parted(
        line_at(candidate, above, kept), line_at(candidate, start, kept)
    )
    return above if is_first and above >= kept.claimed else start


def is_indented(line: str) -> bool:
    """Tell whether a line is of a record that began above it."""
    return line.startswith(("  ", "\t"))


def begins_record(line: str) -> bool:
    """Tell whether a line begins a record of its own, by its level or time."""
    envelope = parse_envelope(line)
    return envelope.severity is not None or envelope.occurred_at is not None


def says_no_more(line: str) -> bool:
    """Tell whether a line has no message behind its envelope: a blank one, as its program wrote it."""
    return not line[parse_envelope(line).length :].strip()


def may_introduce(raw: bytes) -> bool:
    """Tell whether a raw line could introduce the trace after it."""
    return may_be_severe(raw) and parse_envelope(decode_line(raw)).severity in _INTRODUCE


def _introduction(candidate: Candidate, start: int, kept: Kept) -> str:
    """Return the text of a line that may introduce a trace, "" where it is surely of no level that does."""
    is_severe = may_be_severe(kept.line(start))
    if candidate.carrier is None and not is_severe:
        return ""
    text = line_at(candidate, start, kept)  # of pieces, of which the first may not show it
    return text if is_severe or may_be_severe(text.encode("utf-8", "replace")) else ""


def _own_prefix(candidate: Candidate) -> str:
    first = candidate.lines.get(candidate.first) or ""
    return first[: parse_envelope(first).length]


def _previous(candidate: Candidate, kept: Kept) -> int | None:
    """Return where the line before the block starts, of the same writer where there are several.

    One blank line may stand between: Spring's layouts write one. Above an indented trace the
    indented fields of its record may: pino's pretty printer writes them.
    """
    if candidate.first > 0:
        before = candidate.first - 1
        if before and not (candidate.lines.get(before) or "").strip():
            before -= 1
        if is_indented(_as_it_lies(candidate, candidate.first)):
            before = _above_fields(candidate, before)
        pieces = candidate.lines.raw_lines(before, before + 1)
        return pieces[0][0] + candidate.base if pieces else None
    is_known = candidate.start > max(kept.claimed, kept.base)
    if not is_known or candidate.carrier is not None:
        return None
    return max(kept.line_above(candidate.start), kept.claimed)


def _above_fields(candidate: Candidate, before: int) -> int:
    """Return the line above those that are indented, or the same where there are too many."""
    at = before
    while before - at < MOST_FIELDS and at > 0 and is_indented(_as_it_lies(candidate, at)):
        at -= 1
    return before if is_indented(_as_it_lies(candidate, at)) else at


def _as_it_lies(candidate: Candidate, at: int) -> str:
    """Return a line of the writer with the indentation of the whole trace, which is taken off it."""
    line = candidate.lines.get(at) or ""
    is_margin = bool(candidate.prefix) and not candidate.prefix.strip() and bool(line)
    return candidate.prefix + line if is_margin and not begins_record(line) else line


def _prefixes(prefix: str) -> Iterator[str]:
    """Yield a prefix, and what of it goes up to the logger: ids behind that are of what was done."""
    yield prefix
    logger = parse_envelope(prefix).attributes.get("logger")
    if logger and (found := re.match(rf".*?{re.escape(logger)}\S*\s+(?=\[)", prefix)):
        yield found[0]


def _has_prefix(text: str, prefix: str) -> bool:
    """Tell whether a line has a prefix of this shape at its start, not indented or after its envelope."""
    strip = learn_prefix(prefix.lstrip())
    rest = text[parse_envelope(text).length :]
    return strip(text) != text or strip(rest) != rest


def _is_of_the_same(text: str, prefix: str) -> bool:
    """Tell whether a line may be of the writer who wrote a prefix, and no less severe; or more, if that traces."""
    one, other = parse_envelope(text), parse_envelope(prefix)
    is_graver = one.severity in _INTRODUCE and _TRACE.search(prefix)
    if one.severity and other.severity and one.severity != other.severity and not is_graver:
        return False
    shared = _WRITER & one.attributes.keys() & other.attributes.keys()
    return all(one.attributes[name] == other.attributes[name] for name in shared)
