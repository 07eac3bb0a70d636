"""Turn framed messages into the lines the core reads: every line under its own header."""

from __future__ import annotations

import re

_BOM = b"\xef\xbb\xbf"
_HEADER = re.compile(
    rb"<\d{1,3}>(?:"
    rb"1 \S{1,64} \S{1,255} \S{1,128} \S{1,128} \S{1,64} "
    rb'(?:-|(?:\[(?:[^\]\\"]|\\.|"(?:[^"\\]|\\.)*+")*+\])++)(?: |(?=\n)|\Z)'
    rb"|(?:[A-Z][a-z]{2} (?:[ \d]\d|\d)(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: \d{4}(?= ))?"
    rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"
    rb"(?:(?: \S{0,254}[^\s:]|(?! \S*(?:Error|Exception):))"
    rb" (?:[^\s:\[\]]{1,128}|[^\s:\[\]][^:\[\]\n]{1,60}(?=\[))(?:\[[^\]\s]{1,64}\])?: ?| )"
    rb"|(?:[^\s:\[\]<>]{1,128}(?=\[)|[a-z][a-z\d_./-]{0,127}(?=:))(?:\[[^\]\s]{1,64}\])?: "
    rb")?",
    re.DOTALL,
)
_GROWTH = 4
"""Repeating the header may make a message this many times as long as the longest one."""


def lines_of(message: bytes, limit: int) -> tuple[bytes, bool]:
    """Return one message as whole lines, and whether lines were left out.

    A message of several lines (a trace in one datagram or one counted frame) becomes several
    messages with the same header. What grows past four times ``limit`` is left out.
    """
    message = message.removeprefix(_BOM).rstrip(b"\0\r\n")
    if b"\n" not in message:
        return message + b"\n", False
    found = _HEADER.match(message)
    if found is None:
        return message + b"\n", False
    first, *others = message[found.end() :].removeprefix(_BOM).split(b"\n")
    header = found[0].replace(b"\r", b" ").replace(b"\n", b" ")
    if header[-1:] == b"]" or header[-2:] == b" -":
        header += b" "
    kept = _fitting(others, len(header) + 1, _GROWTH * limit - len(header) - len(first))
    lines = [header + line + b"\n" for line in (first, *others[:kept])]
    return b"".join(lines), kept < len(others)


def _fitting(lines: list[bytes], overhead: int, room: int) -> int:
    for count, line in enumerate(lines):
        room -= overhead + len(line)
        if room < 0:
            return count
    return len(lines)
