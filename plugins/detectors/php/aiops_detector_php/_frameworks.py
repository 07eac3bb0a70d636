"""The exceptions that frameworks log in a form of their own: CakePHP, CodeIgniter, Drupal."""

from __future__ import annotations

from typing import NamedTuple

from aiops_core import lazy_pattern, parse_envelope
from aiops_detector_php._lines import (
    CLASS,
    LONGEST,
    STACK,
    STACKTRACE,
    Get,
    Head,
    find_named,
    is_error,
    plain_class,
    read_frame,
    read_named,
    split_place,
    starts_afresh,
)

TRIGGERS = (
    r"^Stack Trace:$",
    r"^in \S{1,400} on line \d+\.$",
    r"^#0 [^\s()]{1,400}\.php\(\d+\): ",
    r"Severity: [Ee]rror --> [A-Za-z_\\]",
    r" \(line \d+ of [^\s()]{1,400}\.(?:php|module|inc|install|theme|profile|engine)\)",
)
_REACH = 40
"""Lines of attributes CakePHP writes between an exception and its stack."""
_CAKE = lazy_pattern(
    rf"(?:^|.*?\s)(?:[Ee]rror|ERROR|[Cc]ritical|[Ww]arning): \[(?P<type>{CLASS})\] (?P<message>.*?)"
    r"(?: in (?P<file>\S+)(?: on line |:)(?P<line>\d+))?\s*$"
)
_IGNITER = lazy_pattern(rf"(?:.*? |)--> (?:(?P<type>{CLASS}): )?(?P<message>.*)$")
_IGNITER_PLACE = lazy_pattern(r"in (?P<file>\S+) on line (?P<line>\d+)\.$")
_ROUTE = lazy_pattern(r"\[Method: [^\]]*\]$")
_OLD_IGNITER = lazy_pattern(
    rf".*?Severity: [Ee]rror --> (?P<type>{CLASS}): (?P<message>.*) (?P<file>\S+\.php) (?P<line>\d+)\s*$"
)
_DRUPAL = lazy_pattern(
    rf"(?:.*?[\s|])??(?P<type>{CLASS}): (?P<message>.*) in (?P<function>[\w\\>:{{}}-]+)\(\) "
    r"\(line (?P<line>\d+) of (?P<file>[^\s()]+)\)"
)


class Place(NamedTuple):
    """The line that names an exception, and the first line of its stack."""

    head: int
    body: int


def find_logged(get: Get, hit: int) -> Place | None:
    """Return where a framework logged the exception that a line belongs to."""
    line = (get(hit) or "")[:LONGEST]
    if _OLD_IGNITER.match(line) or _DRUPAL.match(line):
        return Place(hit, hit + 1)
    if _IGNITER_PLACE.match(line):
        above = hit - 2 if _ROUTE.match(get(hit - 1) or "") else hit - 1
        return Place(above, hit + 1) if _IGNITER.match((get(above) or "")[:LONGEST]) else None
    if line.startswith("#0 "):
        is_whole = (get(hit + 1) or "").startswith("#1 ")
        return Place(hit - 1, hit) if _tells(get(hit - 1) or "", is_whole=is_whole) else None
    if not STACK.match(line):
        return None
    for index in range(hit - 1, hit - _REACH, -1):
        above_line = get(index)
        if above_line is None or _CAKE.match(above_line[:LONGEST]):
            return None if above_line is None else Place(index, hit + 1)
        if starts_afresh(above_line):
            break
    return None


def _tells(line: str, *, is_whole: bool) -> bool:
    """Tell whether what was logged above a stack that nothing announces names its error.

    Above a whole stack, as getTraceAsString() gives it, it may have no level.
    """
    envelope = parse_envelope(line[:LONGEST])
    text = line[envelope.length :]
    if not text.strip() or STACK.search(line[-LONGEST:]) or STACKTRACE.match(text) or read_frame(text):
        return False
    if envelope.severity is None:
        return is_whole and not line[0].isspace()
    return envelope.severity != "info"


def may_be_logged(line: str) -> bool:
    """Say whether a line alone may tell of such an exception."""
    line = line[:LONGEST]
    is_stack = line.startswith("#0 ")
    return is_stack or any(form.match(line) is not None for form in (_OLD_IGNITER, _IGNITER_PLACE, _DRUPAL))


def _named_in(line: str) -> Head:
    """Read what was logged in words of its own: an exception where one is named, else a message."""
    start = find_named(line)
    named = read_named(line[start:]) if start >= 0 else None
    if named is not None and is_error(named.type):
        return named
    return Head("Exception", *split_place(line[parse_envelope(line).length :]))


def read_logged(lines: list[str]) -> Head:
    """Read the lines from the one that names the exception to its stack."""
    first = lines[0][:LONGEST]
    found = _OLD_IGNITER.match(first) or _DRUPAL.match(first) or _CAKE.match(first) or _IGNITER.match(first)
    if found is None:
        return _named_in(first)
    place = next((at for line in lines[1:] if (at := _IGNITER_PLACE.match(line))), found)
    named = place.groupdict()
    line = named.get("line") or "0"
    kind = plain_class(found["type"]) if found["type"] else "Exception"
    return Head(kind, found["message"], named.get("file") or "", int(line[:9]))
