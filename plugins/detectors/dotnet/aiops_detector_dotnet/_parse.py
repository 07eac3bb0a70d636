"""What a .NET stack trace says: the chain of exceptions with their frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct, field

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_dotnet._extent import end_of_trace, find_head, is_inline
from aiops_detector_dotnet._lines import (
    INNER_WITHIN,
    MEMBER_END,
    OVERFLOW,
    STACK_TITLE,
    TEST_TITLE,
    TRAILER,
    Call,
    Head,
    ends_inner,
    follows_frame,
    indent_of,
    is_data,
    read_frame,
    read_head,
    read_head_within,
    read_inner,
)

MAX_FRAMES = 200
"""Frames kept of one exception: those next to the raise and the outermost, half each."""
UNKNOWN = "Exception"
_MOST_EXCEPTIONS = 64
_MOST_MESSAGE = 8_000
_AT = lazy_pattern(r" {2,}(?=at [^\s().]+\.[^\s()]+ ?\()| (?=---> )| {2,}(?=--- End of )")
_RESUMED = lazy_pattern(
    r"(?P<module>.*)\.(?:<(?P<name>.+)>d(?:__\d+)?|VB\$StateMachine_\d+_(?P<basic>\w+))(?:`\d+)?(?:\[.*\])?$"
)
"""The class the compiler makes of an asynchronous method, or of one that yields."""
IsOurs = Callable[[str], bool]
Link = Literal["raised", "cause", "member"]


class _Part(Struct):
    """One exception as its lines are read."""

    head: Head
    parent: int = -1
    is_member: bool = False
    is_open: bool = True
    number: int = -1
    message: list[str] = field(default_factory=list)
    frames: list[Call] = field(default_factory=list)


class _Reader:
    """Go through the lines once; an inner exception is open until its stack ends."""

    def __init__(self, head: Head, indent: int) -> None:
        self.parts = [_Part(head)]
        self._indent = indent
        self._open: list[int] = [0]
        self._in_message = True

    def read(self, line: str) -> None:
        """Take in one line."""
        part = self.parts[self._open[-1]]
        inner = read_inner(line)
        if inner is not None:
            self._begin(inner.number, inner.text)
        elif (call := read_frame(line)) is not None:
            part.frames.append(call)
            self._in_message = False
            if line.rstrip().endswith(MEMBER_END):
                self._close()
        elif line.strip() == MEMBER_END:
            self._close()
        elif ends_inner(line, self._indent):
            self._in_message = False
            self._close()
        elif self._in_message and not follows_frame(line):
            self._message(line)

    def begin_within(self, text: str) -> None:
        """Take in the inner exceptions that older runtimes print in the line of the outer one."""
        for one in text.split(INNER_WITHIN):
            self._begin(-1, one)

    def _begin(self, number: int, text: str) -> None:
        if len(self.parts) >= _MOST_EXCEPTIONS:
            return
        is_member = number >= 0
        if is_member:
            del self._open[1:]
        first, *further = text.split(INNER_WITHIN)
        head = read_head(first) or Head(UNKNOWN, first)
        self.parts.append(_Part(head, self._open[-1], is_member, number=number))
        self._open.append(len(self.parts) - 1)
        self._in_message = True
        for one in further:
            self._begin(-1, one)

    def _close(self) -> None:
        if len(self._open) > 1:
            self._open.pop()

    def _message(self, line: str) -> None:
        if TRAILER.match(line) or is_data(line) or STACK_TITLE.match(line):
            return
        text, mark, inner = line.partition(INNER_WITHIN)
        self.parts[self._open[-1]].message.append(text)
        if mark:
            self._begin(-1, inner)


def read_exceptions(lines: Sequence[str], prefix: str, is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return the exceptions of a block, the one that surfaced first."""
    if len(lines) == 1 and is_inline(lines[0]):
        lines = _unfolded(prefix + lines[0])
    index, end = _extent(lines)
    head = _head(lines[index], prefix if index == 0 else "")
    is_own = head is not None
    is_nameless = read_frame(lines[index]) is not None or TEST_TITLE.match(lines[index]) is not None
    head = head or Head(UNKNOWN, "" if is_nameless else lines[index].strip())
    message, _, inner = head.message.partition(INNER_WITHIN)
    reader = _Reader(head._replace(message=message), indent_of(lines[index]))
    if inner:
        reader.begin_within(inner)
    for line in lines[index + (is_own or read_frame(lines[index]) is None) : end]:
        reader.read(line)
    parts = _without_repetition(reader.parts)
    return tuple(_raised(part, is_ours) for part in parts)


def _unfolded(line: str) -> list[str]:
    """Put the frames of a trace in one line on lines of their own."""
    first, *rest = _AT.split(line)
    return [first, *(f"   {one}" if not one.startswith("--->") else f" {one}" for one in rest)]


def _extent(lines: Sequence[str]) -> tuple[int, int]:
    """Return the line that names the exception, and where its trace ends for the first time."""

    def get(index: int) -> str | None:
        return lines[index] if 0 <= index < len(lines) else None

    for hit, line in enumerate(lines):
        if read_frame(line) is not None and (head := find_head(get, hit)) is not None:
            end = end_of_trace(get, head) or len(lines)
            again = next(
                (at for at in range(head + 1, end) if lines[at].startswith("[ERROR] FATAL UNHANDLED")), end
            )
            return head, again
    return 0, len(lines)


def _head(line: str, prefix: str) -> Head | None:
    if read_frame(line) is not None or TEST_TITLE.match(line):
        return None
    if OVERFLOW.match(line):
        return Head("StackOverflowException", line.strip())
    head = read_head(line)
    if head is not None and head.is_known:
        return head
    within = read_head_within(line)
    if within is not None:
        return within
    if prefix and (whole := read_head_within(prefix + line)) is not None:
        return whole
    return head


def _without_repetition(parts: list[_Part]) -> list[_Part]:
    """Leave out the first inner exception of an aggregate, which is printed once more as its member."""
    members = {part.parent: part for part in reversed(parts) if part.is_member and part.number == 0}
    dropped = {
        index
        for index, part in enumerate(parts)
        if not part.is_member
        and (member := members.get(part.parent)) is not None
        and member.head == part.head
    }
    if not dropped:
        return parts
    for index in range(len(parts)):
        if parts[index].parent in dropped:
            dropped.add(index)
    kept = [index for index in range(len(parts)) if index not in dropped]
    moved = {old: new for new, old in enumerate(kept)}
    for index in kept:
        parts[index].parent = moved.get(parts[index].parent, -1)
    return [parts[index] for index in kept]


def _raised(part: _Part, is_ours: IsOurs) -> RaisedException:
    message = "\n".join([part.head.message.rstrip(), *(line.strip() for line in part.message)]).strip()
    link: Link = "raised" if part.parent < 0 else "member" if part.is_member else "cause"
    return RaisedException(
        part.head.type, message[:_MOST_MESSAGE], _frames(part.frames, is_ours), link, part.parent
    )


def _frames(calls: list[Call], is_ours: IsOurs) -> tuple[Frame, ...]:
    if len(calls) > MAX_FRAMES:
        calls = [*calls[: MAX_FRAMES // 2], *calls[-MAX_FRAMES // 2 :]]
    return tuple(_frame(call, is_ours) for call in reversed(calls))


def _frame(call: Call, is_ours: IsOurs) -> Frame:
    method = call.method.rpartition(") ")[2]
    module, dot, function = method.rpartition(".")
    if method.endswith((".ctor", ".cctor")):
        module, dot, function = method.rpartition("..")
        function = f".{function}"
    if function == "MoveNext" and (found := _RESUMED.match(module)) is not None:
        module, function = found["module"], found["name"] or found["basic"]
    return Frame(call.file, call.line, function, module if dot else "", in_app=is_ours(method))
