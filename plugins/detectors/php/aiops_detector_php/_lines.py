"""The forms a line of a PHP error can take.

Every pattern is linear; a line longer than `LONGEST` is read up to there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from aiops_core import lazy_pattern, parse_envelope

LONGEST = 8192
Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""

_FATAL = lazy_pattern(
    r"(?:^|[\s\"'>])(?:PHP )?(?P<kind>Fatal error|Parse error|Recoverable fatal error|Catchable fatal error)(?:</b>)?: +(?P<rest>\S.*)$",
    re.DOTALL,
)
_UNCAUGHT = lazy_pattern(r"(?:Uncaught |Exception thrown without a stack frame)")
_LETTER = r"[^\x00-@\[-^`{-\x7f]"
_WORD = rf"{_LETTER}[^\x00-/:-@\[-^`{{-\x7f]*"
"""Names: all that is not ASCII may stand in them."""
CLASS = rf"\\?{_WORD}(?:\\{{1,2}}{_WORD})*(?:@anonymous[^:\s]*)?"
_NAMED = lazy_pattern(rf"(?P<type>{CLASS})(?::(?= |$)| in (?=/|[A-Z]:\\|\S+\.php))")
_ALONE = lazy_pattern(rf"(?P<type>{CLASS})\s*$")
_QUOTED = lazy_pattern(r"exception '(?P<type>[^']+)'(?P<with> with message ')?")
_ERROR_NAME = lazy_pattern(r"\\|(?:Exception|Error|Throwable|Failure)\b|^(?:Exception|Error)$")
_EVALUATED = r"\(\d+\) : (?:eval\(\)'d code|runtime-created function)"
PLACE = lazy_pattern(
    rf"(?:^| )in (?P<file>(?:[A-Za-z]:)?[^:]*?(?:{_EVALUATED})?):(?P<line>\d+)(?=\s*$|[\"'])"
)
ON_LINE = lazy_pattern(
    rf" in (?:<b>)?(?P<file>(?:[A-Za-z]:)?(?:(?! in )[^:<])*?(?:{_EVALUATED})?)(?:</b>)? on line (?:<b>)?(?P<line>\d+)"
)
THROWN = lazy_pattern(r"\s*thrown in (?:<b>)?(?P<file>.*?)(?:</b>)? on line (?:<b>)?(?P<line>\d+)")
STACK = lazy_pattern(r"(?:^|[\s\"])(?:PHP )?Stack [tT]race:\s*$")
_FRAME = lazy_pattern(
    r"\s*(?:#|(?=\d{1,3} (?:\S+\.php\(\d+\)|\[internal function\]): ))(?P<number>\d{1,5}) (?P<rest>\S.*)$",
    re.DOTALL,
)
_PLACE_ALONE = lazy_pattern(r"- (?P<file>\S+\.\w+):(?P<line>\d+)\s*$")
"""A call as CakePHP writes it: where, not which."""
_CALL_PLACE = lazy_pattern(
    r"(?P<file>(?:phar://)?(?:[A-Za-z]:)?[^:]*?)\((?P<line>\d+)\)(?: : (?:eval\(\)'d code|runtime-created function|assert code))?(?:\(\d+\))?: "
)
_INTERNAL = "[internal function]: "
_XDEBUG_FRAME = lazy_pattern(
    r"\s*PHP\s{1,4}(?P<number>\d{1,4})\. (?P<call>\S.*?) (?P<file>(?:[A-Za-z]:)?/?[^\s:]+):(?P<line>\d+)\s*$"
)
_XDEBUG_SHOWN = lazy_pattern(r"\s{0,8}(?:Call Stack:|\d+\.\d{4} +\d+ +\d+\. \S)")
NEXT = lazy_pattern(rf"\s*Next (?={CLASS}(?:: | in )|exception ')")
OBJECT = lazy_pattern(rf"\[object\] \((?P<type>{CLASS})\(code: (?P<code>[^)]{{0,40}})\): ")
_OBJECT_PLACE = lazy_pattern(r" at (?P<file>(?:[A-Za-z]:)?[^:]*):(?P<line>\d+)\)")
_OBJECT_CHAINED = lazy_pattern(rf" at [^\s:]{{1,400}}:(?P<line>\d+), (?={CLASS}\(code: )")
"""Monolog 1 names the causes in the same parentheses."""
PREVIOUS = "[previous exception] "
STACKTRACE = lazy_pattern(r"\s*\[stacktrace\]\s*$")
CLOSING = lazy_pattern(r"\s*\\?\"(?:[}\]\s]|,|$)")
"""The end of the JSON string that Monolog writes a trace into."""
_FPM = lazy_pattern(
    r"(?:(?:(?:\[[^\]]{1,40}\] )?\w+: )?(?:\[pool [^\]]{1,80}\] )?child \d+(?:, script '[^']{0,400}' \(request: \"[^\"]{0,2000}\"\))? )?"
    r"said into std(?:err|out): \"(?:NOTICE: PHP message: )?"
)
_STAMPED = lazy_pattern(r"\[\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d(?: [\w/+-]+)?\] ")
_NOTICE = lazy_pattern(
    r"(?:\[[^\]]{1,80}\] )?(?:<br />)?(?:<b>)?(?:PHP )?(?:[A-Z][a-z]+ ){0,2}?(?:[Ww]arning|[Nn]otice|Deprecated|[Ee]rror)(?:</b>)?: .* on line (?:<b>)?\d+"
)
BOX = lazy_pattern(r"In (?P<file>\S[^:\n]{0,300}\.php) line (?P<line>\d+):\s*$")


UNNUMBERED = -1


class Call(NamedTuple):
    """One line of a stack: where a function was called, and which."""

    number: int
    file: str
    line: int
    function: str


class Head(NamedTuple):
    """What the line that names an exception says."""

    type: str
    message: str
    file: str = ""
    line: int = 0


def unwrapped(line: str) -> str:
    """Return what a worker said through PHP-FPM, which wraps each line of its own."""
    found = _FPM.match(line) if line.startswith(("[", "said into ", "child ")) else None
    if found is None:
        return line
    return line[found.end() :].removesuffix('"')


def read_fatal(line: str) -> tuple[str, str] | None:
    """Return the kind and the text of an error of the engine."""
    found = _FATAL.search(line[:LONGEST]) if "rror" in line else None
    return (found["kind"], found["rest"]) if found is not None else None


def is_uncaught(text: str) -> bool:
    """Say whether an error of the engine is an exception that nobody caught."""
    return _UNCAUGHT.match(text) is not None


def read_named(text: str) -> Head | None:
    """Read ``Type: message in file:1`` or what PHP 5 wrote; the place may follow on a later line."""
    text = text.removeprefix("Uncaught ").partition(" Stack trace: #0 ")[0]
    found = _QUOTED.match(text)
    if found is not None:
        message, file, line = split_place(text[found.end() :])
        return Head(found["type"], message.rstrip().removesuffix("'") if found["with"] else "", file, line)
    found = _NAMED.match(text)
    if found is None:
        alone = _ALONE.match(text)
        return Head(plain_class(alone["type"]), "") if alone is not None else None
    rest = text[found.end() :].strip() if not found[0].endswith(" in ") else f"in {text[found.end() :]}"
    message, file, line = split_place(rest)
    return Head(plain_class(found["type"]), message, file, line)


def find_named(line: str) -> int:
    """Return where in a logging line an exception is named, -1 where none is."""
    text = line[:LONGEST]
    start = parse_envelope(text).length
    found = _QUOTED.search(text)
    if found is not None:
        return found.start()
    if (match := _NAMED.match(text, start)) is not None and is_error(match["type"]):
        return start
    for match in re.finditer(rf"(?:(?<=\s)|(?<=[\"']))(?={CLASS}: )", text):
        named = _NAMED.match(text, match.start())
        if named is not None and is_error(named["type"]):
            return match.start()
    return start if _NAMED.match(text, start) else -1


def is_error(name: str) -> bool:
    """Say whether the name of a class tells of an error."""
    return _ERROR_NAME.search(name) is not None


def plain_class(name: str) -> str:
    """Return a class name as code has it: JSON doubles its backslashes."""
    name = name.replace("\\\\", "\\").lstrip("\\")
    return name.partition("@anonymous")[0] + "@anonymous" if "@anonymous" in name else name


def split_place(text: str) -> tuple[str, str, int]:
    """Split ``message in file:1``."""
    at = max(text.rfind(" in "), 0 if text.startswith("in ") else -1)
    found = PLACE.match(text, at) if at >= 0 else None
    if found is None:
        return text, "", 0
    return text[:at], found["file"], int(found["line"][:9])


def read_object(line: str) -> Head | None:
    """Read an exception as Monolog writes it."""
    found = OBJECT.search(line[:LONGEST])
    if found is None:
        return None
    rest = line[found.end() : found.end() + 2 * LONGEST]
    if (chained := _OBJECT_CHAINED.search(rest)) is not None:
        rest = rest[: chained.end("line")] + ")"
    at = max(rest.find(".php:"), rest.rfind(" at "))
    start = rest.rfind(" at ", 0, at + 1)
    place = _OBJECT_PLACE.match(rest, start) if start >= 0 else None
    if place is None:
        return Head(plain_class(found["type"]), rest)
    return Head(plain_class(found["type"]), rest[:start], place["file"], int(place["line"][:9]))


def read_frame(line: str) -> Call | None:
    """Read ``#0 file(1): function()``."""
    found = _FRAME.match(line[:LONGEST])
    if found is None:
        if (alone := _PLACE_ALONE.match(line[:LONGEST])) is not None:
            return Call(UNNUMBERED, alone["file"], int(alone["line"][:9]), "")
        shown = _XDEBUG_FRAME.match(line[:LONGEST])
        if shown is None:
            return None
        return Call(
            int(shown["number"]), shown["file"], int(shown["line"][:9]), shown["call"].partition("(")[0]
        )
    rest, number = found["rest"], int(found["number"])
    if rest.startswith(_INTERNAL):
        return Call(number, "", 0, _function(rest[len(_INTERNAL) :]))
    place = _CALL_PLACE.match(rest)
    if place is None:
        return Call(number, "", 0, _function(rest)) if rest.startswith("{main}") else None
    return Call(number, place["file"], int(place["line"][:9]), _function(rest[place.end() :]))


def _function(call: str) -> str:
    if call.startswith("{main}"):
        return "{main}"
    name = call.partition("(")[0].replace("\\\\", "\\")
    return (
        name.replace("{closure", "{closure}").replace("{closure}}", "{closure}")
        if name.endswith("{closure")
        else name
    )


def is_shown_stack(line: str) -> bool:
    """Say whether the line is of the table Xdebug shows under an error."""
    return _XDEBUG_SHOWN.match(line) is not None


def is_notice(line: str) -> bool:
    """Say whether the line is a message of the engine's own, which introduces no other."""
    return _NOTICE.match(line[:LONGEST]) is not None


def starts_afresh(line: str) -> bool:
    """Say whether the line begins a log record of its own."""
    envelope = parse_envelope(line)
    return envelope.severity is not None or envelope.occurred_at is not None
