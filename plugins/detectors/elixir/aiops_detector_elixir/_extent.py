"""Where an exception, or a report, begins and ends."""

from __future__ import annotations

from aiops_core import begins_to_die, lazy_pattern
from aiops_detector_elixir._lines import (
    AFRESH,
    ANNOUNCED,
    BANNER,
    BELOW_ANNOUNCED,
    CALL,
    COMPILING,
    CONTINUED,
    CRASHED,
    ENDED,
    ERLANG,
    FRAME,
    HEAD_OF_REPORT,
    IN_PROCESS,
    LONGEST,
    REPORT,
    SERVER,
    Get,
    is_head,
)

ABOVE = 16
"""Lines looked back through for the line of the logger that announced an exception."""
MAX_MESSAGE = 60
"""Lines of one message looked through for the stack under it."""
_DETAIL = lazy_pattern(
    r"\s|\*\* |[)\]}>{\[%]|(?:crasher|supervisor|neighbours):|\w+:\s|Crash dump is being written"
)


def find_head(get: Get, hit: int) -> int | None:
    """Return the first line of the problem, None for a false alarm."""
    line = (get(hit) or "")[:LONGEST]
    if not is_head(line):
        return None
    if BANNER.match(line):
        outer = _outer(get, hit)
        return _announced(get, outer)
    if ERLANG.match(line) and (get(hit) or "").startswith(" ") and not line.lstrip().startswith("**"):
        return _head_of_crash(get, hit)
    return hit


def end_of_problem(get: Get, head: int, hit: int) -> int:
    """Return the line after the last one that belongs to the problem."""
    line = (get(head) or "")[:LONGEST]
    if REPORT.match(line):
        return _end_of_report(get, head + 1)
    if CRASHED.match(line):
        return _end_of_lines(get, head + 1)
    if SERVER.match(line) or IN_PROCESS.match(line) or ENDED.match(line):
        return _end_of_lines(get, head + 1)
    if ERLANG.match(line):
        return _end_of_calls(get, head + 1)
    if COMPILING.match(line):
        below = get(head + 1) or ""
        return _end_of_exception(get, head + 1) if BANNER.match(below[:LONGEST]) else head + 1
    return _end_of_exception(get, hit if BANNER.match((get(hit) or "")[:LONGEST]) else head)


def _head_of_crash(get: Get, hit: int) -> int | None:
    """Return where the report begins that names an exception, None where that is too far above."""
    for index in range(hit - 1, hit - ABOVE, -1):
        line = get(index)
        if line is None or not line.startswith(" "):
            break
        if CRASHED.match(line):
            return index - 1 if REPORT.match((get(index - 1) or "")[:LONGEST]) else index
    return None


def _outer(get: Get, banner: int) -> int:
    """Climb from an exception that explains an exit to the exit."""
    indent = _indent(get(banner))
    for index in range(banner - 1, banner - 6, -1):
        line = get(index)
        if line is None or (line.strip() and _indent(line) >= indent and not BANNER.match(line[:LONGEST])):
            break
        if BANNER.match(line[:LONGEST]) and _indent(line) < indent:
            return _outer(get, index)
    return banner


def _indent(line: str | None) -> int:
    return len(line or "") - len((line or "").lstrip(" "))


def _announced(get: Get, banner: int) -> int:
    if COMPILING.match((get(banner - 1) or "")[:LONGEST]):
        return banner - 1
    for index in range(banner - 1, banner - ABOVE, -1):
        line = get(index)
        if line is None or FRAME.match(line[:LONGEST]) or BANNER.match(line[:LONGEST]):
            break
        if ANNOUNCED.match(line[:LONGEST]):
            return index
        if not BELOW_ANNOUNCED.match(line):
            break
    return banner


def _end_of_exception(get: Get, banner: int) -> int:
    """Return the end of the message, its stack, and what the logger tells of the process."""
    index = end = _end_of_message(get, banner)
    while (line := get(index)) is not None:
        words = line[:LONGEST]
        if not words.strip():
            index += 1
            if index - end > 2:
                break
            continue
        is_below = words[:1] == " " or CONTINUED.match(words)
        is_of_another = AFRESH.match(words) or begins_to_die(words, "elixir")
        if is_of_another or not is_below or (BANNER.match(words) and not words.startswith("  ")):
            break
        is_cause = BANNER.match(words) is not None
        index = end = _end_of_message(get, index) if is_cause else index + 1
    return end


def _end_of_message(get: Get, banner: int) -> int:
    """Return where the stack begins; without one, the end of the indented lines."""
    for index in range(banner + 1, banner + 1 + MAX_MESSAGE):
        line = get(index)
        if line is None or AFRESH.match(line) or HEAD_OF_REPORT.match(line):
            break
        words = line[:LONGEST]
        if FRAME.match(words) or CONTINUED.match(words) or (BANNER.match(words) and words.startswith(" ")):
            return index
        if ANNOUNCED.match(words) or BANNER.match(words):
            break
    return banner + 1


def _end_of_report(get: Get, index: int) -> int:
    return _end_of_lines(get, index + 1 if _tells_more(get(index) or "") else index)


def _end_of_lines(get: Get, index: int) -> int:
    end = index
    while (line := get(index)) is not None and index - end <= 2:
        words = line[:LONGEST]
        if HEAD_OF_REPORT.match(words) or AFRESH.match(words) or begins_to_die(words, "elixir"):
            break
        if words.strip() and not _DETAIL.match(words) and not ENDED.match(words):
            break
        index += 1
        end = index if words.strip() else end
    return end


def _tells_more(line: str) -> bool:
    """Say whether the line under the title of a report says what it is about."""
    return bool(line.strip()) and not AFRESH.match(line) and not HEAD_OF_REPORT.match(line)


def _end_of_calls(get: Get, index: int) -> int:
    end = index
    while (line := get(index)) is not None:
        words = line[:LONGEST]
        if not (CALL.match(words) or words.startswith("    ")) or AFRESH.match(words.strip()):
            break
        index += 1
        end = index
    return end
