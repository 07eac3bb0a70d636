"""Find the first and the last line of what one traceback belongs to."""

from __future__ import annotations

from collections.abc import Callable

from aiops_core import begins_to_die, lazy_pattern
from aiops_detector_python._lines import (
    ATHERIS,
    CONNECTORS,
    DJANGO,
    ELLIPSIS,
    FATAL,
    FATAL_REST,
    FLAT_CARETS,
    FLAT_FRAME,
    FRAME,
    GROUP_HEADER,
    HEADER,
    IGNORED,
    LEAD,
    MARGIN,
    MARKED,
    PROMPT,
    QUOTES,
    RECORD,
    REMOTE,
    RULE,
    SAID_IN_GROUP,
    SECTION,
    SHELL,
    SYNTAX_ERROR,
    SYNTAX_PLACE,
    TASK,
    TASK_FIELD,
    TEST_NAME,
    TWISTED,
    is_indented,
    match_exception,
    starts_log_line,
)

GetLine = Callable[[int], str | None]

_MOST_MESSAGE_LINES = 50
_MOST_BLANK_LINES = 3
_LOOK_FOR_CONNECTOR = 12
_MOST_FIELDS = 10
_OPENERS = (":", "(", "[", "{", ",", "\\")
_DETAILS = (
    "  ",
    "\t",
    "[",
    "(",
    "^",
    "+ ",
    "- ",
    "? ",
    "| ",
    "DETAIL:",
    "HINT:",
    "LINE ",
    "CONTEXT:",
    "QUERY:",
    "Reason: ",
    "HTTP response ",
    ": ",
    "Caused by: ",
    "Driver stacktrace:",
)
_LISTS_ERRORS = lazy_pattern(r"\b\d+ validation errors? for ")
"""How pydantic begins: a field on each line, what is wrong with it indented on the next."""


def find_head(get: GetLine, hit: int) -> int | None:
    """Return the line a trigger's traceback begins with, None when there is no traceback."""
    line = get(hit) or ""
    if HEADER.match(line) or FATAL.match(line):
        return hit
    if IGNORED.match(line):
        following = get(hit + 1) or ""
        return hit + 1 if HEADER.match(following) or match_exception(following) else None
    return _head_of_syntax_error(get, hit) if SYNTAX_ERROR.match(line) else None


def _head_of_syntax_error(get: GetLine, hit: int) -> int | None:
    """Return the file line above, or the header of the traceback that leads to it."""
    for at in range(hit - 1, max(hit - 5, -1), -1):
        line = get(at) or ""
        if SYNTAX_PLACE.search(line):
            above = at
            while above > 0 and is_indented(get(above - 1) or ""):
                above -= 1
            return above - 1 if above > 0 and HEADER.match(get(above - 1) or "") else at
        if not is_indented(line):
            return None
    return None


def is_quoted(get: GetLine, head: int) -> bool:
    """Tell whether a traceback is an example: from an interactive session, or with lines left out."""
    if ELLIPSIS.match(get(head + 1) or ""):
        return True
    return any(PROMPT.match(get(at) or "") for at in range(max(head - 3, 0), head))


def first_line(get: GetLine, head: int) -> int:
    """Return where the lines that lead to a traceback begin: thread, task or test it was in."""
    if (get(head - 1) or "").strip() == QUOTES and REMOTE.search(get(head - 2) or ""):
        return first_line(get, head - 2)
    above = get(head - 1) or ""
    if LEAD.search(above) or DJANGO.match(above):
        return head - 1
    if ATHERIS.match(get(head - 2) or "") and match_exception(above):
        return head - 2
    return min(_task(get, head), _test(get, head))


def _task(get: GetLine, head: int) -> int:
    """Return the message of asyncio's exception handler, its fields between it and the traceback."""
    at = head - 1
    while at >= 0 and head - at <= _MOST_FIELDS and TASK_FIELD.match(get(at) or ""):
        at -= 1
    return at if 0 <= at < head - 1 and TASK.search(get(at) or "") else head


def _test(get: GetLine, head: int) -> int:
    """Return the rule above a failed test of unittest."""
    if not RULE.match(get(head - 1) or ""):
        return head
    for at in (head - 2, head - 3):
        if TEST_NAME.match(get(at) or "") and RULE.match(get(at - 1) or ""):
            return at - 1
    return head


def end_of_trace(get: GetLine, start: int, head: int) -> int:
    """Return the line after the last one of the traceback, all its chain included."""
    if FATAL.match(get(head) or ""):
        return _end_of_fatal(get, head + 1)
    is_enveloped = _has_envelopes(get, start)
    at: int | None = head
    end = head + 1
    while at is not None:
        end, has_message = _end_of_part(get, at)
        if has_message:
            end = _end_of_message(get, end, is_open=is_enveloped or _is_multiline(get, end - 1))
        at = _next_part(get, end)
    return _end_of_sections(get, end)


def _has_envelopes(get: GetLine, start: int) -> bool:
    """Tell whether records have envelopes where a traceback begins, so that a line without one is of a record.

    Not where plain lines stand above the record that tells of it: lines without an envelope are of
    nothing there, unless some are indented, as those of a record of several lines are.
    """
    told = next((at for at in range(start - 1, max(start - 4, -1), -1) if get(at)), None)
    if told is None or not starts_log_line(get(told) or ""):
        return False
    above = told - 1
    while above >= 0 and (line := get(above)) is not None and not starts_log_line(line):
        if is_indented(line) or HEADER.match(line):
            return True
        above -= 1
    return above == told - 1


def _end_of_part(get: GetLine, at: int) -> tuple[int, bool]:
    """Step over one traceback of the chain; tell whether it ends with an exception's message."""
    if GROUP_HEADER.match(get(at) or ""):
        return _end_of_group(get, at + 1), False
    line: str | None = get(at) or ""
    if HEADER.match(line or "") or not match_exception(line or ""):
        at = _end_of_frames(get, at + 1)
        line = get(at)
    if line is not None and match_exception(line):
        return at + 1, True
    return at, False


def _end_of_group(get: GetLine, at: int) -> int:
    """Step over the lines of a group; CPython before 3.13 sets no margin before those a message goes on in."""
    while (line := get(at)) is not None and not GROUP_HEADER.match(line):
        if not MARGIN.match(line):
            below = _margin_below(get, at)
            if below is None or not SAID_IN_GROUP.match(get(at - 1) or ""):
                break
            at = below
        at += 1
    return at


def _margin_below(get: GetLine, at: int) -> int | None:
    for index in range(at, at + _MOST_MESSAGE_LINES):
        line = get(index)
        if line is None or GROUP_HEADER.match(line) or _ends_message(line):
            return None
        if MARGIN.match(line):
            return index
    return None


def _end_of_frames(get: GetLine, at: int) -> int:
    """Step over the frames below a header; loguru marks one of them and may part them by blank lines."""
    if FLAT_FRAME.match(get(at) or ""):
        return end_of_flat(get, at)
    is_parted = get(at) == ""
    while (line := get(at)) is not None:
        if not (is_indented(line) or line == TWISTED or MARKED.match(line) or (is_parted and not line)):
            break
        at += 1
    return at


def end_of_flat(get: GetLine, at: int) -> int:
    """Step over frames that lost their indentation, each with the line of source below it, if any."""
    while FLAT_FRAME.match(get(at) or ""):
        at += 1
        below = at + 1
        while FLAT_CARETS.match(get(below) or ""):
            below += 1
        if _is_source(get(at), get(below)):
            at = below
    return at


def _is_source(line: str | None, below: str | None) -> bool:
    """Tell whether a line without indentation is source: one more frame, or what was raised, follows."""
    if line is None or below is None or FLAT_FRAME.match(line):
        return False
    said = match_exception(line)
    if said is not None and said[2]:
        return False
    return bool(FLAT_FRAME.match(below) or (match_exception(below) and not starts_log_line(below)))


def _is_multiline(get: GetLine, last: int) -> bool:
    """Tell from the exception's own line, or the code that raised it, that its message goes on."""
    line = (get(last) or "").rstrip()
    code = next((text for at in (last - 1, last - 2) if (text := get(at)) and "^" not in text), "")
    return line.endswith(_OPENERS) or (is_indented(code) and ("\\n" in code or QUOTES in code))


def _end_of_message(get: GetLine, at: int, *, is_open: bool) -> int:
    """Return the line after a message of several lines.

    Where records have envelopes (``is_open``), everything without one belongs to the message;
    elsewhere only what looks like details does, or what a chained exception follows.
    """
    end = index = at
    blank = 0
    has_calls = False
    said = (get(at - 1) or "").rstrip()
    is_list = _LISTS_ERRORS.search(said) is not None
    quotes = said.endswith(_OPENERS)
    while index < at + _MOST_MESSAGE_LINES and (line := get(index)) is not None:
        index += 1
        if not line.strip():
            blank += 1
            if blank >= _MOST_BLANK_LINES:
                break
            continue
        if _ends_message(line) or _announces_task(get, index - 1):
            break
        quotes = quotes or line.startswith(": ")  # py4j tells of Java's exception
        is_of_another = not quotes and (
            begins_to_die(line, "python", below=get(index) or "")
            or (not has_calls and SYNTAX_PLACE.search(line) is not None)
        )
        if is_of_another:
            break
        if has_calls and match_exception(line):
            return index  # what a worker raised, told in the message
        has_calls = has_calls or FRAME.match(line) is not None
        names_field = is_list and (get(index) or "").startswith("  ")
        if not (is_open or names_field or line.startswith(_DETAILS)):
            return _connector_ahead(get, index) or end
        blank = 0
        end = index
    return end


def _ends_message(line: str) -> bool:
    return bool(
        line.strip() in CONNECTORS
        or line == QUOTES
        or HEADER.match(line)
        or SECTION.match(line)
        or RULE.match(line)
        or FATAL.match(line)
        or LEAD.search(line)
        or DJANGO.match(line)
        or PROMPT.match(line)
        or REMOTE.match(line)
        or starts_log_line(line)
    )


def _announces_task(get: GetLine, at: int) -> bool:
    """Tell whether asyncio's handler, its fields under it, begins to tell of another exception."""
    return TASK.match(get(at) or "") is not None and TASK_FIELD.match(get(at + 1) or "") is not None


def _connector_ahead(get: GetLine, at: int) -> int | None:
    for index in range(at, at + _LOOK_FOR_CONNECTOR):
        line = get(index)
        if line is None:
            return None
        if line.strip() in CONNECTORS:
            return index
        if line.strip() and _ends_message(line):
            return None
    return None


def _next_part(get: GetLine, end: int) -> int | None:
    """Return where the next exception of the chain begins, None when the chain ends here."""
    at = _skip_blank(get, end + 1 if get(end) == QUOTES else end)
    if (get(at) or "").strip() not in CONNECTORS:
        return None
    at = _skip_blank(get, at + 1)
    line = get(at)
    if line is None:
        return None
    return at if is_indented(line) or HEADER.match(line) or match_exception(line) else None


def _skip_blank(get: GetLine, at: int) -> int:
    end = at
    while end < at + _MOST_BLANK_LINES and (line := get(end)) is not None and not line.strip():
        end += 1
    return end


def _end_of_sections(get: GetLine, end: int) -> int:
    """Step over what the logging module prints after a traceback."""
    if SECTION.match(get(end) or ""):
        end += 1
        while is_indented(get(end) or ""):
            end += 1
        while RECORD.match(get(end) or ""):
            end += 1
    return end


def _end_of_fatal(get: GetLine, at: int) -> int:
    end = at
    while (line := get(at)) is not None:
        at += 1
        if FATAL_REST.match(line):
            end = at
        elif SHELL.match(line):
            return at
        elif HEADER.match(line) and end == at - 1:
            return _end_of_part(get, at - 1)[0]  # what the interpreter could not start for
        elif line.strip():
            break
    return end
