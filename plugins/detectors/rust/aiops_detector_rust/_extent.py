"""Where a Rust panic or error report begins and ends."""

from __future__ import annotations

from typing import NamedTuple

from aiops_detector_rust._drawn import find_drawing
from aiops_detector_rust._lines import (
    ABORT,
    ALLOCATION,
    BACKTRACE,
    CAUSED,
    CHAINED,
    CRASHED,
    EMBARRASSED,
    FIRST_CALL,
    LOCATED,
    LOCATION,
    NOTE,
    OVERFLOWED,
    RUNTIME,
    SECTION,
    SHELL,
    THANKS,
    Get,
    closes_quote,
    is_afterword,
    is_backtrace,
    is_drawn,
    is_heading,
    is_indented,
    is_numbered,
    is_script_stack,
    names_error,
    read_debugged,
    read_panic,
    starts_afresh,
)

MAX_MESSAGE = 32
"""Lines of one message looked through for what ends it."""
MAX_PANICS = 4
"""Panics of one thread, one raised while another unwound, before the runtime aborts."""
_REACH = 24
_FOREIGN_FRAME = "    at "


class Report(NamedTuple):
    """A panic, an abort or an error report: ``body`` is the line after its message."""

    start: int
    body: int
    end: int
    is_drawn: bool = False


def find_reports(get: Get, hit: int) -> list[Report]:
    """Return the reports of one event, several when a panic was raised while another unwound."""
    line = get(hit) or ""
    if read_panic(line) is not None:
        return _panics(get, hit)
    if OVERFLOWED.search(line):
        has_more = RUNTIME.match(get(hit + 1) or "") is not None
        return [Report(hit, hit + 1, _after_aborts(get, _after_stack(get, hit + 1 + has_more)))]
    if CRASHED.match(line) or EMBARRASSED.match(line):
        return [_crash(get, hit)]
    if RUNTIME.match(line) or ALLOCATION.match(line):
        return [Report(hit, hit + 1, _after_stack(get, hit + 1))]
    drawing = find_drawing(get, hit) if is_drawn(line) else None
    if drawing is not None:
        return [Report(drawing.start, drawing.end, drawing.end, is_drawn=True)]
    report = _error(get, hit)
    return [report] if report is not None else []


def _crash(get: Get, hit: int) -> Report:
    """Read a panic as color-eyre or human-panic tells it."""
    if CRASHED.match(get(hit) or ""):
        return Report(hit, _after_told(get, hit + 1), _after_sections(get, hit + 1))
    end = _after_thanks(get, hit + 1)
    return Report(hit, end, end)


def _after_thanks(get: Get, index: int) -> int:
    """Return the line after the last one that human-panic prints."""
    for at in range(index, index + MAX_MESSAGE):
        line = get(at)
        if line is None or starts_afresh(line):
            return at
        if line.startswith(THANKS):
            return at + 1
    return index


def _panics(get: Get, hit: int) -> list[Report]:
    """Read a panic, and those of the same thread that led to an abort."""
    reports = [_panic(get, hit)]
    thread = _thread(get, hit)
    index = reports[0].end
    while len(reports) < MAX_PANICS and not _aborts(get, index):
        below = index + 1 if get(index) == "" else index
        if _thread(get, below) != thread:
            return reports[:1]
        reports.append(_panic(get, below))
        index = reports[-1].end
    if not _aborts(get, index):
        return reports[:1]
    return [*reports[:-1], reports[-1]._replace(end=_after_aborts(get, index))]


def _after_aborts(get: Get, index: int) -> int:
    while _aborts(get, index):
        index += 1
    return index


def _aborts(get: Get, index: int) -> bool:
    line = get(index) or ""
    return any(form.match(line) is not None for form in (ABORT, RUNTIME, SHELL))


def _thread(get: Get, index: int) -> str | None:
    panic = read_panic(get(index) or "")
    return panic.thread if panic is not None else None


def _panic(get: Get, hit: int) -> Report:
    body = _after_message(get, hit)
    return Report(hit, body, _after_stack(get, body))


def _after_message(get: Get, hit: int) -> int:
    panic = read_panic(get(hit) or "")
    if panic is not None and panic.is_quoted:
        return _after_quote(get, hit)
    for index in range(hit + 1, hit + 1 + MAX_MESSAGE):
        line = get(index)
        if line is None or starts_afresh(line) or read_panic(line) is not None:
            break
        if NOTE.match(line) or BACKTRACE.match(line) or ABORT.match(line):
            return index
    return _after_details(get, hit)


def _after_quote(get: Get, hit: int) -> int:
    for index in range(hit, hit + MAX_MESSAGE):
        line = get(index)
        if line is None or (index > hit and (NOTE.match(line) or starts_afresh(line) or read_panic(line))):
            break
        if closes_quote(line):
            return index + 1
    return hit + 1


def _after_details(get: Get, hit: int) -> int:
    """Return the line after a message that nothing ends: one line, and what is indented below it."""
    line = get(hit + 1)
    if not (get(hit) or "").rstrip().endswith(":") or line is None or not line.strip() or starts_afresh(line):
        return hit + 1
    index = hit + 2
    while (
        (line := get(index)) is not None
        and line.startswith(" ")
        and line.strip()
        and index < hit + MAX_MESSAGE
    ):
        index += 1
    return index


def _after_stack(get: Get, index: int) -> int:
    while (line := get(index)) is not None:
        if BACKTRACE.match(line):
            index = _after_backtrace(get, index + 1)
        elif FIRST_CALL.match(line):
            index = _after_backtrace(get, index)
        elif NOTE.match(line):
            index += 1
        else:
            break
    return _after_script_stack(get, index) if get(index) == "" and get(index + 1) == "Stack:" else index


def _after_script_stack(get: Get, index: int) -> int:
    while (line := get(index)) is not None and is_script_stack(line):
        index += 1
    while not (get(index - 1) or "").strip():
        index -= 1
    return index


def _after_backtrace(get: Get, index: int) -> int:
    while is_backtrace(get(index) or ""):
        index += 1
    return index


def _after_told(get: Get, index: int) -> int:
    """Return the line after the message and the place of a crash that color-eyre reports."""
    for end in range(index, index + MAX_MESSAGE):
        line = get(end)
        if line is None or SECTION.match(line):
            return end
        if line.startswith("Location:"):
            return end + 1
    return index


def _error(get: Get, hit: int) -> Report | None:
    line = get(hit) or ""
    if names_error(line) and read_debugged(line.partition(": ")[2]):
        is_foreign = (get(hit + 1) or "").startswith(_FOREIGN_FRAME)
        return None if is_foreign else Report(hit, hit + 1, _after_sections(get, hit + 1))
    if CAUSED.match(line) and not is_indented(get(hit + 1) or ""):
        return None
    if LOCATED.match(line) and not LOCATION.match(get(hit - 1) or ""):
        return None
    start = _start_of_error(get, hit)
    return Report(start, start + 1, _after_sections(get, start + 1)) if start is not None else None


def _start_of_error(get: Get, hit: int) -> int | None:
    """Climb over the sections of a report to the error it is about."""
    top = hit
    for index in range(hit - 1, hit - _REACH, -1):
        line = get(index)
        if line is None or read_panic(line) is not None:
            break
        if not line.strip():
            continue
        if is_heading(line) and names_error(line):
            return index
        if is_indented(line) or is_heading(line) or is_afterword(line):
            top = index
            continue
        return _message_above(get, index, top)
    return _chain_below(get, top, hit)


def _message_above(get: Get, index: int, top: int) -> int | None:
    """Return where the message begins that a line above the sections belongs to."""
    line, first = get(index) or "", get(top) or ""
    is_own = names_error(first) or (CHAINED.match(first) and not (names_error(line) or starts_afresh(line)))
    if is_own:
        return _chain_below(get, top, top)
    for start in range(index, index - 8, -1):
        above = get(start)
        if above is None or not above.strip():
            break
        if names_error(above) or starts_afresh(above):
            return start
    return index if CAUSED.match(first) or LOCATION.match(first) else None


def _chain_below(get: Get, top: int, hit: int) -> int | None:
    """Return where a chain of errors begins that nothing stands above."""
    for index in range(top, hit + 1):
        line = get(index) or ""
        if names_error(line) or (CHAINED.match(line) and line.lstrip().startswith("0:")):
            return index
    return None


def _after_sections(get: Get, index: int) -> int:
    end = index
    while (line := get(index)) is not None:
        if not line.strip():
            index += 1
            if index > end + 3:
                break
            continue
        if not _goes_on(get, index, line, is_parted=index > end):
            break
        index += 1
        end = index
    return end


def _goes_on(get: Get, index: int, line: str, *, is_parted: bool) -> bool:
    if starts_afresh(line) or read_panic(line) is not None or (is_heading(line) and names_error(line)):
        return False
    if line.startswith(("Message:", "Location:")) or is_afterword(line) or SECTION.match(line):
        return True
    if is_heading(line):
        below = get(index + 1)
        return below is not None and (is_indented(below) or not below.strip())
    if is_indented(line):
        return not is_parted or is_numbered(line)
    return is_numbered(line) and line[:1] == " "
