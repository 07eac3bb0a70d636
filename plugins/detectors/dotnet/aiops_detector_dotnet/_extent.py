"""Where a .NET stack trace begins and ends."""

from __future__ import annotations

from aiops_core import lazy_pattern
from aiops_detector_dotnet._lines import (
    CATEGORY,
    FRAME_TRIGGER,
    INNER_WITHIN,
    LONGEST,
    MEMBER_END,
    OVERFLOW,
    SERVICE,
    STACK_TITLE,
    TEST_TITLE,
    TRAILER,
    UNHANDLED_ALONE,
    Get,
    announces,
    follows_frame,
    is_data,
    is_indented,
    is_note,
    read_frame,
    read_head,
    read_head_within,
    read_inner,
    starts_afresh,
)

MAX_MESSAGE = 40
"""Lines of one message looked through for the frames under it."""
_FRAMES_INLINE = lazy_pattern(FRAME_TRIGGER)
_MOST_ABOVE = 10
_LEAST_INLINE = 2


def find_head(get: Get, hit: int) -> int | None:
    """Return the line that announces the trace the hit belongs to, None for a false alarm.

    Hits come in order, and what a trace claims is out of reach: a frame right under another has
    been judged with it, which keeps a long run of orphans linear.
    """
    line = get(hit) or ""
    if read_frame(line) is None:
        if announces(line) and read_head_within(line) is not None:
            return hit
        return hit if is_inline(line) else None
    above = get(hit - 1)
    if above is not None and read_frame(above) is not None:
        return None
    head = _head_above(get, hit)
    is_told = head is None or line[:1].isspace() or read_head_within(get(head) or "") is not None
    return head if is_told else None  # Unity writes the calls under whatever is logged


def is_inline(line: str) -> bool:
    """Say whether a whole trace stands in one line, as JSON and single-line loggers print it."""
    found = _FRAMES_INLINE.finditer(line[: 8 * LONGEST])
    count = sum(1 for _ in zip(found, range(_LEAST_INLINE), strict=False))
    return count >= _LEAST_INLINE or (count == 1 and read_head_within(line) is not None)


def first_line(get: Get, head: int) -> int:
    """Return the first line of the block: what the runtime or a logger says above the exception."""
    if UNHANDLED_ALONE.match(get(head - 1) or ""):
        return head - 1
    top = head
    while top > head - 5 and SERVICE.match(get(top - 1) or ""):
        top -= 1
    return top if top < head else _category_above(get, head)


def _category_above(get: Get, head: int) -> int:
    """Climb over an indented message to the category that the console logger of ASP.NET prints."""
    for index in range(head - 1, head - _MOST_ABOVE, -1):
        line = get(index)
        if line is None:
            break
        if CATEGORY.match(line):
            return index
        if not is_indented(line):
            break
    return head


def end_of_trace(get: Get, head: int) -> int | None:
    """Return the line after the trace; None when there is only a name and no trace."""
    if is_inline(get(head) or ""):
        return head + 1
    index = _body_below(get, head)
    if index is None:
        return head + 1 if announces(get(head) or "") else None
    while (line := get(index)) is not None:
        if follows_frame(line):
            index += 1
        elif read_inner(line) is not None or line.strip() == MEMBER_END:
            index = _body_below(get, index) or index + 1
        elif not line.strip() and _goes_on(get(index + 1) or ""):
            index += 1
        elif TRAILER.match(line):
            index = _after_data(get, index + 1)
        else:
            break
    return _after_second_printing(get, head, _without_rule(get, index))


def _goes_on(line: str) -> bool:
    """Say whether a trace goes on with this line below a blank one."""
    return read_inner(line) is not None or (is_note(line) and line.rstrip().endswith("]:"))


def _after_data(get: Get, index: int) -> int:
    while is_data(get(index) or ""):
        index += 1
    return index


def _without_rule(get: Get, index: int) -> int:
    """Leave a rule that ends the trace to whoever printed it."""
    while is_note(get(index - 1) or "") and (get(index - 1) or "").strip("- \t") == "":
        index -= 1
    return index


def _after_second_printing(get: Get, head: int, end: int) -> int:
    """Step over the same exception as Mono prints it once more."""
    end_of_first = end
    if not (get(end) or "").strip():
        end += 1
    line = get(end) or ""
    if not line.startswith("[ERROR] FATAL UNHANDLED EXCEPTION: "):
        return end_of_first
    first = get(head) or ""
    told = line.partition("EXCEPTION: ")[2]
    if not told or not first.endswith(told):
        return end_of_first
    return end_of_trace(get, end) or end + 1


def _body_below(get: Get, head: int) -> int | None:
    """Return the first line under a message: a frame, a note or an inner exception."""
    for index in range(head + 1, head + 1 + MAX_MESSAGE):
        line = get(index)
        if line is None or starts_afresh(line):
            return None
        if follows_frame(line) or read_inner(line) is not None:
            return index
        if index > head + 1 and _is_known_head(line) and not (get(index - 1) or "").strip():
            return None
    return None


def _is_known_head(line: str) -> bool:
    head = read_head(line)
    return head is not None and head.is_known


def _head_above(get: Get, body: int) -> int | None:
    """Climb from the first frame over inner exceptions and the lines of a message.

    A name that says it is an exception wins over the nearest other name, that over the line above.
    """
    named = None
    for index in range(body - 1, body - 1 - MAX_MESSAGE, -1):
        line = get(index)
        if line is None or read_frame(line) is not None:
            break
        if STACK_TITLE.match(line) or is_note(line) or read_inner(line) is not None:
            continue
        if _is_known_head(line) or OVERFLOW.match(line) or TEST_TITLE.match(line):
            return index
        if UNHANDLED_ALONE.match(get(index - 1) or "") and read_head(line) is not None:
            return index
        within = read_head_within(line)
        if within is not None and INNER_WITHIN in line[: within.start + 1]:
            named = index  # the end of a message of several lines
        elif within is not None and (starts_afresh(line) or index == body - 1 or announces(line)):
            return index
        if starts_afresh(line):
            break
        if named is None and index == body - 1 and read_head(line) is not None:
            named = index
    return named if named is not None else _text_above(get, body)


def _text_above(get: Get, body: int) -> int | None:
    """Take two frames or more as a trace that the line above tells of."""
    if not follows_frame(get(body + 1) or ""):
        return None
    line = get(body - 1) or ""
    return body if starts_afresh(line) or not line.strip() else body - 1
