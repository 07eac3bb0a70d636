"""The forms a line of a Ruby backtrace can take.

Every pattern is linear: a path holds no colon but that of a drive, a label no quote, and a line
longer than `LONGEST` is no part of a backtrace.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from aiops_core import lazy_pattern, parse_envelope

LONGEST = 4096
Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""

FRAME_TRIGGER = r"^(?:#\d+ )?[ \t]{0,40}(?:\d+: )?(?:from )?(?:[\w.-]{1,80} \([\w.]{1,40}\) )?(?:[A-Za-z]:|<internal:)?[^\s:]{1,200}:\d{1,9}:in [`']"
"""A frame. The number is bounded: Hyperscan loses a pattern of which another shares all up to an unbounded one,
where a time stands before it on the line."""
JRUBY_TRIGGER = r"^ {1,60}[^\s:][^:\n]{0,120} at [^\s:]{1,200}\.rb:\d"
INSPECTED_TRIGGER = r": #<[A-Z][\w:]{1,120}: \S"
REVERSED = "Traceback (most recent call last):"
_FILE = r"(?P<file>(?:[A-Za-z]:)?[^\s:(<][^:]*|<[^<>]*>|\([^()]*\)[^:]*)"
_PLACE = rf"{_FILE}:(?P<line>\d+)"
_LEAD = r"\s*(?:#\d+ )?(?P<number>\d+: )?(?P<word>from )?(?:(?P<gem>[\w.-]+) \([\w.]+\) )?"
_FRAME = lazy_pattern(rf"{_LEAD}{_PLACE}(?::in [`'](?P<label>[^']*)'?)?\s*$")
_JRUBY = lazy_pattern(
    r"\s+(?P<label>[^\s:][^:]*?) at (?P<file>[^\s:][^:]*\.(?:rb|erb|ru|rake|java)|-e|\(eval\)):(?P<line>\d+)\s*$"
)
_LEVELS = lazy_pattern(r"\s+\.\.\. ?\d+ levels\.\.\.\s*$")
NUMBERED = lazy_pattern(r"\s+\d+: from \S")
_CONST = r"[A-Z]\w*(?:::[A-Z]\w*)*"
_TYPE = rf"{_CONST}|fatal|#<Class:0x[0-9a-f]+>(?:::\w+)*"
_ERROR_NAME = lazy_pattern(
    r"::|(?:Error|Exception|Failure|Failed|Fault|Timeout|NotFound|Invalid|Interrupt|Exit|Missing|Denied|Expired|Conflict)$|^fatal$|^#<"
)
_RAISED = lazy_pattern(rf"\s*(?:from )?{_PLACE}:in [`'](?P<label>[^']*)': (?P<message>.*)$", re.DOTALL)
_TYPE_AT_END = lazy_pattern(rf"({_TYPE})\)\s*$")
_LABEL = "-- Exception: "
"""What Semantic Logger writes before an exception."""
UNNAMED = "unhandled exception"
_SYNTAX = lazy_pattern(
    rf"\s*{_PLACE}: (?P<message>syntax errors?(?: found|, unexpected|, \w).*|.*\(SyntaxError\))\s*$"
)
_BUG = lazy_pattern(r"(?:.{0,300}?:\d+: )?\[BUG\] (?P<message>.*)$")
BUG_VERSION = lazy_pattern(r"(?:ruby|truffleruby|jruby) \d")
_RAILS = lazy_pattern(rf"(?:^|[\s:\]])(?P<type>{_CONST}) ?\(")
_NAMED = lazy_pattern(rf"(?<![\w:.])(?P<type>{_CONST})(?::(?: |$)| -> )")
_INSPECTED = re.compile(rf"#<(?P<type>{_CONST}): ")
_DASHED = re.compile(rf"(?:^| - )(?P<type>{_CONST}) - ")
_FIELDS = re.compile(rf"\berror_class=(?P<type>{_CONST})(?: error=(?=\"))?")
_CLOSED = lazy_pattern(r"\):?\s*$")
_INFORMATION = lazy_pattern(r"\s*Information for(?P<cause> cause)?: ")
_CAUSED = lazy_pattern(r"\s*Caused by: ?(?P<rest>.*)$")
CAUSES = lazy_pattern(r"\s*(?:Caused by|Causes):\s*$")
_FRAME_WITHIN = lazy_pattern(r" (?P<file>(?:[A-Za-z]:)?[^\s:]+):\d+:in [`'][^']*'?\s*$")
LEADS = lazy_pattern(
    r"\s*(?:rake aborted!|bundler: failed to load command: \S|! Unable to (?:load|start) |#<Thread:0x\S+ .* terminated with exception)"
)
THREAD = lazy_pattern(
    r"#<Thread:0x[0-9a-f]+@(?P<name>.{1,100}?)(?: [^\s]+:\d+)? \w+> terminated with exception"
)
TAIL = lazy_pattern(r"(?:Tasks: TOP => |\(See full trace by running task with --trace\))")
_CARET = lazy_pattern(r"\s*(?:\|\s*)?\^")
DETAIL = lazy_pattern(r"Did you mean\?|\s{6,}\S|> ?\d+ \||\s*\d* \| |\s*\.\.\.\s*$")
_SOURCE = lazy_pattern(r"\s*(?:=> )?\d+: |\s*$")
_IN = lazy_pattern(r"^(?:(?:rescue|ensure|block(?: \(\d+ levels\))?) in )+")


class Call(NamedTuple):
    """Where a frame says it is."""

    file: str
    line: int
    label: str
    gem: str = ""
    is_from: bool = False
    """Whether the interpreter printed it: ``from file:1``."""

    @property
    def place(self) -> tuple[str, str]:
        """The file and the method, whatever block of it runs."""
        return self.file, _IN.sub("", self.label)

    @property
    def is_rescue(self) -> bool:
        """Whether it handled an exception: one that it raises has a cause."""
        return "rescue in " in self.label or "ensure in " in self.label


class Head(NamedTuple):
    """What the line that names an exception says."""

    type: str
    message: str
    call: Call | None = None
    is_open: bool = False
    """Whether the message goes on until a closing parenthesis."""


def read_frame(line: str) -> Call | None:
    """Read ``from file:1:in 'method'`` and its kin; None for any other line."""
    if len(line) > LONGEST:
        return None
    found = _FRAME.match(line)
    if found is not None and (found["label"] is not None or found["word"]):
        number = int(found["line"][:9])
        return Call(found["file"], number, found["label"] or "", found["gem"] or "", bool(found["word"]))
    found = _JRUBY.match(line)
    return Call(found["file"], int(found["line"][:9]), found["label"]) if found is not None else None


def follows_frame(line: str) -> bool:
    """Say whether the line can stand between the frames of one exception."""
    return _LEVELS.match(line) is not None or read_frame(line) is not None


def has_frame(line: str) -> bool:
    """Say whether a logging line ends in the first frame of a backtrace."""
    return _FRAME_WITHIN.search(line[:LONGEST]) is not None and starts_afresh(line)


def is_cut_short(line: str) -> bool:
    """Say whether the line stands for frames left out."""
    return _LEVELS.match(line) is not None


def read_raised(line: str) -> Head | None:
    """Read what the interpreter prints: ``file:1:in 'method': message (Type)``."""
    if len(line) > LONGEST and len(line.partition(":in ")[0]) > LONGEST:
        return None
    found = _RAISED.match(line)
    if found is None:
        return None
    call = Call(found["file"], int(found["line"][:9]), found["label"])
    message = found["message"]
    if message.startswith(("warning: ", "Warning: ")):
        return None
    typed = _split_type(message)
    if typed is not None:
        return typed._replace(call=call)
    return Head("RuntimeError", message, call) if message.strip() == UNNAMED else None


def read_syntax_error(line: str) -> Head | None:
    """Read the syntax error of a file that was run itself."""
    found = _SYNTAX.match(line[:LONGEST])
    if found is None or not (
        found["message"].endswith("(SyntaxError)") or found["file"].endswith(("rb", "-e", ".ru"))
    ):
        return None
    call = Call(found["file"], int(found["line"][:9]), "")
    return Head("SyntaxError", found["message"].removesuffix("(SyntaxError)").rstrip(), call)


def read_bug(line: str) -> Head | None:
    """Read the first line of the interpreter's own crash report."""
    found = _BUG.match(line[:LONGEST])
    return Head("[BUG]", found["message"]) if found is not None else None


def read_head(line: str) -> Head | None:
    """Read a line above a backtrace that names the exception, in the forms loggers give it."""
    line = line[:LONGEST]
    head = read_raised(line)
    if head is not None:
        return head
    text = line[parse_envelope(line).length :].rpartition(_LABEL)[2]
    for form in (_FIELDS, _INSPECTED, _DASHED, _RAILS):
        if (found := _first_error(form, text)) is not None:
            return _to_head(found, text[found.end() :])
    typed = _split_type(text)
    if typed is not None and _ERROR_NAME.search(typed.type):
        return typed
    found = _first_error(_NAMED, text)
    return Head(found["type"], text[found.end() :].strip()) if found is not None else None


def _split_type(message: str) -> Head | None:
    """Split ``message (Type)``."""
    at = message.rfind("(")
    found = _TYPE_AT_END.match(message, at + 1) if at >= 0 else None
    return Head(found[1], message[:at].rstrip()) if found is not None else None


def _first_error(form: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next((found for found in form.finditer(text) if _is_error(found, text)), None)


def _is_error(found: re.Match[str], text: str) -> bool:
    name = found["type"]
    if _ERROR_NAME.search(name):
        return True
    return found.re in {_RAILS, _NAMED} and not text[: found.start("type")].strip() and len(name) > 2


def _to_head(found: re.Match[str], rest: str) -> Head | None:
    name = found["type"]
    if found.re is _FIELDS:
        return Head(name, rest[1:].partition('"')[0])
    if found.re is _INSPECTED:
        return Head(name, rest.rstrip().removesuffix(">"))
    if found.re is _DASHED:
        return Head(name, rest.rstrip().removesuffix(":"))
    closing = _CLOSED.search(rest[-8:])
    message = rest[: len(rest) - len(closing[0])] if closing is not None else rest
    return Head(name, message, None, closing is None)


def starts_afresh(line: str) -> bool:
    """Say whether the line begins a log record of its own, by its time or level."""
    envelope = parse_envelope(line)
    return envelope.severity is not None or envelope.occurred_at is not None


def is_caret(line: str) -> bool:
    """Say whether the line points at a place in the line above."""
    return _CARET.match(line) is not None


def is_source(line: str) -> bool:
    """Say whether the line is blank or source that Rails prints with its number."""
    return _SOURCE.match(line) is not None


def read_information(line: str) -> bool | None:
    """Tell whether a heading of Rails is about a cause; None for any other line."""
    found = _INFORMATION.match(line[:LONGEST])
    return bool(found["cause"]) if found is not None else None


def is_inspected(line: str) -> bool:
    """Say whether a line ends in an exception as Ruby shows an object: ``: #<Type: message>``."""
    at = line.rfind(": #<", 0, LONGEST)
    found = _INSPECTED.match(line, at + 2) if at >= 0 and line.rstrip().endswith(">") else None
    return found is not None and _ERROR_NAME.search(found["type"]) is not None


def read_caused(line: str) -> str | None:
    """Return what stands behind ``Caused by:``."""
    found = _CAUSED.match(line[:LONGEST])
    return found["rest"] if found is not None else None
