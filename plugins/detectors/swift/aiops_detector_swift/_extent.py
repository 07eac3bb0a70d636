"""Where a Swift crash begins and ends."""

from __future__ import annotations

import re

from aiops_core import lazy_pattern
from aiops_detector_swift._lines import (
    AFRESH,
    BARE,
    CRASHED,
    DUMP,
    END,
    LONGEST,
    OBJECTIVE_C,
    PLACED,
    SECTION,
    SIGNAL,
    SOURCE,
    STACK_OF_OLD,
    THROW_STACK,
    THROWN,
    TRAILED,
    Get,
    is_frame,
    is_head,
)

ABOVE = 12
"""Lines looked back through for the words that lead to a backtrace."""
MAX_MESSAGE = 24
"""Lines of a reason looked through for its end."""
_BACKTRACE = lazy_pattern(
    r"\*\*\* |.{0,4} ?(?:Program crashed|Swift runtime failure)|Thread \d+.* crashed|Current stack trace|Stack dump"
)


def find_head(get: Get, hit: int) -> int | None:
    """Return the line that says what went wrong, None for a false alarm."""
    line = (get(hit) or "")[:LONGEST]
    if CRASHED.match(line) or SIGNAL.match(line):
        return _words_above(get, hit)
    if DUMP.match(line):
        return hit if _is_compiler(get, hit) else None
    if OBJECTIVE_C.match(line):
        return hit if any(THROWN.match(get(index) or "") for index in range(hit + 1, hit + 4)) else None
    if is_head(line):
        return hit
    return hit if BARE.match(line) and _has_backtrace(get, hit) else None


def end_of_crash(get: Get, head: int) -> int:
    """Return the line after the last one that belongs to the crash."""
    line = get(head) or ""
    if DUMP.match(line):
        return _end_of(get, head + 1, gap=1)
    if THROWN.match(line) or OBJECTIVE_C.match(line):
        return _end_of_exception(get, head)
    end = head + 1
    return _end_of(get, end, gap=3) if _follows(get, end) else end


def _words_above(get: Get, crash: int) -> int:
    for index in range(crash - 1, crash - ABOVE, -1):
        line = get(index)
        if line is None:
            break
        words = line[:LONGEST]
        if PLACED.match(words) or TRAILED.match(words) or BARE.match(words) or SIGNAL.match(words):
            return index if not SIGNAL.match(words) else _words_above(get, index)
        if words.strip() and not SECTION.match(words):
            break
    return crash


def _has_backtrace(get: Get, head: int) -> bool:
    for index in range(head + 1, head + 5):
        line = get(index)
        if line is None:
            return False
        if _BACKTRACE.match(line):
            return True
    return False


def _is_compiler(get: Get, dump: int) -> bool:
    return any("swift" in (get(index) or "")[:LONGEST] for index in range(dump, dump + 3))


def _follows(get: Get, index: int) -> bool:
    """Say whether a backtrace, or the signal, comes under the words."""
    for at in range(index, index + 5):
        line = get(at)
        if line is None:
            return False
        if _BACKTRACE.match(line) or END.match(line) or is_frame(line) or STACK_OF_OLD.match(line):
            return True
        if AFRESH.match(line):
            return False
    return False


def _end_of(get: Get, index: int, *, gap: int) -> int:
    end = index
    while (line := get(index)) is not None and index - end <= gap:
        words = line[:LONGEST]
        if AFRESH.match(words) or (is_head(words) and not CRASHED.match(words) and not DUMP.match(words)):
            break
        if _belongs(words):
            end = index + 1
        elif words.strip():
            break
        index += 1
    return end


def _belongs(words: str) -> bool:
    forms = (SOURCE, SECTION, SIGNAL, CRASHED, END, STACK_OF_OLD, DUMP)
    return is_frame(words) or any(form.match(words) for form in forms)


def _end_of_exception(get: Get, head: int) -> int:
    """Return the end of an exception: its reason, the stack in parentheses, what the runtime adds."""
    index = end = head + 1
    limit = head + MAX_MESSAGE
    while (line := get(index)) is not None:
        words = line[:LONGEST]
        if THROW_STACK.match(words):
            limit = index + 1000
        elif THROWN.match(words) and OBJECTIVE_C.match(get(index - 1) or ""):
            pass
        elif END.match(words):
            return index + 1
        elif not (
            re.match(r"\(|\)|\s*$|'", words) or is_frame(words) or re.match(r"\t|\(?(?:0x)?[0-9a-f]+ ", words)
        ) and (index >= limit or AFRESH.match(words) or limit > head + MAX_MESSAGE):
            break
        end = (
            index + 1
            if words.strip() and (limit > head + MAX_MESSAGE or words.startswith(("*", "'", "(")))
            else end
        )
        index += 1
    return end
