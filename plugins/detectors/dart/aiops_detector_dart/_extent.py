"""Where a Dart error begins and ends."""

from __future__ import annotations

from typing import NamedTuple

from aiops_core import parse_envelope
from aiops_detector_dart._lines import (
    AFRESH,
    ANOTHER,
    BOX,
    BOX_END,
    COMPILED,
    CRASH,
    CRASH_DETAIL,
    ENGINE,
    FAILED_TEST,
    GAP,
    LONGEST,
    PREAMBLE,
    RULE,
    RULE_FIRST,
    RULE_LAST,
    UNHANDLED,
    Get,
    is_call,
    is_in_stack,
)
from aiops_detector_dart._names import find_error

ABOVE = 20
"""Lines looked back through, from a stack, for what names the error."""
MAX_MESSAGE = 48
"""Lines of a message looked through for the stack under it."""
MAX_BOX = 1500
"""Lines of one Flutter box; a tree of widgets may be long."""
_SOURCE = 4


class Extent(NamedTuple):
    """The lines of one error; ``tells`` when its first line names it."""

    start: int
    end: int
    tells: bool = True


def find_extent(get: Get, hit: int) -> Extent | None:
    """Return the error this hit belongs to, None for a false alarm."""
    line = (get(hit) or "")[:LONGEST]
    for form, end_of in _WHOLE:
        if form.match(line):
            return Extent(hit, end_of(get, hit))
    if UNHANDLED.match(line):
        stack = _stack_below(get, hit + 2)
        return Extent(hit, _end_of_stack(get, stack)) if stack is not None else None
    return _of_stack(get, hit)


def _of_stack(get: Get, hit: int) -> Extent | None:
    """Climb from the first line of a stack to what names the error.

    A call under another has been judged with it, which keeps a long run of orphans linear.
    """
    line = get(hit) or ""
    if not (is_call(line) or PREAMBLE.match(line) or GAP.match(line)) or is_in_stack(get(hit - 1) or ""):
        return None
    stack = _stack_below(get, hit)
    head = _head_above(get, hit)
    if stack is None or head is None:
        return None
    start, end = head.start, _end_of_stack(get, stack)
    if RULE_FIRST.match(get(start - 1) or ""):
        return Extent(start - 1, _end_of_frame(get, end))
    return head._replace(end=end)


def _head_above(get: Get, stack: int) -> Extent | None:
    """Return the line that names the error; where only a logging line tells of it, the stack itself."""
    named: int | None = None
    for index in range(stack - 1, stack - 1 - ABOVE, -1):
        line = get(index)
        if line is None or is_in_stack(line) or RULE_FIRST.match(line):
            break
        words = line[:LONGEST]
        if UNHANDLED.match(words) or ENGINE.match(words) or ANOTHER.match(words):
            return Extent(index, index)
        if not words.strip() or PREAMBLE.match(words) or RULE.match(words):
            continue
        envelope = parse_envelope(words)
        if find_error(words[envelope.length :].strip()) is not None:
            named = index
        if envelope.length or AFRESH.match(words):
            if named is None and envelope.severity in {"critical", "error"} and index == stack - 1:
                return Extent(stack, stack, tells=False)
            break
        if named is None and _is_text(words):
            continue
        if named is not None and index != named:
            break
    return Extent(named, named) if named is not None else None


def _is_text(words: str) -> bool:
    """Say whether a line may be of a message that began above it."""
    return not words.lstrip().startswith(("at ", "#"))


def _stack_below(get: Get, start: int) -> int | None:
    """Return the first call of the stack under a message."""
    for index in range(start, start + MAX_MESSAGE):
        line = get(index)
        if line is None:
            return None
        if is_call(line) or GAP.match(line):
            return index
        words = line[:LONGEST]
        if (AFRESH.match(words) or UNHANDLED.match(words) or BOX.match(words)) and not PREAMBLE.match(words):
            return None
    return None


def _end_of_stack(get: Get, start: int) -> int:
    end = index = start
    while (line := get(index)) is not None:
        if index > start and _starts_again(get, index):
            break
        if is_in_stack(line):
            end = index + 1
        elif line.strip() or index > end:
            break
        index += 1
    return end


def _starts_again(get: Get, index: int) -> bool:
    """Say whether another stack begins here, not the one that a gap announces."""
    line = (get(index) or "").lstrip()
    return line.startswith(("#0 ", "#00 ")) and GAP.match(get(index - 1) or "") is None


def _end_of_frame(get: Get, index: int) -> int:
    """Return the line after the border that a logger draws round what it prints."""
    for below in range(index, index + MAX_MESSAGE):
        line = get(below)
        if line is None or AFRESH.match(line) or RULE_FIRST.match(line):
            return index
        if RULE_LAST.match(line):
            return below + 1
    return index


def _end_of_box(get: Get, head: int) -> int:
    end = head + 1
    for index in range(head + 1, head + MAX_BOX):
        line = get(index)
        if line is None:
            break
        if BOX_END.match(line):
            return index + 1
        if BOX.match(line) or AFRESH.match(line):
            break
        if is_in_stack(line) or index <= head + 3:
            end = index + 1 if line.strip() else end
    return end


def _end_of_announced(get: Get, head: int) -> int:
    stack = _stack_below(get, head + 1)
    return head + 1 if stack is None else _end_of_stack(get, stack)


def _end_of_details(get: Get, head: int) -> int:
    end = head + 1
    while (line := get(end)) is not None and CRASH_DETAIL.match(line):
        end += 1
    return end


def _end_of_source(get: Get, head: int) -> int:
    """Return the line after the caret under the source that a compiler shows."""
    for index in range(head + 1, head + 1 + _SOURCE):
        line = get(index)
        if line is None or COMPILED.match(line):
            break
        if line.strip() and not line.strip().strip("^"):
            return index + 1
    return head + 1


def _end_of_test(get: Get, head: int) -> int:
    end = head + 1
    while (line := get(end)) is not None and (line.startswith("  ") or is_in_stack(line)):
        end += 1
    return end


_WHOLE = (
    (BOX, _end_of_box),
    (CRASH, _end_of_details),
    (COMPILED, _end_of_source),
    (FAILED_TEST, _end_of_test),
    (ENGINE, _end_of_announced),
    (ANOTHER, _end_of_announced),
)
"""Lines that name an error by themselves, and what tells where it ends."""
