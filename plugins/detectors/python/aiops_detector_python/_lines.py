"""What the lines of a traceback look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from aiops_core import parse_envelope

HEADER = re.compile(r"\s*(?:\+ Exception Group )?Traceback \(most recent call last\):")
GROUP_HEADER = re.compile(r"\s*\+ Exception Group Traceback \(most recent call last\):")
FRAME = re.compile(r"\s*File \"([^\"]*)\", line (\d+|\?+)(?:,? in (.*))?$")
SYNTAX_PLACE = re.compile(r"(?:^|\s)File \"[^\"]*\", line \d+$")
SYNTAX_ERROR = re.compile(r"(?:SyntaxError|IndentationError|TabError)(?::|$)")
MARGIN = re.compile(r"\s*[|+]")
TWISTED = "--- <exception caught here> ---"
QUOTES = '"""'
REMOTE = re.compile(r"(?:[\w.]+\.)?_?RemoteTraceback:\s*$")
SECTION = re.compile(r"(?:Call stack|Stack \(most recent call last\)):$")
RECORD = re.compile(r"(?:Message|Arguments): ")
FATAL = re.compile(
    r"(Fatal Python error|Windows fatal exception): (.*)|(Timeout) (\(\d+:\d\d:\d\d(?:\.\d+)?\))!"
)
FATAL_REST = re.compile(
    r"(?:Current thread|Thread) \S.{0,200}\(most recent call first\)|Python runtime state: |Extension modules: |Current thread's C stack trace"
    r"|  (?:File \"|<|\.\.\.|Binary file )|\w*Error: "
)
IGNORED = re.compile(r"Exception ignored (?:in|on|while)\b")
LEAD = re.compile(
    r"(?:^|[\s\]|:])(?:Exception in thread .+:|Exception ignored (?:in|on|while)\b.*|Exception in callback .+"
    r"|Unhandled exception in .+|Exception in Tkinter callback|Error in sys\.excepthook:|Unhandled Error"
    r"|Error in atexit\._run_exitfuncs:|Unhandled error in Deferred:|Process [\w.:-]+:|--- Logging error ---"
    r"|Exception raised:)\s*$"
)
THREAD = re.compile(r"(?:^|[\s\]|:])Exception in thread (.+?)(?: \([^()]*\))?:\s*$")
TASK = re.compile(
    r"(?:(?:Task|Future) exception was never retrieved|[Ee]xception in callback .*"
    r"|unhandled exception during asyncio\.run\(\) shutdown"
    r"|[Aa]n error occurred during closing of asynchronous generator .*|Fatal .*|Unhandled exception .*)$"
)
TASK_FIELD = re.compile(
    r"(?:future|handle|task|asyncgen|transport|protocol|source_traceback|message|server|socket|loop): "
    r"|\s+File \"|\s{4}\S"
)
PROMPT = re.compile(r"\s*(?:>>>|\.\.\.|In \[\d+\]:)(?:\s|$)")
ELLIPSIS = re.compile(r"\s+\.\.\.\s*$")
RULE = re.compile(r"(?:={10,}|-{10,}|_{10,}|\*{10,}|#{10,}|~{10,})\s*$")
TEST_NAME = re.compile(r"(?:ERROR|FAIL): \S")
COUNTED = re.compile(r"\d{4,}\s")
"""A record number or a time no format is known of."""
CARETS = re.compile(r"\s+[\^~ ]*[\^~][\^~ ]*$")
REPEATED = re.compile(r"\s+\[Previous line repeated \d+ more times?\]")

Link = Literal["cause", "context"]
CONNECTORS: Mapping[str, Link] = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
    "Original exception was:": "context",
}

_EXCEPTION = re.compile(r"([^\W\d]\w*(?:\.(?:\w+|<\w+>))*)(?::(?:\s(.*))?)?$")


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
