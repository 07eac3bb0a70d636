"""Where a Ruby backtrace begins and ends, and which parts it has."""

from __future__ import annotations

from typing import NamedTuple

from aiops_core import lazy_pattern
from aiops_detector_ruby._lines import (
    BUG_VERSION,
    CAUSES,
    DETAIL,
    LEADS,
    NUMBERED,
    REVERSED,
    TAIL,
    Call,
    Get,
    follows_frame,
    has_frame,
    is_caret,
    is_cut_short,
    is_inspected,
    read_bug,
    read_caused,
    read_frame,
    read_head,
    read_information,
    read_raised,
    read_syntax_error,
    starts_afresh,
)

MAX_MESSAGE = 32
"""Lines of one message looked through for the frames under it."""
MAX_PARTS = 64
"""Exceptions of one chain that are followed."""
_MOST_BLANK = 3
_BUG_ENDS = lazy_pattern(r"For details: https?://|Abort(?:ed|\.)|\[IMPORTANT\]")


class Part(NamedTuple):
    """One exception: the line that names it (-1 when none does), its first frame, the line after the last."""

    head: int
    body: int
    end: int


def find_parts(get: Get, hit: int) -> list[Part]:
    """Return the exceptions of the trace this hit belongs to, none for a false alarm."""
    line = get(hit) or ""
    if read_bug(line) is not None:
        return _parts_of_bug(get, hit)
    if REVERSED in line or NUMBERED.match(line):
        return _reversed_parts(get, hit)
    if _is_printed(line):
        return _chain(get, hit)
    if is_inspected(line):
        has_body = read_frame(get(hit + 1) or "") is not None
        return _chain(get, hit, hit + 1) if has_body else [Part(hit, hit + 1, hit + 1)]
    return _parts_of_frame(get, hit)


def first_line(get: Get, parts: list[Part]) -> int:
    """Return the first line of the block: what announces the exception belongs to it."""
    start = parts[0].head if 0 <= parts[0].head < parts[0].body else parts[0].body
    information = get(start) or ""
    if read_information(information) is False:
        start = _list_of_causes(get, start, information)
    above = get(start - 1) or ""
    return start - 1 if REVERSED in above or LEADS.match(above) else start


def after_tail(get: Get, parts: list[Part]) -> int:
    """Return the line after what a runner says below the trace."""
    end = parts[-1].end
    below = _after_blank(get, end)
    while (line := get(below)) is not None and TAIL.match(line):
        below += 1
        end = below
    return end


def _parts_of_frame(get: Get, hit: int) -> list[Part]:
    """Climb from a frame to what names the exception.

    Hits come in order, and what a trace claims is out of reach: a frame right under another has
    been judged with it, which keeps a long run of orphans linear.
    """
    line = get(hit) or ""
    if read_frame(line) is None or _is_judged(get, hit - 1):
        return []
    body = hit - 1 if has_frame(get(hit - 1) or "") else hit
    head = _head_above(get, body)
    if head is not None:
        return _chain(get, head, body)
    if read_frame(get(hit + 1) or "") is None:
        return []
    return [Part(-1, body, _after_frames(get, hit))]


def _is_judged(get: Get, above: int) -> bool:
    line = get(above)
    return line is not None and follows_frame(line)


def _head_above(get: Get, body: int) -> int | None:
    is_adjacent = True
    for index in range(body - 1, body - 1 - MAX_MESSAGE, -1):
        line = get(index)
        if line is None or follows_frame(line):
            return None
        if not line.strip():
            continue
        if (head := read_head(line)) is not None and (
            is_adjacent or _may_go_on(get, index, body, head.is_open)
        ):
            return index
        if starts_afresh(line):
            return None
        is_adjacent = False
    return None


def _may_go_on(get: Get, head: int, body: int, is_open: bool) -> bool:
    """Say whether what stands between a head and its frames can be its message."""
    return is_open or not any(starts_afresh(get(index) or "") for index in range(head + 1, body))


def _list_of_causes(get: Get, information: int, line: str) -> int:
    """Return where the exception is told first: Rails lists the causes, then says more of each."""
    told = line.partition(": ")[2].rstrip("): ")
    lines = ((index, get(index)) for index in range(information - 1, information - 1 - MAX_MESSAGE, -1))
    return next((index for index, above in lines if above and above.rstrip("): ") == told), information)


def _chain(get: Get, head: int, body: int | None = None) -> list[Part]:
    """Follow the causes; ``body`` is the first frame where the frames are known already."""
    parts = [_part(get, head) if body is None else Part(head, body, _after_frames(get, body + 1))]
    while len(parts) < MAX_PARTS:
        following = _next_head(get, parts)
        if following is None:
            break
        parts.append(_part(get, following))
    return parts


def _part(get: Get, head: int) -> Part:
    body = _body_below(get, head)
    return Part(head, body, _after_frames(get, body) if read_frame(get(body) or "") else body)


def _body_below(get: Get, head: int) -> int:
    """Return the first frame under a head; without frames the line after the message."""
    is_printed = _is_printed(get(head) or "")
    for index in range(head + 1, head + 1 + MAX_MESSAGE):
        line = get(index)
        if line is None or _is_printed(line) or starts_afresh(line):
            break
        frame = read_frame(line)
        if frame is not None and (frame.is_from or not is_printed):
            return index
    return _after_details(get, head)


def _is_printed(line: str) -> bool:
    """Say whether the interpreter itself names an exception in the line."""
    return read_raised(line) is not None or read_syntax_error(line) is not None


def _after_details(get: Get, head: int) -> int:
    """Return the line after what the interpreter adds to a message: source with a caret, a suggestion."""
    end = head + 1
    for index in range(head + 1, head + 8):
        line = get(index)
        if line is None or starts_afresh(line) or _is_printed(line):
            break
        if is_caret(line) or DETAIL.match(line):
            end = index + 1
        elif line.strip() and not is_caret(get(index + 1) or ""):
            break
    return end


def _after_frames(get: Get, index: int) -> int:
    while (line := get(index)) is not None and follows_frame(line):
        index += 1
    return index


def _after_blank(get: Get, index: int) -> int:
    end = index
    while end < index + _MOST_BLANK and (line := get(end)) is not None and not line.strip():
        end += 1
    return end


def _next_head(get: Get, parts: list[Part]) -> int | None:
    """Return the line that names the cause of the last exception."""
    end = parts[-1].end
    line = get(end)
    if line is not None and read_raised(line) is not None:
        return end if _is_cause(get, parts, end) else None
    below = _after_blank(get, end)
    line = get(below) or ""
    if read_information(line):
        return below
    if CAUSES.match(line):
        return below + 1 if read_head(get(below + 1) or "") is not None else None
    rest = read_caused(line)
    return below if rest and read_head(rest) is not None and follows_frame(get(below + 1) or "") else None


def _is_cause(get: Get, parts: list[Part], head: int) -> bool:
    """Tell the cause of an exception from the next one: both came from the same call.

    A line printed once more is the next occurrence, and so is the same exception from the same calls.
    """
    line, following = get(head), _part(get, head)
    if any(get(part.head) == line for part in parts):
        return False
    first, second = _calls(get, parts[-1]), _calls(get, following)
    if not (first and second) or any(
        is_cut_short(get(part.end - 1) or "") for part in (parts[-1], following)
    ):
        return True
    if _type(get, parts[-1]) == _type(get, following) and first == second:
        return False
    outermost, other = first[-1], second[-1]
    is_rescued = len(first) > 1 and first[-2].place == outermost.place and first[-2].is_rescue
    return outermost.place == other.place and (outermost.line == other.line or is_rescued)


def _calls(get: Get, part: Part) -> list[Call]:
    """Return the calls an exception came from, the innermost first."""
    head = read_raised(get(part.head) or "")
    frames = [frame for at in range(part.body, part.end) if (frame := read_frame(get(at) or "")) is not None]
    return [head.call, *frames] if head is not None and head.call is not None else frames


def _type(get: Get, part: Part) -> str | None:
    head = read_raised(get(part.head) or "")
    return head.type if head is not None else None


def _reversed_parts(get: Get, hit: int) -> list[Part]:
    """Read numbered frames with what they led to below them, as Ruby 2.5 to 2.7 print to terminals."""
    index = hit + 1 if REVERSED in (get(hit) or "") else hit
    if NUMBERED.match(get(index - 1) or ""):
        return []
    parts: list[Part] = []
    while NUMBERED.match(get(index) or "") and len(parts) < MAX_PARTS:
        head = index
        while (line := get(head)) is not None and (NUMBERED.match(line) or is_cut_short(line)):
            head += 1
        if not _is_printed(get(head) or ""):
            break
        end = next((at for at in range(head + 1, head + 8) if NUMBERED.match(get(at) or "")), None)
        parts.append(Part(head, index, end or _after_details(get, head)))
        index = parts[-1].end
    return parts


def _parts_of_bug(get: Get, hit: int) -> list[Part]:
    if not BUG_VERSION.match(get(hit + 1) or ""):
        return []
    index, blank = hit + 2, 0
    while (line := get(index)) is not None and blank < _MOST_BLANK:
        if _BUG_ENDS.match(line):
            return [Part(hit, hit + 2, index + 1)]
        if starts_afresh(line) or read_bug(line) is not None:
            break
        blank = 0 if line.strip() else blank + 1
        index += 1
    while index > hit + 2 and not (get(index - 1) or "").strip():
        index -= 1
    return [Part(hit, hit + 2, index)]
