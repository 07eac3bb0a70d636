"""What a JavaScript stack trace says: the errors with their frames, causes and members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct, field

from aiops_core import Frame, RaisedException, lazy_pattern, parse_envelope
from aiops_detector_javascript._failed_test import untitled
from aiops_detector_javascript._frames import (
    NAMELESS_CODE,
    Call,
    begins_gecko,
    follows_frame,
    is_bare_name,
    path_of,
    read_at,
    read_bare,
    read_gecko,
)
from aiops_detector_javascript._heads import (
    AFTERMATH,
    CARETS,
    CAUSE,
    COMPONENTS,
    FATAL,
    HEAP,
    Head,
    indent_of,
    read_head,
    read_head_within,
)
from aiops_detector_javascript._opera import message_of, read_opera

MAX_FRAMES = 200
"""Frames kept of one error: those next to the throw and the outermost, half each."""
_MEMBERS = lazy_pattern(r"\s*\[errors\]: \[")
_MEMBER = lazy_pattern(r"\[?[A-Za-z]")
_CODE = lazy_pattern(r"\s+code: '([^']{1,80})'")
_ASIDE = lazy_pattern(r"\s*(?:Emitted '.*' event |Thrown at:)")
_LOOSE_AT = lazy_pattern(r"\s+at (?:async )?(\S.{0,200}?)[ ,{]*$")
_NUMBERED = lazy_pattern(r"\s*>?\s*\d+ +\|")
"""A line of a drawing of the source."""
Link = Literal["raised", "cause", "member"]


class Part(Struct):
    """One error as its lines are read.

    ``expects`` says what its next line may be: more of the message, a frame, a frame that tells
    of another place than the throw, or a property.
    """

    head: Head
    indent: int = 0
    link: Link = "raised"
    parent: int = -1
    calls: list[Call] = field(default_factory=list)
    expects: Literal["message", "frames", "aside", "properties"] = "message"


def read_parts(lines: Sequence[str], prefix: str = "", headline: str = "") -> list[Part]:
    """Read the errors of a block, the one that surfaced first.

    ``prefix`` is what the host took for the envelope of the first line; it may hold a name.
    """
    lines = untitled((prefix + lines[0], *lines[1:]))
    first = next((line for line in lines if read_at(line) or read_gecko(line)), "")
    if read_gecko(first) is not None:
        return [_gecko_part(lines, headline)]
    if not first and any(read_opera(line) for line in lines[:3]):
        return [_opera_part(lines)]
    start = _head_index(lines)
    parts = [_first_part(lines[start], "" if start else prefix, is_under_source=start > 0)]
    groups: list[tuple[int, int]] = []
    for line in lines[start + 1 :]:
        _read(parts, groups, line)
    for part in parts:
        part.head = part.head._replace(message=_without_source(part.head.message.strip()))
    return parts


def to_exceptions(parts: Sequence[Part], is_ours: Callable[[str], bool]) -> tuple[RaisedException, ...]:
    """Turn the parts into records."""
    return tuple(
        RaisedException(
            part.head.type, part.head.message, _frames(part.calls, is_ours), part.link, part.parent
        )
        for part in parts
    )


def _read(parts: list[Part], groups: list[tuple[int, int]], line: str) -> None:
    """Read one line; ``groups`` are the open lists of members: indentation and owner."""
    indent = indent_of(line)
    while groups and line.strip() and indent <= groups[-1][0]:
        groups.pop()
    if _MEMBERS.match(line):
        groups.append((indent, _owner(parts, indent)))
    elif (cause := CAUSE.match(line)) is not None:
        parts.append(_part(cause[2], indent, "cause", _owner(parts, indent)))
    elif groups and indent == groups[-1][0] + 2 and _MEMBER.match(line, indent):
        parts.append(_part(line.strip(), indent, "member", groups[-1][1]))
    else:
        _read_within(parts[-1], line)


def _read_within(part: Part, line: str) -> None:
    call = read_at(line) or (_loose_call(line) if part.expects == "frames" else None)
    if call is None:
        _read_text(part, line)
        return
    if part.expects in {"message", "frames"}:
        part.calls.append(call)
        part.expects = "frames"
    if line.rstrip().endswith("{"):
        part.expects = "properties"


def _read_text(part: Part, line: str) -> None:
    if AFTERMATH.match(line):
        part.expects = "aside"
    elif part.expects == "message":
        part.head = part.head._replace(message=f"{part.head.message}\n{line.rstrip()}")
    elif part.expects == "frames" and _ASIDE.match(line):
        part.expects = "aside"
    elif part.expects == "properties" and not part.head.code and (code := _CODE.match(line)) is not None:
        part.head = part.head._replace(code=code[1])


def _gecko_part(lines: Sequence[str], headline: str) -> Part:
    """Read ``fn@file:1:2`` frames, and the message above them where there is one."""
    body = next((index for index, line in enumerate(lines) if begins_gecko(line)), len(lines))
    if (
        lines[body : body + 1]
        and lines[body].strip() in NAMELESS_CODE
        and all(map(is_bare_name, lines[:body]))
    ):
        body = 0
    part = (
        _part(lines[0], 0)
        if body
        else Part(read_head_within(headline) or Head("Error", _without_envelope(headline)))
    )
    message = "\n".join([part.head.message, *lines[1:body]]).partition(COMPONENTS)[0]
    part.head = part.head._replace(message=message.strip())
    for line in lines[body:]:
        call = line if body else _without_envelope(line)
        part.calls.append(read_gecko(call) or read_bare(call) or Call(call.strip(), "", 0, 0))
    return part


def _opera_part(lines: Sequence[str]) -> Part:
    """Read a stack of Opera's own engine."""
    calls = [call for line in lines if (call := read_opera(line)) is not None]
    return Part(Head("Error", message_of(lines[0])), calls=calls)


def _without_envelope(text: str) -> str:
    return text[parse_envelope(text).length :].strip()


def _owner(parts: Sequence[Part], indent: int) -> int:
    """Return the nearest error printed further out, else the last."""
    inner = range(len(parts) - 1, -1, -1)
    return next((index for index in inner if parts[index].indent < indent), len(parts) - 1)


def _part(text: str, indent: int, link: Link = "raised", parent: int = -1) -> Part:
    head = read_head(text)
    if head is None or not (head.is_known or text.lstrip("[ ")[:1].isupper()):
        head = read_head_within(text) or Head("Error", _without_envelope(text.strip()))
    part = Part(head, indent, link, parent)
    if text.rstrip(" ,").endswith(("{", "[", "]")):
        part.expects = "properties"
    return part


def _first_part(line: str, prefix: str, *, is_under_source: bool) -> Part:
    own = read_head(line[len(prefix) :])
    is_named_by_own = own is not None and own.is_known and not (read_head(line) or read_head_within(line))
    part = _part(line[len(prefix) :] if is_named_by_own else line, indent_of(line))
    if prefix and part.head.message == line.strip():
        part.head = part.head._replace(message=line[len(prefix) :].strip())
    if part.head.type == FATAL:
        part.expects = "aside"
    elif is_under_source and read_head(line) is None:
        part.head = Head("Uncaught", line.strip())  # thrown, but no error
    return part


def _head_index(lines: Sequence[str]) -> int:
    """Return the line that names the error: the one under the caret, where there is one."""
    for index, line in enumerate(lines[:24]):
        if HEAP.match(line):
            return index
        if read_at(line) is not None:
            break
        if CARETS.match(line) and index:
            below = next((at for at in range(index + 1, len(lines)) if lines[at].strip()), 0)
            is_head = read_at(lines[below]) is None and not _NUMBERED.match(lines[below])
            return below if is_head else 0
    return 0


def _without_source(message: str) -> str:
    """Leave out the line of source and its caret that Deno prints between message and frames."""
    lines = message.rstrip().split("\n")
    return "\n".join(lines[:-2] if len(lines) > 2 and CARETS.match(lines[-1]) else lines)


def _loose_call(line: str) -> Call | None:
    """Read what is a call only because it stands among calls."""
    match = _LOOSE_AT.match(line) if follows_frame(line) else None
    return Call(match[1], "", 0, 0) if match is not None else None


def _frames(calls: Sequence[Call], is_ours: Callable[[str], bool]) -> tuple[Frame, ...]:
    if len(calls) > MAX_FRAMES:
        calls = [*calls[: MAX_FRAMES // 2], *calls[-MAX_FRAMES // 2 :]]
    return tuple(_frame(call, is_ours) for call in reversed(calls))


def _frame(call: Call, is_ours: Callable[[str], bool]) -> Frame:
    path = path_of(call.file)
    return Frame(path, call.line, call.function, column=call.column, in_app=is_ours(path))
