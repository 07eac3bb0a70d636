"""Where a PHP error begins and ends, and which exceptions it tells of."""

from __future__ import annotations

from typing import NamedTuple

from aiops_detector_php._boxes import boxes_at
from aiops_detector_php._frameworks import find_logged
from aiops_detector_php._lines import (
    BOX,
    CLOSING,
    LONGEST,
    NEXT,
    ON_LINE,
    PLACE,
    PREVIOUS,
    STACK,
    STACKTRACE,
    THROWN,
    UNNUMBERED,
    Get,
    find_named,
    is_shown_stack,
    is_uncaught,
    read_fatal,
    read_frame,
    read_named,
    read_object,
    starts_afresh,
)

MAX_MESSAGE = 48
"""Lines of one message looked through for what ends it."""
MAX_PARTS = 64
_LOOSE = 3
"""Lines an argument printed in a frame may add to it."""


class Part(NamedTuple):
    """One exception: the line that names it, its first frame, the line after the last."""

    head: int
    body: int
    end: int
    form: str = "named"
    """``named``, ``fatal``, ``object``, ``box`` or ``logged``."""


def find_parts(get: Get, hit: int) -> list[Part]:
    """Return the exceptions that this hit belongs to in the order printed, none for a false alarm."""
    line = get(hit) or ""
    if BOX.match(line):
        return [Part(box.start, box.start + 1, box.end, "box") for box in boxes_at(get, hit)]
    if read_object(line) is not None:
        return _objects(get, hit)
    fatal = read_fatal(line)
    if fatal is not None:
        return _fatal(get, hit, fatal[1])
    logged = find_logged(get, hit)
    if logged is not None:
        return [Part(logged.head, logged.body, _after_frames(get, logged.body), "logged")]
    return _bare(get, hit) if STACK.search(line[-LONGEST:]) else []


def end_of_parts(get: Get, parts: list[Part]) -> int:
    """Return the line after the error: where it was thrown, and its second printing, belong to it."""
    end = parts[-1].end
    if THROWN.match(get(end) or ""):
        end += 1
    if end > parts[0].head + 1 and parts[0].form == "named" and read_object(get(end - 1) or "") is not None:
        end = _objects(get, end - 1)[-1].end  # what Laravel logs as text, it logs as the context too
    if parts[0].form != "fatal":
        return end
    if (get(end) or "").startswith("PHP ") and STACK.search(get(end) or ""):
        end = _after_frames(get, end + 1)
    while is_shown_stack(get(end) or ""):
        end += 1
    return _after_second_printing(get, parts[0].head, end)


def _after_second_printing(get: Get, head: int, end: int) -> int:
    """Step over the same error as the command line shows it after it logged it."""
    first = read_fatal(get(head) or "")
    below = end
    while below < end + 2 and (line := get(below)) is not None and not line.strip():
        below += 1
    if first is None or below == end or read_fatal(get(below) or "") != first:
        return end
    for index in range(1, end - head):
        line, again = get(head + index), get(below + index)
        if line is not None and line.removeprefix("PHP ") != (again or "").removeprefix("PHP "):
            return end
    return below + end - head


def _fatal(get: Get, hit: int, text: str) -> list[Part]:
    if not is_uncaught(text):
        end = _end_of_plain(get, hit)
        if end is None:
            return []
        body = end + 1 if STACK.search(get(end) or "") else end
        return [Part(hit, body, _after_frames(get, body), "fatal")]
    stack = _stack_below(get, hit)
    if stack is None:
        end = _end_of_plain(get, hit)
        return [Part(hit, end or hit + 1, end or hit + 1, "fatal")]
    return _chain(get, Part(hit, stack + 1, _after_frames(get, stack + 1), "fatal"))


def _end_of_plain(get: Get, hit: int) -> int | None:
    """Return the line after an error without a stack: it ends with its place."""
    for index in range(hit, hit + MAX_MESSAGE):
        line = get(index)
        if line is None or (index > hit and (starts_afresh(line) or not line.strip())):
            return None
        if ON_LINE.search(line[-LONGEST:]) or (PLACE.search(line[-LONGEST:]) and index == hit):
            return index + 1
    return None


def _stack_below(get: Get, head: int) -> int | None:
    for index in range(head + 1, head + MAX_MESSAGE):
        line = get(index)
        if line is None:
            return None
        if STACK.search(line[-LONGEST:]):
            return index
        if starts_afresh(line) or THROWN.match(line) or read_fatal(line) is not None:
            return None
    return None


def _bare(get: Get, stack: int) -> list[Part]:
    """Read an exception that was printed as text: the words above its stack name it."""
    if read_frame(get(stack + 1) or "") is None:
        return []
    head = _head_above(get, stack)
    if head is None:
        return []
    return _chain(get, Part(head, stack + 1, _after_frames(get, stack + 1)))


def _head_above(get: Get, stack: int) -> int | None:
    nearest = None
    for index in range(stack - 1, stack - MAX_MESSAGE, -1):
        line = get(index)
        if line is None or read_frame(line) is not None or STACK.search(line[-LONGEST:]):
            break
        if index == stack - 1 and not PLACE.search(line[-LONGEST:]):
            return index if starts_afresh(line) and find_named(line) >= 0 else None
        if find_named(line) >= 0:
            nearest = index
            if starts_afresh(line) or _is_sure(line):
                break
        elif starts_afresh(line):
            break
    return nearest


def _is_sure(line: str) -> bool:
    head = read_named(line[find_named(line) :])
    return head is not None and head.type.endswith(("Exception", "Error"))


def _chain(get: Get, first: Part) -> list[Part]:
    """Follow ``Next Type: …``: PHP prints the cause first."""
    parts = [first]
    while len(parts) < MAX_PARTS:
        index = parts[-1].end
        while index < parts[-1].end + 3 and (line := get(index)) is not None and not line.strip():
            index += 1
        if not NEXT.match(get(index) or "") or (stack := _stack_below(get, index)) is None:
            break
        parts.append(Part(index, stack + 1, _after_frames(get, stack + 1)))
    return parts


def _after_frames(get: Get, index: int) -> int:
    """Return the line after the frames, which are numbered; arguments in them may hold line ends."""
    end, number = index, None
    while (line := get(index)) is not None and index <= end + _LOOSE:
        call = read_frame(line)
        is_next = call is not None and (number is None or call.number in {number + 1, UNNUMBERED})
        if is_next and call is not None:
            number = call.number
            end = index + 1
            if call.function == "{main}" and not call.file:
                break
        elif number is None or _ends_stack(line):
            break
        index += 1
    return end


def _ends_stack(line: str) -> bool:
    is_record = line.startswith("PHP ") or starts_afresh(line)
    return (
        is_record or not line.strip() or bool(THROWN.match(line) or NEXT.match(line) or CLOSING.match(line))
    )


def _objects(get: Get, hit: int) -> list[Part]:
    """Read what Monolog writes: each exception with its stack in one JSON string over many lines."""
    parts: list[Part] = []
    index = hit
    while len(parts) < MAX_PARTS:
        stack = _stacktrace_below(get, index)
        if stack is None:
            break
        end = _after_frames(get, stack + 1)
        parts.append(Part(index, stack + 1, end, "object"))
        below = end
        while below < end + 3 and (line := get(below)) is not None and not line.strip():
            below += 1
        if not (get(below) or "").lstrip().startswith(PREVIOUS):
            return [*parts[:-1], parts[-1]._replace(end=_after_closing(get, end, below))]
        index = below
    return parts or [Part(hit, hit + 1, hit + 1, "object")]


def _after_closing(get: Get, end: int, below: int) -> int:
    return below + 1 if CLOSING.match(get(below) or "") else end


def _stacktrace_below(get: Get, head: int) -> int | None:
    if (get(head) or "").rstrip().endswith(("}", "]")):
        return None
    for index in range(head + 1, head + MAX_MESSAGE):
        line = get(index)
        if line is None or starts_afresh(line):
            return None
        if STACKTRACE.match(line):
            return index
    return None
