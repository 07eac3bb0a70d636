"""Where a Java stack trace begins and ends."""

from __future__ import annotations

from aiops_core import lazy_pattern
from aiops_detector_java._lines import (
    Get,
    follows_frame,
    is_body,
    is_frame,
    read_head,
    read_head_within,
    read_mark,
    stands_alone,
    starts_afresh,
)

FRAME_TRIGGER = r"^(?:\t{0,8}| {0,16})at [^\s()]+\([^()\n]*(?:\.(?:java|kt|scala|groovy|clj):\d|Native Method|Unknown Source|SourceFile)"
"""What ordinary frames have."""
SHORT = " => "
DUMP = "Full thread dump "
MAX_MESSAGE = 32
"""Lines of one message looked through for the frames under it."""
_TRIGGERED = lazy_pattern(FRAME_TRIGGER)
_OPENS_NEXT = (":", ";")
_LEADS_IN = lazy_pattern(r"FATAL EXCEPTION: |Process: \S+, PID: \d|Caught: [\w.$]+(?::|$)")
"""What Android and Groovy write above the head."""
_PART_TITLE = lazy_pattern(r"[A-Z]\w{1,30} [Ss]tack ?[Tt]race:\s*$")
"""What Spark writes between the stack of an executor and that of the driver."""
_HEAP_DUMP = lazy_pattern(r"Dumping heap to |Heap dump file created ")
_ENDS_WITH_MEMORY = lazy_pattern(r"(?:Terminating|Aborting) due to java\.lang\.OutOfMemoryError")
_PYTHON = "Traceback (most recent call last):"
"""How the message of Spark's exception begins that passes on one of a Python worker."""
_IN_DUMP = lazy_pattern(
    r'\s|"|0x[0-9a-f]|Threads class SMR|_java_thread_list=|JNI global ref|Found .* deadlock|Java stack information'
    r"|=====|-----|[}{]|Locked synchronizers|Heap$|$"
)


def find_head(get: Get, hit: int) -> int | None:
    """Return the line that announces the trace the hit belongs to, None for a false alarm.

    Hits come in order, and what a trace claims is out of reach: a hit whose neighbour above was
    one too has been judged with it, which keeps a long run of orphans linear.
    """
    line, above = get(hit) or "", get(hit - 1) or ""
    if stands_alone(line) or line.startswith(DUMP):
        return hit
    if is_frame(line):
        return None if is_frame(above) and _TRIGGERED.match(above) else _head_above(get, hit)
    mark = read_mark(line)
    if mark is None or read_head(mark.rest) is None:
        return None
    orphan = hit if is_frame(get(after_message(get, hit)) or "") else None
    return orphan if read_mark(above) is not None else _head_above(get, hit, orphan)


def first_line(get: Get, head: int) -> int:
    """Return the first line of the block: lines that lead in to the head belong to it."""
    while (line := get(head - 1)) is not None and _LEADS_IN.match(line):
        head -= 1
    return head


def end_of_trace(get: Get, head: int) -> int | None:
    """Return the line after the trace; None when there is only a name and no trace."""
    first = get(head) or ""
    if first.startswith(DUMP):
        return _end_of_dump(get, head)
    index = after_message(get, head)
    if index == head + 1 and not has_body(get(index)):
        return _end_without_frames(get, head) if stands_alone(first) else None
    while (line := get(index)) is not None:
        if follows_frame(line):
            index += 1
        elif read_mark(line) is not None:
            index = after_message(get, index)
        elif (below := _frame_below(get, index)) is not None:
            index = below
        else:
            break
    return end_of_trace(get, head + 2) if begins_short(first, get(head + 2)) and index == head + 2 else index


def _frame_below(get: Get, index: int) -> int | None:
    """Return the next frame of a stack that a blank line or the title of its next part interrupts."""
    below = index + 1 if not (get(index) or "").strip() else index
    below += _PART_TITLE.match(get(below) or "") is not None
    return below if below > index and is_frame(get(below) or "") else None


def begins_short(first: str, again: str | None) -> bool:
    """Say whether a trace is that of Solr's layout: shown with one frame, then from its head once more."""
    shown = first.rpartition(SHORT)[2].rstrip() if SHORT in first else ""
    return bool(shown) and again is not None and again.rstrip() in {shown, f"{shown}: null"}


def after_message(get: Get, head: int) -> int:
    """Return the line after the message that begins at ``head``.

    A message of several lines counts only when frames or a cause follow it.
    """
    before = get(head) or ""
    is_python = before.rstrip().endswith(_PYTHON)
    for index in range(head + 1, head + 1 + MAX_MESSAGE):
        line = get(index)
        if has_body(line):
            return index
        if line is None or starts_afresh(line):
            break
        if _is_head(line) and not is_python and not leads_over(before):
            break
        before = line
    return head + 1


def leads_over(line: str) -> bool:
    """Say whether a message does not end with this line: another exception follows, and belongs to it."""
    return line.rstrip().endswith(_OPENS_NEXT)


def has_body(line: str | None) -> bool:
    """Say whether the line ends a message: a frame, a count of frames left out, or a cause."""
    return line is not None and (is_body(line) or read_mark(line) is not None)


def _is_head(line: str) -> bool:
    head = read_head(line)
    return head is not None and head.is_known


def _head_above(get: Get, at: int, orphan: int | None = None) -> int | None:
    """Climb from a frame or cause over frames, causes and the lines of a message.

    ``orphan`` is what to begin with when the true head is out of reach: a cause with frames.
    """
    top = index = at
    while (line := get(index - 1)) is not None:
        index -= 1
        if read_mark(line) is not None:
            orphan = index if is_frame(get(top) or "") else orphan
            top = index
        elif is_body(line):
            if top != index + 1:
                break
            top = index
        elif _announces(line, is_adjacent=all(not get(between) for between in range(index + 1, top))):
            return _outer_head(get, index)
        elif starts_afresh(line):
            break
    return orphan


def _announces(line: str, *, is_adjacent: bool) -> bool:
    head = read_head(line)
    if head is not None and (head.is_known or is_adjacent):
        return True
    return (is_adjacent or starts_afresh(line)) and read_head_within(line) is not None


def _outer_head(get: Get, head: int) -> int:
    """Climb on to a head whose message only leads over, as with ``nested exception is:``."""
    index = head - 1
    if (of_python := _head_of_python(get, index)) is not None:
        return of_python
    while (line := get(index)) is not None and leads_over(line):
        is_afresh = starts_afresh(line)
        if _is_head(line) or (is_afresh and read_head_within(line) is not None):
            head = index
        if is_afresh:
            break
        index -= 1
    return head


def _head_of_python(get: Get, at: int) -> int | None:
    """Return the head whose message is a traceback of Python's, one of the frames of which is given."""
    top = next((n for n in range(at, at - MAX_MESSAGE, -1) if not (get(n) or "").startswith("  ")), at)
    line = (get(top) or "").rstrip()
    return top if line.endswith(_PYTHON) and line != _PYTHON else None


def _end_without_frames(get: Get, head: int) -> int:
    """Return the end of a bare announcement; a heap dump note joins it to the trace after it."""
    index = head + 1
    while _HEAP_DUMP.match(get(index) or ""):
        index += 1
    line = get(index) or ""
    if _ENDS_WITH_MEMORY.match(line):
        return index + 1
    if index > head + 1 and "OutOfMemoryError" in line and _is_head(line):
        return end_of_trace(get, index) or index
    return index


def _end_of_dump(get: Get, head: int) -> int:
    index = head + 1
    while (line := get(index)) is not None and _IN_DUMP.match(line):
        index += 1
    while not get(index - 1):
        index -= 1
    return index
