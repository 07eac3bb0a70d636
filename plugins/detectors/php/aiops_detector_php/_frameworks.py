"""The exceptions that frameworks log in a form of their own: CakePHP, CodeIgniter, Drupal."""

from __future__ import annotations

from typing import NamedTuple

from aiops_core import lazy_pattern, parse_envelope
from aiops_detector_php._lines import CLASS, LONGEST, STACK, Get, Head, plain_class, starts_afresh

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
        return Place(hit - 1, hit) if _tells(get(hit - 1) or "") else None
    if not STACK.match(line):
        return None
    for index in range(hit - 1, hit - _REACH, -1):
        above_line = get(index)
        if above_line is None or _CAKE.match(above_line[:LONGEST]):
            return None if above_line is None else Place(index, hit + 1)
        if starts_afresh(above_line):
            break
    return None


def _tells(line: str) -> bool:
    """Tell whether a record of an error may stand above a stack that nothing announces."""
    envelope = parse_envelope(line[:LONGEST])
    is_severe = envelope.severity in {"critical", "error"}
    return is_severe and bool(line[envelope.length :].strip()) and STACK.search(line[-LONGEST:]) is None


def may_be_logged(line: str) -> bool:
    """Say whether a line alone may tell of such an exception."""
    line = line[:LONGEST]
    is_stack = line.startswith("#0 ")
    return is_stack or any(form.match(line) is not None for form in (_OLD_IGNITER, _IGNITER_PLACE, _DRUPAL))


def read_logged(lines: list[str]) -> Head:
    """Read the lines from the one that names the exception to its stack."""
    first = lines[0][:LONGEST]
    found = _OLD_IGNITER.match(first) or _DRUPAL.match(first) or _CAKE.match(first) or _IGNITER.match(first)
    if found is None:
        return Head("Exception", first)
    place = next((at for line in lines[1:] if (at := _IGNITER_PLACE.match(line))), found)
    named = place.groupdict()
    line = named.get("line") or "0"
    kind = plain_class(found["type"]) if found["type"] else "Exception"
    return Head(kind, found["message"], named.get("file") or "", int(line[:9]))
