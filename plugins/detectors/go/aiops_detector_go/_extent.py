"""Where a Go crash report begins and ends."""

from __future__ import annotations

from aiops_core import lazy_pattern, parse_envelope
from aiops_detector_go._lines import (
    CREATED,
    EXIT,
    FENCE,
    GOROUTINE,
    GOROUTINE_WITHIN,
    LONGEST,
    PANIC,
    RACE,
    RECOVERED,
    REGISTER,
    TELLS,
    Get,
    is_head,
    is_note,
    is_stack_line,
    leads_in,
    stands_alone,
    starts_afresh,
    starts_stack,
)

MAX_MESSAGE = 32
"""Lines of one message looked through for the goroutine under it."""
LEAD_IN = 8
"""Lines of the runtime's own that may stand above the head."""
_OWN_STACK = "runtime/debug.Stack("
_KERNEL = lazy_pattern(r"cpuid = \d")
"""Follows the panic of a BSD kernel."""
_IN_RACE = lazy_pattern(
    r"\s|$|(?:Previous )?(?:atomic |racy )?(?:[Rr]ead|[Ww]rite)|Goroutine \d+ |Mutex |Location is |As if "
)


def find_head(get: Get, hit: int) -> int | None:
    """Return the line that announces the crash of this hit, None for a false alarm."""
    line = get(hit) or ""
    if RACE in line:
        return hit
    if is_head(line):
        return _first_panic(get, hit)
    if GOROUTINE.match(line):
        return _head_above(get, hit)
    return hit if GOROUTINE_WITHIN.search(line[-LONGEST:]) and TELLS.search(line[:LONGEST]) else None


def first_line(get: Get, head: int) -> int:
    """Return the first line of the block: a fence, or what the runtime says before the head."""
    if FENCE.match(get(head - 1) or "") and RACE in (get(head) or ""):
        return head - 1
    start = head
    while head - start < LEAD_IN and leads_in(get(start - 1) or ""):
        start -= 1
    return start


def end_of_crash(get: Get, head: int) -> int | None:
    """Return the line after the report; None when there is only a word of one."""
    line = get(head) or ""
    if RACE in line:
        return _end_of_race(get, head + 1)
    if starts_stack(line) or GOROUTINE_WITHIN.search(line[-LONGEST:]):
        end = _end_of_stacks(get, head + 1)
        return end if end > head + 1 else None
    stack = _stack_below(get, head)
    if stack is not None:
        return _end_of_stacks(get, stack)
    if not stands_alone(line) or _KERNEL.match(get(head + 1) or ""):
        return None
    return _end_of_head(get, head)


def _first_panic(get: Get, at: int) -> int:
    """Climb from a panic raised while another was handled to the first of them."""
    while PANIC.match(above := get(at - 1) or "") and (
        RECOVERED.search(above) or (get(at) or "").startswith("\t")
    ):
        at -= 1
    return at


def _head_above(get: Get, goroutine: int) -> int | None:
    """Return the message above a goroutine that nobody announced in a known form, or itself."""
    for index in (goroutine - 1, goroutine - 2):
        line = get(index)
        if line is None:
            break
        if line.strip():
            is_message = not is_stack_line(line) and TELLS.search(line[:LONGEST])
            is_logged = index == goroutine - 1 and _is_logged(line, get(goroutine + 1) or "")
            return index if is_message or is_logged else goroutine
    return goroutine


def _is_logged(line: str, call: str) -> bool:
    """Say whether a record tells of a stack that the program printed itself, as servers that recover do."""
    is_told = call.startswith(_OWN_STACK) and starts_afresh(line)
    return is_told and parse_envelope(line).severity != "info"


def _stack_below(get: Get, head: int) -> int | None:
    """Return where the stacks begin under a message of one or several lines."""
    before = get(head) or ""
    for index in range(head + 1, head + 1 + MAX_MESSAGE):
        line = get(index)
        if line is None or starts_afresh(line):
            return None
        if starts_stack(line):
            return index
        if is_head(line) and not (line.startswith("\t") or RECOVERED.search(before)):
            return None
        before = line
    return None


def _end_of_head(get: Get, head: int) -> int:
    """Return the end of a report without stacks: re-panics and notes follow directly."""
    index = head + 1
    while (line := get(index)) is not None:
        is_repanic = PANIC.match(line) and (line.startswith("\t") or RECOVERED.search(get(index - 1) or ""))
        if EXIT.match(line):
            return index + 1
        if not is_repanic and not is_note(line):
            break
        index += 1
    return index


def _end_of_stacks(get: Get, index: int) -> int:
    """Return the line after the last goroutine; blank lines stand between goroutines."""
    while (line := get(index)) is not None:
        if EXIT.match(line):
            return index + 1
        if starts_stack(line) or (line.strip() and is_stack_line(line)):
            index += 1
            continue
        below = index
        while below < index + 3 and (blank := get(below)) is not None and not blank.strip():
            below += 1
        line = get(below)
        if below == index or line is None or not _resumes(line):
            break
        index = below
    return index


def _resumes(line: str) -> bool:
    """Say whether the line goes on with the report after a blank one."""
    return starts_stack(line) or any(form.match(line) for form in (EXIT, CREATED, REGISTER)) or is_note(line)


def _end_of_race(get: Get, index: int) -> int:
    while (line := get(index)) is not None:
        if FENCE.match(line):
            return index + 1
        if not _IN_RACE.match(line) and not is_stack_line(line):
            break
        index += 1
    return index
