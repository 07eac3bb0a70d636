"""The forms a line of a Rust panic or error report can take.

Every pattern is linear; of a line longer than `LONGEST` only the beginning is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from aiops_core import lazy_pattern, parse_envelope

LONGEST = 8192
Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""

_THREAD = r"(?:^|[\s\]:|])thread '(?P<thread>[^'\n]{1,200})'(?: \(\d+\))? "
_PANIC = lazy_pattern(rf"(?:{_THREAD}|^)panicked at (?P<rest>.*)$", re.DOTALL)
_PLACED = lazy_pattern(r"\S+\.rs:\d+:\d+:\s*$")
OVERFLOWED = lazy_pattern(rf"{_THREAD}has overflowed its stack\s*$")
SHELL = lazy_pattern(r"(?:\S.*?: line \d+: +\d+ )?Aborted(?:\s+\(core dumped\)|\s*$|\s{2,}\S)")
"""What a shell says of a program that aborted."""
RUNTIME = lazy_pattern(r"fatal runtime error: (?P<message>.*)$")
ALLOCATION = lazy_pattern(r"(?P<message>memory allocation of \d+ bytes failed)")
ABORT = lazy_pattern(
    r"(?:thread '[^'\n]{1,200}' )?(?:thread )?(?:panicked while (?:processing panic|panicking)|caused non-unwinding panic)\. aborting\."
)
EMBARRASSED = lazy_pattern(r"Well, this is embarrassing\.\s*$")
"""How human-panic begins to tell of a panic."""
THANKS = "Thank you kindly"
CRASHED = lazy_pattern(r"(?:^|.*\s)The application panicked \(crashed\)\.\s*$")
_PLACE = lazy_pattern(
    r"(?P<file>[^:'\"]*(?:[A-Za-z]:[^:'\"]*)?):(?P<line>\d+)(?::(?P<column>\d+))?(?P<colon>:)?\s*$"
)
NOTE = lazy_pattern(r"note: (?:[Rr]un with |[Ss]ome details are omitted|the backtrace|this )")
BACKTRACE = lazy_pattern(r"\s*[Ss]tack backtrace:\s*$")
_NUMBERED = lazy_pattern(r"\s{0,8}(?P<number>\d{1,6}): +(?:0x[0-9a-f]+ - |0x[0-9a-f]+$)?(?P<name>.*)$")
FIRST_CALL = lazy_pattern(r"\s{2,8}0: +(?:0x[0-9a-f]+ - )?[\w<>]+::\S")
"""A backtrace that no title announces."""
_AT = lazy_pattern(r"\s+at (?P<file>(?:[A-Za-z]:)?[^:]+):(?P<line>\d+)(?::(?P<column>\d+))?\s*$")
_HIDDEN = lazy_pattern(r"\s*⋮ \d+ frames? hidden ⋮\s*$")
SECTION = lazy_pattern(r"\s*━{3,} (?P<name>[A-Z]+) ━{3,}\s*$")
_HASH = lazy_pattern(r"::h[0-9a-f]{16}$")
_DISAMBIGUATOR = lazy_pattern(r"\[[0-9a-f]{6,16}\](?=::|>|$)")
CAUSED = lazy_pattern(r"\s{0,4}Caused by(?: this error| these errors(?: \([^()]{1,60}\))?)?:\s*$")
LOCATION = lazy_pattern(r"Location:\s*$")
LOCATED = lazy_pattern(r" {3,4}(?P<file>[^\s:][^:]{0,400}\.rs):(?P<line>\d+):(?P<column>\d+)\s*$")
CHAINED = lazy_pattern(r"\s{1,8}(?P<number>\d{1,3}): ?(?P<message>.*)$")
_HEADING = lazy_pattern(r"[A-Z][\w ]{0,40}:\s*$")
_AFTERWORD = lazy_pattern(
    r"(?:Note|Warning|Suggestion|Help): \S|Run with (?:RUST_BACKTRACE|COLORBT_SHOW_HIDDEN|RUST_SPANTRACE|RUST_LIB_BACKTRACE)=|Backtrace omitted\."
)
_ERROR = lazy_pattern(r" {0,4}[Ee]rror:(?: |$)")
_DEBUGGED = lazy_pattern(r"(?P<type>[A-Z]\w*)(?: \{|\()")


class Panic(NamedTuple):
    """The line that announces a panic."""

    thread: str
    rest: str

    @property
    def is_quoted(self) -> bool:
        """Whether the message stands in quotes before the place, as until Rust 1.72."""
        return self.rest.startswith("'")


class Place(NamedTuple):
    """A place in the source."""

    file: str
    line: int
    column: int


class Call(NamedTuple):
    """A function of a backtrace, and where it stands."""

    name: str
    place: Place | None


def read_panic(line: str) -> Panic | None:
    """Read ``thread 'name' panicked at …``."""
    if "panicked at " not in line:
        return None
    found = _PANIC.search(line[:LONGEST])
    if found is None or (found["thread"] is None and not _PLACED.match(found["rest"])):
        return None
    return Panic(found["thread"] or "", found["rest"] + line[LONGEST:])


def split_place(text: str) -> tuple[str, Place | None]:
    """Split a message and the place at its end."""
    at = max(text.rfind("', "), text.rfind("': "))
    if text.startswith("'"):
        place = read_place(text[at + 3 :]) if at > 0 else None
        return (text[1:at], place) if place is not None else (text[1:].rstrip().removesuffix("'"), None)
    return "", read_place(text)


def read_place(text: str) -> Place | None:
    """Read ``src/main.rs:1:2``."""
    found = _PLACE.match(text[:LONGEST])
    if found is None:
        return None
    return Place(found["file"], int(found["line"][:9]), int((found["column"] or "0")[:9]))


def closes_quote(line: str) -> bool:
    """Say whether a quoted message of several lines ends with this one."""
    at = max(line.rfind("', "), line.rfind("': "))
    return at >= 0 and read_place(line[at + 3 :]) is not None


def is_drawn(line: str) -> bool:
    """Say whether the line may be of a report that is drawn with branches."""
    return any(sign in line for sign in ("× ", "─▶ ", "╴at "))


def is_script_stack(line: str) -> bool:
    """Say whether the line is of the stack of the script that runs a module of WebAssembly."""
    return line.strip() in {"", "Stack:", "Error"} or line.startswith("    at ")


def is_backtrace(line: str) -> bool:
    """Say whether the line belongs to a backtrace: a function, its place, or what else is indented so far."""
    if len(line) > LONGEST:
        return False
    return line.startswith("      ") or _NUMBERED.match(line) is not None or _HIDDEN.match(line) is not None


def read_calls(lines: list[str]) -> list[Call]:
    """Read the functions of a backtrace, the innermost first."""
    calls: list[Call] = []
    for line in lines:
        at = _AT.match(line[:LONGEST])
        if at is not None:
            if calls and calls[-1].place is None:
                place = Place(at["file"], int(at["line"][:9]), int((at["column"] or "0")[:9]))
                calls[-1] = calls[-1]._replace(place=place)
            continue
        found = _NUMBERED.match(line[:LONGEST])
        name = found["name"] if found is not None else line if _may_be_inlined(line) else ""
        if name.strip():
            calls.append(Call(_plain_name(name.strip()), None))
    return calls


def _may_be_inlined(line: str) -> bool:
    text = line.strip()
    return "::" in text and " " not in text.split("<")[0] and not text.startswith(("at ", "⋮"))


def _plain_name(name: str) -> str:
    return _DISAMBIGUATOR.sub("", _HASH.sub("", name))


def is_numbered(line: str) -> bool:
    """Say whether the line is a function of a backtrace or an error of a chain, with its number."""
    return _NUMBERED.match(line[:LONGEST]) is not None


def is_heading(line: str) -> bool:
    """Say whether the line heads a section of an error report."""
    return (
        CAUSED.match(line) is not None
        or BACKTRACE.match(line) is not None
        or SECTION.match(line) is not None
        or _HEADING.match(line) is not None
    )


def is_afterword(line: str) -> bool:
    """Say whether the line stands under a report: notes, suggestions, how to see more."""
    return _AFTERWORD.match(line) is not None or NOTE.match(line) is not None


def is_indented(line: str) -> bool:
    """Say whether the line stands under a heading."""
    return line.startswith(("  ", "\t"))


def names_error(line: str) -> bool:
    """Say whether the line begins with the word that ``main`` puts before the error it returned."""
    return _ERROR.match(line) is not None


def read_debugged(text: str) -> str:
    """Return the type of an error that was printed with ``{:?}``, "" for any other."""
    found = _DEBUGGED.match(text)
    return found["type"] if found is not None else ""


def starts_afresh(line: str) -> bool:
    """Say whether the line begins a log record of its own."""
    envelope = parse_envelope(line)
    return envelope.severity is not None or envelope.occurred_at is not None
