"""What a PHP error says: the chain of exceptions with their frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiops_core import Frame, RaisedException
from aiops_detector_php._boxes import read_box
from aiops_detector_php._extent import Part, find_parts
from aiops_detector_php._frameworks import may_be_logged, read_logged
from aiops_detector_php._lines import (
    BOX,
    LONGEST,
    NEXT,
    ON_LINE,
    STACK,
    STACKTRACE,
    Head,
    find_named,
    is_uncaught,
    read_fatal,
    read_frame,
    read_named,
    read_object,
)

MAX_FRAMES = 200
"""Frames kept of one exception: those next to the raise and the outermost, half each."""
_MOST_MESSAGE = 8_000
IsOurs = Callable[[str], bool]


def read_exceptions(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return the exceptions of a block, the one that surfaced first."""

    def get(index: int) -> str | None:
        return lines[index] if 0 <= index < len(lines) else None

    hits = (index for index, line in enumerate(lines) if _may_hit(line))
    parts = next((found for hit in hits if (found := find_parts(get, hit))), [Part(0, 1, len(lines))])
    heads = [(_head(lines, part), part) for part in parts]
    if parts[0].form in {"named", "fatal"}:
        heads.reverse()  # the cause is printed first
    return tuple(
        RaisedException(
            head.type,
            head.message.strip()[:_MOST_MESSAGE],
            _frames(head, lines[part.body : part.end], is_ours),
            "cause" if index else "raised",
            index - 1,
        )
        for index, (head, part) in enumerate(heads)
    )


def _may_hit(line: str) -> bool:
    return bool(
        BOX.match(line)
        or STACK.search(line[-LONGEST:])
        or read_fatal(line)
        or read_object(line) is not None
        or may_be_logged(line)
    )


def _head(lines: Sequence[str], part: Part) -> Head:
    first = lines[part.head]
    if part.form == "box":
        return _boxed(lines, part)
    if part.form == "object":
        return _object(lines, part)
    if part.form == "logged":
        return read_logged(list(lines[part.head : part.body]))
    text = "\n".join([first, *lines[part.head + 1 : part.body]])
    text = _without_stack(text)
    if part.form == "fatal" and (fatal := read_fatal(text)) is not None:
        return _fatal(*fatal)
    found = NEXT.match(text)
    start = found.end() if found is not None else max(find_named(first), 0)
    return read_named(text[start:]) or Head("Exception", text[start:])


def _without_stack(text: str) -> str:
    lines = text.split("\n")
    while lines and (STACK.search(lines[-1]) or STACKTRACE.match(lines[-1])):
        lines.pop()
    return "\n".join(lines)


def _fatal(kind: str, text: str) -> Head:
    if is_uncaught(text) and (head := read_named(text)) is not None:
        return head if head.line else _placed(head.type, head.message)
    return _placed(kind, text)


def _placed(kind: str, text: str) -> Head:
    found = next(iter([*ON_LINE.finditer(text[-LONGEST:])][-1:]), None)
    if found is None:
        return Head(kind, text)
    return Head(
        kind, text[: max(len(text) - LONGEST, 0) + found.start()], found["file"], int(found["line"][:9])
    )


def _object(lines: Sequence[str], part: Part) -> Head:
    text = _without_stack("\n".join(lines[part.head : part.body]))
    head = read_object(text) or Head("Exception", text)
    return head._replace(message=head.message.replace('\\"', '"').replace("\\\\", "\\"))


def _boxed(lines: Sequence[str], part: Part) -> Head:
    found = BOX.match(lines[part.head])
    kind, message = read_box(list(lines[part.body : part.end]))
    return (
        Head(kind, message, found["file"], int(found["line"])) if found is not None else Head(kind, message)
    )


def _frames(head: Head, lines: Sequence[str], is_ours: IsOurs) -> tuple[Frame, ...]:
    """Return the frames: PHP tells where a function was called, so each name belongs a line lower."""
    calls = [call for line in lines if (call := read_frame(line)) is not None]
    if len(calls) > MAX_FRAMES:
        calls = [*calls[: MAX_FRAMES // 2], *calls[-MAX_FRAMES // 2 :]]
    if calls and not calls[-1].file and calls[-1].function == "{main}":
        calls.pop()
    places = [(head.file, head.line), *((call.file, call.line) for call in calls)]
    names = [*(call.function for call in calls), "{main}" if calls or head.line else ""]
    frames = [
        _frame(file, line, name, is_ours)
        for (file, line), name in zip(places, names, strict=True)
        if file or name != "{main}"
    ]
    return tuple(reversed(frames))


def _frame(file: str, line: int, name: str, is_ours: IsOurs) -> Frame:
    return Frame(file, line, name, in_app=is_ours(file))
