"""Where a JavaScript stack trace begins and ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from aiops_core import lazy_pattern, parse_envelope
from aiops_detector_javascript._failed_test import SOURCE, title_above
from aiops_detector_javascript._frames import (
    NAMELESS_CODE,
    begins_gecko,
    follows_frame,
    follows_gecko,
    is_bare_name,
    read_at,
    read_gecko,
)
from aiops_detector_javascript._heads import (
    AFTERMATH,
    ASSERTION,
    CARETS,
    CAUSE,
    COMPONENTS,
    HEAP,
    indent_of,
    read_head,
    read_head_within,
    stands_alone,
    starts_afresh,
)

Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""
_COLOUR = r"(?:(?:\x1b|\\u001b)\[\d+m)?"
"""Node colours the place of a frame that is not the program's own; JSON writes the colour so."""
AT_TRIGGER = (
    rf"^(?:\t{{0,8}}| {{0,16}})(?:eval )?at (?:{_COLOUR}(?:https?|file)://[^\s()]+:\d|(?:async )?[^\s()]+:\d+:\d"
    r"|(?:async |new )?[^\s()]+ ?\((?:[^\s()]+:\d+:\d|native\)|<anonymous>\))"
    rf"|[^()\n]{{1,100}} {_COLOUR}\((?:eval at |[^()\n]{{1,200}}:\d+:\d)"
    r"|[^\s()]+ \([^\s()]+\.(?:vue|[cm]?[jt]sx?|svelte)(?:\?\w+)?:\d+\))"
)
"""What ordinary frames of the V8 form have, bounded wherever it could be read in two ways."""
GECKO_TRIGGERS = (
    r"@(?:https?|file|resource)://[^\s()]+:\d",
    r"@[^\s()@]+\.js:\d+:\d",
    r"@[^\s()@]+\.bundle:\d+:\d",
    r"@\[native code\]",
)
MAX_MESSAGE = 64
"""Lines of one message looked through for the frames under it."""
MAX_DRAWN = 12
"""Lines of a drawing of the source between a message and its frames."""
MAX_VALUE = 20
"""Lines of a thrown value that is no error."""
_AT_TRIGGERED = lazy_pattern(AT_TRIGGER)
_GECKO_TRIGGERED = lazy_pattern("|".join(GECKO_TRIGGERS))
_SOURCE_PLACE = lazy_pattern(r"\s?\S.*:\d+$")
_NUMBERED_SOURCE = lazy_pattern(r"\s*\d+ \| ")
_COMPONENT = lazy_pattern(r"\s+in [\w.$()<>]+")
_DRAWN = lazy_pattern(r"\s*(?:>\s*)?(?:\d+\s*)?\|")
_PROPERTY = lazy_pattern(r"\s+[A-Z][a-z]+: \S")
_RUNTIME = lazy_pattern(r"\s?(?:Node\.js|Bun|Deno) v?\d")
_GOES_ON = lazy_pattern(
    r"\s*(?:[Cc]aused by: |\[cause\]: |From previous event:|Emitted '.*' event |Thrown at:|-{3,}\s*(?:async|$))"
)
_NATIVE_STACK = lazy_pattern(r"\s*\d+: 0x[0-9a-f]+ |-+ Native stack trace -+|\s*$")
_GC_NOTES = "<--- Last few GCs --->"


class Place(NamedTuple):
    """Where an error is told: its naming line, and the first line under the message."""

    head: int
    body: int


def find_place(get: Get, hit: int) -> Place | None:
    """Return where the trace of this hit is told, None for a false alarm."""
    line = get(hit) or ""
    if stands_alone(line):
        return Place(hit, _body_below(get, hit))
    if ASSERTION.match(line):
        body = _body_below(get, hit)
        return Place(hit, body) if read_at(get(body) or "") is not None else None
    if read_at(line) is not None or read_gecko(line) is not None:
        return _place_of_frame(get, hit)
    if _RUNTIME.match(line) or "node --trace-uncaught" in line:
        return _thrown_value(get, hit)
    return None


def _place_of_frame(get: Get, hit: int) -> Place | None:
    """Find the head above a frame.

    Hits come in order, and what a trace claims is out of reach: a frame right under another that
    was a hit too has been judged with it, which keeps a long run of orphans linear.
    """
    above = get(hit - 1) or ""
    if read_at(get(hit) or "") is None:
        return None if read_gecko(above) and _GECKO_TRIGGERED.search(above) else _gecko_place(get, hit)
    if read_at(above) is not None and _AT_TRIGGERED.match(above):
        return None
    top = _top(get, hit, follows_frame)
    head = title_above(get, top)
    head = _head_above(get, top) if head is None else head
    return Place(head, top) if head is not None else None


def first_line(get: Get, head: int) -> int:
    """Return the first line of the block: the source that runtimes print above belongs to it."""
    if HEAP.match(get(head) or ""):
        return next((index for index in range(head - 1, head - 24, -1) if get(index) == _GC_NOTES), head)
    caret = head - 1 if (get(head - 1) or "").strip() else head - 2
    if not CARETS.match(get(caret) or ""):
        return head
    start = caret
    while _NUMBERED_SOURCE.match(get(start - 1) or ""):
        start -= 1
    if start < caret:
        return start
    places = (index for index in range(caret - 1, caret - 4, -1) if _SOURCE_PLACE.match(get(index) or ""))
    return next(places, head)


def end_of_trace(get: Get, place: Place) -> int:
    """Return the line after the trace."""
    first = get(place.head) or ""
    if HEAP.match(first):
        return _end_of_native_stack(get, place.head + 1)
    index, indent = place.body, indent_of(first)
    if first.rstrip().endswith(("{", "[")) and place.head < place.body:
        index = _after_braces(get, place.head + 1, indent)
    if begins_gecko(get(index) or ""):
        return _end_of_gecko(get, index)
    while (line := get(index)) is not None:
        if follows_frame(line):
            index += 1
            if line.rstrip().endswith("{"):
                index = _after_braces(get, index, indent)
            index = _after_source(get, index)
        elif _GOES_ON.match(line) and (below := _body_below(get, index)) and read_at(get(below) or ""):
            index = below
        else:
            break
    return _after_aftermath(get, index)


def _after_source(get: Get, index: int) -> int:
    """Return the line after the source that is printed under a frame, or under the digest of one."""
    while SOURCE.match(get(index) or ""):
        index += 1
    return index


def _end_of_gecko(get: Get, index: int) -> int:
    while (line := get(index)) is not None:
        if not follows_gecko(line) and not (is_bare_name(line) and follows_gecko(get(index + 1) or "")):
            break
        index += 1
    return index


def _body_below(get: Get, head: int) -> int:
    """Return the first frame under a head, or the line after it when no frame follows."""
    for index in range(head + 1, head + 1 + MAX_MESSAGE):
        line = get(index)
        if line is None or starts_afresh(line) or stands_alone(line) or _RUNTIME.match(line):
            break
        if read_at(line) is not None or read_gecko(line) is not None:
            return index
        if index > head + 1 and (head_here := read_head(line)) is not None and head_here.is_known:
            break
    return head + 1


def _top(get: Get, index: int, follows: Callable[[str], bool]) -> int:
    while (line := get(index - 1)) is not None and follows(line):
        index -= 1
    return index


def _head_above(get: Get, top: int) -> int | None:
    """Climb from the first frame over the lines of a message.

    A name that says it is an error wins over the nearest other name, that over the line above.
    """
    if _is_own_paragraph(get, top - 1):
        return _outer_head(get, top - 1)
    named = None
    nearest = _nearest_above(get, top)
    for index in range(top - 1, top - 1 - MAX_MESSAGE, -1):
        line = get(index)
        if line is None or read_at(line) is not None:
            break
        if _GOES_ON.match(line) and read_at(get(index - 1) or "") is not None:
            return _head_above(get, _top(get, index, follows_frame))
        is_adjacent = index == nearest
        head = read_head(line)
        if (head is not None and head.is_known) or CAUSE.match(line):
            return _outer_head(get, index)
        is_record = starts_afresh(line) or (not is_adjacent and parse_envelope(line).severity is not None)
        if is_record or is_adjacent:
            if read_head_within(line) is not None:
                return _announced_above(get, index)
            if is_record:
                named = index if is_adjacent else named
                break
        if named is None and line and head is not None and head.message and line[0].isupper():
            named = index
    return named if named is not None else _text_above(get, top, nearest)


def _nearest_above(get: Get, top: int) -> int:
    """Return the line above the frames: one blank line and a drawing of the source may stand between."""
    index = top - 1
    if not (get(index) or "").strip():
        return index - 1
    while index > top - MAX_DRAWN and (_DRAWN.match(get(index) or "") or CARETS.match(get(index) or "")):
        index -= 1
    while _PROPERTY.match(get(index) or "") and index < top - 1:
        index -= 1
    return index


def _announced_above(get: Get, index: int) -> int:
    """Return the head whose message goes on down to a line, for it ends in a colon; else the line."""
    for above in range(index - 1, index - MAX_DRAWN, -1):
        line = get(above)
        if line is None or not line.strip() or starts_afresh(line) or read_at(line) is not None:
            break
        if (head := read_head(line)) is not None and head.is_known and line.rstrip().endswith(":"):
            return above
    return index


def _is_own_paragraph(get: Get, head: int) -> bool:
    """Say whether the line can only be a head: a name between frames and a caret."""
    line = get(head) or ""
    above = get(head - 1) or ""
    if not above.strip():
        above = get(head - 2) or ""
    return CARETS.match(above) is not None and line.strip()[:1].isupper() and read_head(line) is not None


def _text_above(get: Get, top: int, nearest: int) -> int | None:
    """Take any line as the head of two frames or more, also one that a drawing of the source parts from them."""
    above = nearest if _PROPERTY.match(get(nearest + 1) or "") else top - 1
    line = get(above)
    if not follows_frame(get(top + 1) or ""):
        return None
    return above if line is not None and line.strip() and not line.startswith(("}", "]")) else None


def _outer_head(get: Get, head: int) -> int:
    """Climb out of the braces an error is printed in, to the error they belong to."""
    inner = indent_of(get(head) or "")
    index = head - 1
    while inner and (line := get(index)) is not None:
        indent = indent_of(line)
        if line.strip() and indent < inner:
            if not line.rstrip().endswith(("{", "[")):
                break
            inner = indent
            if read_head(line) is not None or (starts_afresh(line) and read_head_within(line) is not None):
                head = index
            elif read_at(line) is not None:
                return _head_above(get, _top(get, index, follows_frame)) or head
        index -= 1
    return head


def _gecko_place(get: Get, hit: int) -> Place | None:
    """Find the message above ``fn@file:1:2`` lines; two of them are a trace without one too."""
    top = _top(get, hit, follows_gecko)
    while (line := get(top - 1)) is not None and line.strip() in NAMELESS_CODE:
        top -= 1
    if (get(top) or "").strip() in NAMELESS_CODE and (above := _top(get, top, is_bare_name)) < top:
        return Place(above, top)
    lowest = _above_components(get, top)
    for index in range(lowest - 1, lowest - 5, -1):
        line = get(index)
        if line is None or not line.strip():
            break
        head = read_head(line)
        if (head is not None and head.is_known) or read_head_within(line) is not None:
            return Place(index, top)
        if starts_afresh(line):
            break
    return Place(top, top) if follows_gecko(get(max(top, hit - 1) + 1) or "") else None


def _above_components(get: Get, top: int) -> int:
    """Return the place below a message that React Native parts from the frames by where the error is located."""
    index = top - 1
    while index > top - MAX_MESSAGE and (
        not (get(index) or "").strip() or _COMPONENT.match(get(index) or "")
    ):
        index -= 1
    if get(index) != COMPONENTS:
        return top
    return index - 1 if not (get(index - 1) or "").strip() else index


def _thrown_value(get: Get, hit: int) -> Place | None:
    """Find what was thrown that is no error: the lines between the caret and this one."""
    for index in range(hit - 1, hit - 1 - MAX_VALUE, -1):
        line = get(index)
        if line is None or read_at(line) is not None or _RUNTIME.match(line):
            return None
        if CARETS.match(line):
            head = index + 1 if (get(index + 1) or "").strip() else index + 2
            return Place(head, hit) if head < hit and first_line(get, head) < head else None
    return None


def _after_braces(get: Get, index: int, indent: int) -> int:
    """Return the line after the properties an error ends with, up to their closing brace."""
    while (line := get(index)) is not None:
        if line.strip() and indent_of(line) <= indent:
            return index + 1 if line.lstrip().startswith(("}", "]")) else index
        index += 1
    return index


def _after_aftermath(get: Get, index: int) -> int:
    while (line := get(index)) is not None:
        if AFTERMATH.match(line):
            index = _after_source(get, index + 1)
        elif not line.strip() and _RUNTIME.match(get(index + 1) or ""):
            index += 2
        else:
            break
    return index


def _end_of_native_stack(get: Get, index: int) -> int:
    while (line := get(index)) is not None and _NATIVE_STACK.match(line):
        index += 1
    while not (get(index - 1) or "").strip():
        index -= 1
    return index
