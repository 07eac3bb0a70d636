"""The forms a line of a Java stack trace can take.

Kotlin, Scala, Groovy and Clojure print through the same runtime. Every pattern here is linear, and
a line longer than `LONGEST` is no part of a trace's frame, so hostile lines cost no more than others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from aiops_core import lazy_pattern

LONGEST = 4096
Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""

_FRAME = lazy_pattern(r"\s*at ([^()]*[^\s()])\(([^()]*)\)")
_PLACE = lazy_pattern(
    r"([^:]*\.\w+|(?:[\w.@-]*/)?(?:Native Method|Unknown Source|Unknown|<generated>)|[^\s:]+(?=:)|)(?::(-?\d+))?"
)
_NO_FILES = frozenset({"Native Method", "Unknown Source", "Unknown", "<generated>"})
_LOOSE_FRAME = lazy_pattern(r"\s+at \S")
_LEFT_OUT = lazy_pattern(r"\s*\.\.\. ?\d+ \w")
_CIRCULAR = lazy_pattern(r"\s*\[CIRCULAR REFERENCE")
_MARK = lazy_pattern(
    r"(\s*)(Caused by|Caused By|Suppressed|Wrapped by|Caused|Also) ?: +(\S.*)|(\s*)(\[wrapped\]) *(\S.*)"
)
_NAME = r"(?:[A-Za-z_$][\w$-]*\.)+[\w$]*[A-Z][\w$]*|[A-Z][\w$]*(?:Exception|Error|Throwable)"
_HEAD = lazy_pattern(rf'\s*(?:Exception in thread "([^"]*)" )?({_NAME})(?::(?: (.*)|$)|\s*$)', re.DOTALL)
_CLASS = lazy_pattern(r"([A-Za-z_$][\w$.]*)(?:: (.*)|:?\s*$)", re.DOTALL)
_KNOWN_NAME = lazy_pattern(r"(?:Exception|Error|Throwable|Failure|Fault)$")
_PARTS = r"(?:[A-Za-z_$][\w$-]*\.)"
_KNOWN = r"(?:Exception|Error|Throwable))(?::\s|:?\s*$| thrown from the )"
_WITHIN = (
    lazy_pattern(rf"(?<![\w$.-])({_PARTS}+(?:[A-Z][\w$]*)?{_KNOWN}"),
    lazy_pattern(rf"(?<![\w$.-])([A-Z][\w$]*{_KNOWN}"),
    lazy_pattern(rf"(?<![\w$.-])({_PARTS}+[A-Z][\w$]*)(?:: |:?\s*$)"),
    lazy_pattern(rf"(?<![\w$.-])({_PARTS}+[A-Z][\w$]*(?:Exception|Error)) (?=\S)"),
)
"""Names within a line, the surest first: qualified, known to be an exception's, neither, one in a sentence."""
_STANDALONE = lazy_pattern(
    r'\s*(?:Exception in thread "'
    r"|(?:Terminating due to |Aborting due to )?java\.lang\.(?:OutOfMemoryError|StackOverflowError)(?::|$)"
    r"|Exception: \S+ thrown from the UncaughtExceptionHandler in thread )"
)
_AFRESH = lazy_pattern(
    r"\s{0,2}[\[(<]?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/.]\d\d[-/. ]\d|\d\d?:\d\d:\d\d|\d{10}(?:\d{3})?\b"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d"
    r"|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL|FINE|FINER|FINEST|CONFIG)\b(?!:)"
    r"|[IWEF]\d{4} \d\d:|(?:level|time|ts)=)"
)
_THREAD_STATE = "java.lang.Thread.State"


class Head(NamedTuple):
    """What the line that announces an exception says."""

    type: str
    message: str
    thread: str = ""
    is_at_start: bool = True
    is_known: bool = True
    """Whether the name itself says that it is an exception."""


class Mark(NamedTuple):
    """A line that hangs a further exception on the one before."""

    indent: int
    word: str
    rest: str


def is_frame(line: str) -> bool:
    """Say whether the line is a call for certain: ``at package.Class.method(File.java:12)``."""
    return split_frame(line) is not None


def split_frame(line: str) -> tuple[str, str, int] | None:
    """Return the call, the file and the line number of a frame."""
    if len(line) > LONGEST or (match := _FRAME.match(line)) is None:
        return None
    place = _PLACE.fullmatch(match[2])
    if place is None or not (place[1] or place[2]):
        return None
    file = place[1].rpartition("/")[2]
    return match[1], "" if file in _NO_FILES else file, int((place[2] or "0")[:9])


def is_body(line: str) -> bool:
    """Say whether the line stands under an exception's message for certain."""
    if len(line) > LONGEST:
        return False
    return is_frame(line) or _LEFT_OUT.match(line) is not None or _CIRCULAR.match(line) is not None


def follows_frame(line: str) -> bool:
    """Say whether the line can stand below a frame of the same exception."""
    return is_body(line) or (_LOOSE_FRAME.match(line) is not None and len(line) <= LONGEST)


def read_mark(line: str) -> Mark | None:
    """Read ``Caused by: …`` and its kin."""
    match = _MARK.match(line[:LONGEST])
    if match is None:
        return None
    indent, word, rest = match.group(1, 2, 3) if match[2] else match.group(4, 5, 6)
    return Mark(len(indent), word, rest)


def read_head(line: str) -> Head | None:
    """Read a line that begins with the name of a class, and perhaps a message."""
    match = _HEAD.match(line[:LONGEST])
    if match is None or match[2] == _THREAD_STATE:
        return None
    message = (match[3] or "") + line[LONGEST:]
    is_known = match[1] is not None or _KNOWN_NAME.search(match[2]) is not None
    if not is_known and (inner := _HEAD.match(message)) is not None and _KNOWN_NAME.search(inner[2]):
        return Head(inner[2], inner[3] or "")  # a logger's name came first
    return Head(match[2], message, match[1] or "", True, is_known)


def read_class(line: str) -> Head | None:
    """Read what stands where the name of a class must, whatever it looks like."""
    match = _CLASS.match(line)
    return None if match is None else Head(match[1], match[2] or "")


def read_head_within(line: str) -> Head | None:
    """Read a logging line that names the exception further on."""
    match = next((match for form in _WITHIN if (match := form.search(line[:LONGEST]))), None)
    if match is None or match[1] == _THREAD_STATE:
        return None
    return Head(match[1], line[match.end(1) :].lstrip(":").strip(), "", False)


def stands_alone(line: str) -> bool:
    """Say whether the line is a problem even without a single frame under it."""
    return _STANDALONE.match(line) is not None


def starts_afresh(line: str) -> bool:
    """Say whether the line begins a log record of its own, by its time or level."""
    return _AFRESH.match(line) is not None
