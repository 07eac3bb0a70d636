"""Turn the raw bytes of a line into the text a detector reads: decoding, colours, prefixes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: titles, hyperlinks
    r"|[()][0-9A-Za-z]"  # character sets
    r"|[=>78cDEHM])"
)

_LEVEL = (
    r"EMERGENCY|EMERG|ALERT|CRITICAL|CRIT|FATAL|FATA|PANIC|SEVERE|ERROR|ERRO|ERR|WARNING|WARN|WRN|NOTICE|CONFIG|"
    r"INFO|INF|DEBUG|DEBU|DBG|TRACE|TRC|VERBOSE|FINEST|FINER|FINE"
)
_DAYS_AND_MONTHS = r"Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_VARYING = re.compile(
    rf"(?P<hex>0x[0-9a-fA-F]+)|(?P<digits>\d+)|(?P<name>\b(?:{_DAYS_AND_MONTHS})\b)"
    rf"|(?P<level>(?<![A-Za-z])(?:{_LEVEL})(?![A-Za-z]))(?P<padding>[ ]*)|(?P<spaces>[ ]+)",
    re.IGNORECASE,
)
_A_LEVEL = re.compile(rf"(?<![A-Za-z])(?:{_LEVEL})(?![A-Za-z])", re.IGNORECASE)


def decode_line(raw: bytes) -> str:
    """Return one line as text: without its line end and colours, bad bytes as U+FFFD.

    Exactly one LF goes, and one CR before it; and all zero bytes that it begins with, the hole that is left where
    a file is cut under its writer.
    """
    if raw.endswith(b"\n"):
        raw = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1]
    if raw.startswith(b"\0"):
        raw = raw.lstrip(b"\0")
    text = raw.decode("utf-8", "replace")
    return _ANSI.sub("", text) if b"\x1b" in raw else text


def strip_ansi(text: str) -> str:
    """Return the text without terminal sequences."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def learn_prefix(prefix: str, *, has_level: bool = False) -> Callable[[str], str]:
    """Return a function that cuts a prefix of this shape from a line that carries one.

    Numbers may differ in value and length, names of levels, days and months in value; everything
    else must be equal. A line without the prefix comes back as it is; where it ``has_level`` of its own,
    so does one whose prefix names another: that is of another record.
    """
    if not prefix:
        return str
    cut, level = _cutter(_shape(prefix)), level_in(prefix) if has_level else ""

    def cut_same(line: str) -> str:
        rest = cut(line)
        return rest if level_in(line[: len(line) - len(rest)]) in {level, ""} else line

    return cut_same if level else cut


def level_in(prefix: str) -> str:
    """Return the level a prefix names, in capitals; "" where it names none."""
    found = _A_LEVEL.search(prefix)
    return found[0].upper() if found else ""


@lru_cache(maxsize=256)
def _cutter(shape: str) -> Callable[[str], str]:
    match = re.compile(shape).match

    def cut(line: str) -> str:
        found = match(line)
        return line[found.end() :] if found else line

    return cut


def prefix_length(prefix: str, names: Sequence[tuple[int, int]]) -> Callable[[str], int]:
    """Return a function that tells how long a prefix of this shape is in a line, 0 without one.

    ``names`` are the places in ``prefix`` where any word may stand.
    """
    match = re.compile(_shape(prefix, names)).match

    def length(line: str) -> int:
        found = match(line)
        return found.end() if found else 0

    return length


def _shape(prefix: str, names: Sequence[tuple[int, int]] = ()) -> str:
    """Return the pattern of a prefix; its closing spaces may be missing on an empty line."""
    body = prefix.rstrip(" \t")
    spaces = prefix[len(body) :]
    parts: list[str] = []
    end = 0
    for start, stop in names:
        # As short as what follows allows, for that may come again in the line.
        parts += _general(body[end:start]), r"[^\s\[\]|]{1,64}" + "?" * (stop < len(prefix)), r"(?:\[\d+\])?"
        end = stop
        if body[end : end + 1] == " ":  # a shorter name may be padded
            parts.append(" +")
            end += len(body[end:]) - len(body[end:].lstrip(" "))
    parts.append(_general(body[end:]))
    # Without closing spaces, a number at the end must not stop inside a longer word.
    closing = f"(?:{re.escape(spaces)}|[ \\t]*$)" if spaces else r"(?!\w)" if body[-1:].isalnum() else ""
    return "".join(parts) + closing


def _general(text: str) -> str:
    parts: list[str] = []
    end = 0
    for found in _VARYING.finditer(text):
        parts += re.escape(text[end : found.start()]), _varying(found)
        end = found.end()
    return "".join([*parts, re.escape(text[end:])])


def _varying(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "hex":
            return "0x[0-9a-fA-F]+"
        case "digits":
            return r"\d+"
        case "name":
            return f"(?:{_DAYS_AND_MONTHS})"
        case "spaces":
            return " +"
    return f"(?i:{_LEVEL})" + (" +" if found["padding"] else " *" if found.end() < len(found.string) else "")
