"""Read the exceptions out of the lines of one block."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, field

from aiops_core import Frame, RaisedException, parse_envelope, replace
from aiops_detector_python._extent import end_of_flat
from aiops_detector_python._lines import (
    ATHERIS,
    CARETS,
    CONNECTORS,
    FATAL,
    FLAT_FRAME,
    FRAME,
    GROUP_HEADER,
    HEADER,
    LEAD,
    MARGIN,
    MARKED,
    QUOTES,
    REPEATED,
    SAID_IN_GROUP,
    SECTION,
    Link,
    is_indented,
    match_exception,
)
from aiops_detector_python._paths import module_of

INCOMPLETE = "Traceback"
"""Type of a traceback whose last line never came."""

_MOST_EXCEPTIONS = 64
_MOST_FRAMES = 200
_MOST_MESSAGE = 8_000
IsOurs = Callable[[str], bool]


class _Part(Struct):
    """One exception as printed; ``link`` says how the one printed after it came of it."""

    lines: list[str] = field(default_factory=list)
    members: list[list[_Part]] = field(default_factory=list)
    link: Link = "context"


class _Reader:
    """Go through the lines once, level of the group by level."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0

    def read_parts(self, column: int, *, is_top: bool) -> list[_Part]:
        """Read one chain; inside a group its lines have a ``|`` in this column."""
        parts = [_Part()]
        while self._at < len(self._lines):
            line = self._lines[self._at]
            text = _own_text(line, column, is_top=is_top)
            if text is None:
                if line[column : column + 3] != "+-+":
                    return parts
                parts[-1].members = self._read_members(column + 2)
                continue
            self._at += 1
            if link := CONNECTORS.get(text.strip()):
                parts[-1].link = link
                parts.append(_Part())
            else:
                parts[-1].lines.append(text)
        return parts

    def _read_members(self, column: int) -> list[list[_Part]]:
        members = []
        is_last = False
        while self._at < len(self._lines) and not is_last:
            self._at += 1
            members.append(self.read_parts(column, is_top=False))
            rule = self._lines[self._at][column:] if self._at < len(self._lines) else ""
            is_last = not any(letter.isdigit() or letter == "." for letter in rule)
            if is_last and rule.startswith("+-"):
                self._at += 1
        return members


def _own_text(line: str, column: int, *, is_top: bool) -> str | None:
    """Return a line without the margin of its group, None when it is of another level."""
    mark = line[column : column + 2] if column >= 0 and not line[:column].strip() else ""
    if mark[:1] == "|" or mark == "+ ":
        return line[column + 2 :]
    return line if is_top and mark != "+-" else None


def read_exceptions(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return the exceptions of a traceback, the one that surfaced first."""
    if found := FATAL.match(lines[0]):
        kind, message = found[1] or found[3], found[2] or found[4]
        return (RaisedException(kind, message or "", _fatal_frames(lines, is_ours)),)
    column = _margin_column(lines)
    parts = _Reader(_with_margins(lines) if column >= 0 else lines).read_parts(column, is_top=True)
    exceptions: list[RaisedException] = []
    _collect(parts, "raised", -1, exceptions, is_ours)
    return tuple(exceptions)


def complete(raised: RaisedException, headline: str) -> RaisedException:
    """Return an exception whose last line never came with what the logging line above it names.

    AWS Lambda prints type and message there, and only the frames below.
    """
    found = (
        match_exception(headline[parse_envelope(headline).length :]) if raised.type == INCOMPLETE else None
    )
    return replace(raised, type=found[1], message=found[2] or "") if found else raised


def _margin_column(lines: Sequence[str]) -> int:
    for index, line in enumerate(lines):
        if GROUP_HEADER.match(line):
            following = lines[index + 1] if index + 1 < len(lines) else ""
            found = MARGIN.match(following) or MARGIN.match(line)
            return found.end() - 1 if found else -1
    return -1


def _with_margins(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines of a group with the margin that is not set before what a message goes on in."""
    begin = next(index for index, line in enumerate(lines) if GROUP_HEADER.match(line))
    end = max((index for index, line in enumerate(lines) if MARGIN.match(line)), default=0)
    set_off = list(lines)
    margin = ""
    for index in range(begin + 1, end):
        if not MARGIN.match(lines[index]):
            set_off[index] = margin + lines[index]
        elif said := SAID_IN_GROUP.match(lines[index]):
            margin = said[1]
    return set_off


def _collect(
    parts: list[_Part], link: str, parent: int, exceptions: list[RaisedException], is_ours: IsOurs
) -> None:
    for part in reversed(parts):
        if len(exceptions) >= _MOST_EXCEPTIONS:
            return
        index = len(exceptions)
        exceptions.append(_read_part(part.lines, part.link if link == "" else link, parent, is_ours))
        for member in part.members:
            _collect(member, "member", index, exceptions, is_ours)
        link, parent = "", index


def _read_part(lines: list[str], link: str, parent: int, is_ours: IsOurs) -> RaisedException:
    at = next((n for n, line in enumerate(lines) if HEADER.match(line) or FRAME.search(line)), 0)
    lines = _indented(lines, at + 1)
    frames: list[Frame] = []
    above = match_exception(lines[at - 1]) if at > 1 and ATHERIS.match(lines[at - 2]) else None
    kind, message = (above[1], above[2] or "") if above else (INCOMPLETE, "")
    while at < len(lines):
        line = lines[at]
        at += 1
        if found := FRAME.search(line) if is_indented(line) or MARKED.match(line) or not frames else None:
            frames.append(_frame(found[1], found[2], found[3], _code(lines, at), is_ours))
        elif is_indented(line) or not line or HEADER.match(line) or LEAD.search(line):
            continue
        elif raised := match_exception(line):
            kind, message = raised[1], _message(raised[2] or "", lines[at:])
            break
    return RaisedException(kind, message, _shortened(frames), link, parent)  # type: ignore[arg-type]


def _indented(lines: list[str], at: int) -> list[str]:
    """Return the lines with the indentation that the frames from ``at`` on have lost."""
    if at >= len(lines) or not FLAT_FRAME.match(lines[at]):
        return lines
    end = end_of_flat(lambda index: lines[index] if index < len(lines) else None, at)
    flat = (f"  {line}" if FLAT_FRAME.match(line) else f"    {line}" for line in lines[at:end])
    return [*lines[:at], *flat, *lines[end:]]


def _code(lines: list[str], at: int) -> str:
    """Return the first line of source printed below a frame."""
    if at >= len(lines):
        return ""
    line = lines[at]
    if not is_indented(line) or FRAME.match(line) or CARETS.match(line) or REPEATED.match(line):
        return ""
    return line.strip()[:500]


def _frame(file: str, line: str, function: str | None, code: str, is_ours: IsOurs) -> Frame:
    return Frame(
        file=file,
        line=int(line) if line.isdigit() else 0,
        function=(function or "").strip(),
        module=module_of(file),
        in_app=is_ours(file),
        code=code,
    )


def _message(first: str, rest: list[str]) -> str:
    lines = [first.rstrip()]
    for line in rest:
        if line == QUOTES or SECTION.match(line):
            break
        lines.append(line.rstrip())
    return "\n".join(lines).strip()[:_MOST_MESSAGE]


def _shortened(frames: list[Frame]) -> tuple[Frame, ...]:
    """Keep both ends of a very deep stack."""
    if len(frames) > _MOST_FRAMES:
        half = _MOST_FRAMES // 2
        return (*frames[:half], *frames[-half:])
    return tuple(frames)


def _fatal_frames(lines: Sequence[str], is_ours: IsOurs) -> tuple[Frame, ...]:
    """Read the stack of the thread that failed; the interpreter prints its last call first."""
    start = next((n for n, line in enumerate(lines) if line.startswith("Current thread ")), 0)
    frames: list[Frame] = []
    for line in lines[start + 1 :]:
        if found := FRAME.match(line):
            frames.append(_frame(found[1], found[2], found[3], "", is_ours))
        elif frames and not is_indented(line):
            break
    return _shortened(frames[::-1])
