"""The line that names a JavaScript error, in the forms runtimes and loggers give it."""

from __future__ import annotations

import re
from typing import NamedTuple

from aiops_core import lazy_pattern
from aiops_detector_javascript._frames import LONGEST

_NAME = r"[A-Za-z_$][\w$.]*"
_LEAD = (
    r"(?:\(\w+:\d+\) )?(?:UnhandledPromiseRejectionWarning: (?:Unhandled promise rejection \(rejection id: \d+\): )?)?(?:error: (?=Uncaught|[A-Z][\w$]*Error\b))?"
    r"(?:Uncaught:? |Unhandled (?:promise )?rejection:? )?(?:\(in promise\):? )?"
)
_HEAD = lazy_pattern(
    rf"(\s*)(?P<lead>{_LEAD})(?:\[cause\]: )?(?P<open>\[?)(?P<type>{_NAME})(?: \[(?P<code>[\w.-]+)\])?(?P<rest>:(?: .*)?|\]?(?: [{{[])?)?\s*$",
    re.DOTALL,
)
_KNOWN_NAME = lazy_pattern(r"(?:Error|Exception|Warning|Rejection)$|^error$")
_WITHIN = lazy_pattern(r"(?<![\w$.])((?:[\w$]+\.)*[\w$]*(?:Error|Exception))(?: \[[\w.-]+\])?(?::(?=\s|$)|$)")
_NAME_AFTER_COLON = lazy_pattern(r"(?<=: )([A-Z][\w$]*):(?= )")
_AFRESH = lazy_pattern(
    r"\s{0,2}[\[(<]?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/.]\d\d[-/. ]\d|\d\d?:\d\d:\d\d|\d{10}(?:\d{3})?\b"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d"
    r"|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL)\b(?!:)|(?:info|warn|debug|error|verbose): (?!Uncaught)"
    r"|(?:level|time|ts)=)"
)
_STANDALONE = lazy_pattern(
    r"\s?(?:error: )?Uncaught (?!Exception:?\s*$)(?:\(in promise\) )?(?:[A-Z][\w$]*)?(?:Error|Exception)\b"
    r"|\s?(?:\(\w+:\d+\) |\[)?UnhandledPromiseRejection(?:Warning)?: (?!Unhandled promise rejection(?! \(rejection id: \d+\): ))"
)
_LEVELS = frozenset({"error", "err", "fatal", "critical", "crit"})
FATAL = "FATAL ERROR"
HEAP = lazy_pattern(rf"{FATAL}: .*JavaScript heap out of memory")
AFTERMATH = lazy_pattern(
    r"\s?(?:\(Use `|(?:Node\.js|Bun|Deno) v?\d|digest: ['\"]?\w"
    r"|\(node:\d+\) (?:UnhandledPromiseRejectionWarning: Unhandled promise rejection(?! \(rejection)|\[DEP0018\]))"
)
"""What a runtime says after the trace."""
CARETS = lazy_pattern(r"\s*\^[\^~]*\s*$")
ASSERTION = lazy_pattern(r"\s?AssertionError \[ERR_ASSERTION\]: ")
"""Its message is a difference, often longer than a detector may look back."""
CAUSE = lazy_pattern(
    r"(\s*)(?:\[cause\]|[Cc]aused by|cause(?=: \[?[A-Za-z_$][\w$.]*(?:Error|Exception)\b|: Error\b)): ?(.*)",
    re.DOTALL,
)
_ENGINE = ", js engine: hermes"
"""What React Native adds to a message."""
COMPONENTS = "This error is located at:"
"""What React Native says above the components of the view that failed."""
DEBUGGING_AID = "Trace"
"""The name ``console.trace`` prints: a stack, but no error."""


class Head(NamedTuple):
    """What the line that names an error says."""

    type: str
    message: str
    is_known: bool = True
    """Whether the name itself says that it is an error."""
    code: str = ""


def read_head(line: str) -> Head | None:
    """Read a line that begins with the name of an error, and perhaps a message."""
    if HEAP.match(line):
        return Head(FATAL, line.removeprefix(f"{FATAL}: "))
    match = _HEAD.match(line[:LONGEST])
    if match is None:
        return None
    message = ((match["rest"] or "") + line[LONGEST:]).removeprefix(":").strip().removesuffix(_ENGINE)
    if match["open"]:
        message = message.rstrip(" {[").removesuffix("]")
    elif message in {"{", "["}:
        message = ""
    is_label = not match["lead"] and (match["type"].islower() or match["type"].isupper())
    inner = read_head(message) if is_label else None
    if inner is None and is_label and match["type"].lower() in _LEVELS:
        inner = read_head_within(message)
    if inner is not None and inner.is_known and inner.type[:1].isupper():
        return inner  # a key or a level came first
    is_known = bool(match["lead"]) or _KNOWN_NAME.search(match["type"]) is not None
    return Head(match["type"], message, is_known, match["code"] or "")


def read_head_within(line: str) -> Head | None:
    """Read a logging line that names the error further on."""
    match = _WITHIN.search(line[:LONGEST]) or _NAME_AFTER_COLON.search(line[:LONGEST])
    if match is None:
        return None
    message = line[match.end() :].strip().removesuffix(_ENGINE)
    if line[: match.start()].endswith("["):
        message = message.rstrip(" {[").removesuffix("]")
    return Head(match[1], message)


def stands_alone(line: str) -> bool:
    """Say whether the line is a problem even without a single frame under it."""
    return _STANDALONE.match(line) is not None or HEAP.match(line) is not None


def starts_afresh(line: str) -> bool:
    """Say whether the line begins a log record of its own, by its time or level."""
    return _AFRESH.match(line) is not None


def indent_of(line: str) -> int:
    """Return how far the line is indented."""
    return len(line) - len(line.lstrip())
