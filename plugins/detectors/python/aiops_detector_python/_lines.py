"""What the lines of a traceback look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from aiops_core import lazy_pattern, parse_envelope

COLOURS = r"(?:(?:\x1b|\\u001b)\[[\d;]*m)*"
"""As they stand in a line, or in the JSON that carries it."""
HEADER = lazy_pattern(
    r"(?:\S.{0,200}[:>] (?<!Exception: )(?<!Error: )|\s*)(?:\+ Exception Group )?Traceback \(most recent call last\):"
)
"""Whoever tells of a traceback may have begun its line; not an exception of which it is the message."""
GROUP_HEADER = lazy_pattern(r"\s*\+ Exception Group Traceback \(most recent call last\):")
FRAME = lazy_pattern(r"(?<!\s)\s*File \"([^\"]*)\", line (\d+|\?+)(?:,? in (.*))?$")
MARKED = lazy_pattern(r"> File \"")
"""The frame in which loguru caught the exception."""
SYNTAX_PLACE = lazy_pattern(r"(?:^|\s)File \"[^\"]*\", line \d+\s*$")
SYNTAX_ERROR = lazy_pattern(r"(?:SyntaxError|IndentationError|TabError)(?::|\s*$)")
MARGIN = lazy_pattern(r"\s*[|+]")
SAID_IN_GROUP = lazy_pattern(r"(\s+\| )[^\W\d][\w.]*(?::|\s*$)")
"""What was raised, behind the margin of a group."""
TWISTED = "--- <exception caught here> ---"
QUOTES = '"""'
REMOTE = lazy_pattern(r"(?:[\w.]+\.)?_?RemoteTraceback:\s*$")
SECTION = lazy_pattern(r"(?:Call stack|Stack \(most recent call last\)):$")
RECORD = lazy_pattern(r"(?:Message|Arguments): ")
FATAL = lazy_pattern(
    r"(Fatal Python error|Windows fatal exception): (.*)|(Timeout) (\(\d+:\d\d:\d\d(?:\.\d+)?\))!"
)
FATAL_REST = lazy_pattern(
    r"(?:Current thread|Thread) \S.{0,200}\(most recent call first\)|Python runtime state: |Extension modules: |Current thread's C stack trace"
    r"|  (?:File \"|<|\.\.\.|Binary file )|\w*Error: "
)
SHELL = lazy_pattern(
    r"(?:\S.{0,200}?: line \d+: +\d+ )?(?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception)\b"
)
"""What a shell says of a program that died."""
IGNORED = lazy_pattern(r"Exception ignored (?:in|on|while)\b")
LEAD = lazy_pattern(
    r"(?:^|[\s\]|:])(?:Exception in thread .+:|Exception ignored (?:in|on|while)\b.*|Exception in callback .+"
    r"|Unhandled exception (?:in|during) .+|Exception in Tkinter callback|Error in sys\.excepthook:|Unhandled Error"
    r"|Error in atexit\._run_exitfuncs:|Unhandled error in Deferred:|Process [\w.:-]+:|--- Logging error ---"
    r"|Exception raised:)\s*$"
)
ATHERIS = lazy_pattern(r"\s*=== Uncaught Python exception: ===\s*$")
"""What Atheris writes above the exception, which it writes above the traceback."""
DJANGO = lazy_pattern(r"Internal Server Error: /\S*\s*$")
"""What Django's server writes above the traceback of a request."""
THREAD = lazy_pattern(r"(?:^|[\s\]|:])Exception in thread (.+?)(?: \([^()]*\))?:\s*$")
TASK = lazy_pattern(
    r"(?:(?:Task|Future) exception was never retrieved|[Ee]xception in callback .*"
    r"|unhandled exception during asyncio\.run\(\) shutdown"
    r"|[Aa]n error occurred during closing of asynchronous generator .*|Fatal .*|Unhandled exception .*)$"
)
TASK_FIELD = lazy_pattern(
    r"(?:future|handle|task|asyncgen|transport|protocol|source_traceback|message|server|socket|loop): "
    r"|\s+File \"|\s{4}\S"
)
PROMPT = lazy_pattern(r"\s*(?:>>>|\.\.\.|In \[\d+\]:)(?:\s|$)")
ELLIPSIS = lazy_pattern(r"\s+\.\.\.\s*$")
RULE = lazy_pattern(r"(?:={10,}|-{10,}|_{10,}|\*{10,}|#{10,}|~{10,})\s*$")
TEST_NAME = lazy_pattern(r"(?:ERROR|FAIL): \S")
COUNTED = lazy_pattern(r"\d{4,}\s")
"""A record number or a time no format is known of."""
CARETS = lazy_pattern(r"\s+[\^~][\^~ ]*$")
FLAT_FRAME = lazy_pattern(r"File \"[^\"]*\", line \d+, in ")
"""A frame whose writer took the indentation off each line."""
FLAT_CARETS = lazy_pattern(r"[\^~][\^~ ]*$")
REPEATED = lazy_pattern(r"\s+\[Previous line repeated \d+ more times?\]")

Link = Literal["cause", "context"]
CONNECTORS: Mapping[str, Link] = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
    "Original exception was:": "context",
}

_EXCEPTION = lazy_pattern(
    r"([^\W\d]\w*(?:\.(?:\w+|<\w+>)){0,64}(?:(?<=TaskError)\(\w+\))?)(?::(?:\s(.*))?)?\s*$"
)


def match_exception(line: str) -> re.Match[str] | None:
    """Return type and message of a traceback's closing line."""
    found = _EXCEPTION.match(line)
    if found is None or (found[1].isupper() and starts_log_line(line)):
        return None
    return found


def starts_log_line(line: str) -> bool:
    """Tell whether a line begins a record of its own, so that no message goes on in it."""
    if COUNTED.match(line):
        return True
    envelope = parse_envelope(line)
    return envelope.length > 0 or envelope.severity is not None or envelope.occurred_at is not None


def is_indented(line: str) -> bool:
    """Tell whether a line is inside a traceback."""
    return line[:1] in {" ", "\t"}
