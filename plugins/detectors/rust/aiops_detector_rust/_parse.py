"""What a Rust panic or error report says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, field

from aiops_core import Frame, RaisedException, parse_envelope
from aiops_detector_rust._drawn import read_drawing
from aiops_detector_rust._extent import Report, find_reports
from aiops_detector_rust._libraries import RAISING
from aiops_detector_rust._lines import (
    ALLOCATION,
    BACKTRACE,
    CAUSED,
    CHAINED,
    CRASHED,
    EMBARRASSED,
    FIRST_CALL,
    LOCATION,
    OVERFLOWED,
    RUNTIME,
    SECTION,
    Call,
    Place,
    is_afterword,
    is_drawn,
    is_heading,
    is_indented,
    names_error,
    read_calls,
    read_debugged,
    read_panic,
    read_place,
    split_place,
)

MAX_FRAMES = 200
"""Frames kept of one report: those next to the raise and the outermost, half each."""
_MOST_ERRORS = 64
_MOST_MESSAGE = 8_000
IsOurs = Callable[[str, str], bool]
"""Say whether a function, or the file it stands in, is the user's own."""


class Said(Struct):
    """What one report says."""

    type: str
    message: str
    place: Place | None = None
    causes: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    thread: str = ""


def read_reports(lines: Sequence[str], prefix: str) -> list[Said]:
    """Return what the reports of a block say, in the order printed."""

    def get(index: int) -> str | None:
        return lines[index] if 0 <= index < len(lines) else None

    hits = sorted(range(len(lines)), key=lambda at: not is_drawn(lines[at]))
    reports = next((found for hit in hits if (found := find_reports(get, hit))), [])
    return [_said(lines, report, prefix) for report in reports or [Report(0, 1, len(lines))]]


def to_exceptions(said: Sequence[Said], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return the chain: causes of an error, or the panics raised while the first unwound."""
    first = said[0]
    exceptions = [RaisedException(first.type, first.message[:_MOST_MESSAGE], _frames(first, is_ours))]
    for cause in first.causes[:_MOST_ERRORS]:
        message = cause.strip()[:_MOST_MESSAGE]
        exceptions.append(RaisedException("Error", message, (), "cause", len(exceptions) - 1))
    for further in said[1:]:
        frames = _frames(further, is_ours)
        exceptions.append(
            RaisedException(further.type, further.message[:_MOST_MESSAGE], frames, "context", 0)
        )
    return tuple(exceptions)


def _said(lines: Sequence[str], report: Report, prefix: str) -> Said:
    if report.is_drawn:
        return _drawn(lines[report.start : report.end])
    first = lines[report.start]
    message = [line.rstrip() for line in lines[report.start + 1 : report.body]]
    rest = list(lines[report.body : report.end])
    panic = read_panic(first)
    if panic is not None:
        text = "\n".join([panic.rest, *message]) if panic.is_quoted else panic.rest
        told, place = split_place(text)
        said = Said("panic", told or "\n".join(message).strip(), place, thread=panic.thread)
    elif (found := OVERFLOWED.search(first)) is not None:
        said = Said("stack overflow", found[0].strip(), thread=found["thread"])
    elif EMBARRASSED.match(first):
        said = Said("panic", next((line for line in message if line), ""))
    elif CRASHED.match(first):
        said = _crash(message)
    elif (found := RUNTIME.match(first)) is not None:
        return Said("fatal runtime error", found["message"].strip(), calls=_calls(rest))
    elif (found := ALLOCATION.match(first)) is not None:
        return Said("out of memory", found["message"], calls=_calls(rest))
    else:
        return _error(lines[report.start : report.end], prefix)
    said.calls = _calls(rest)
    return said


def _drawn(lines: Sequence[str]) -> Said:
    """Read a report of miette or error-stack."""
    errors = read_drawing(lines)
    if not errors:
        return Said("Error", lines[0].strip())
    first, *causes = errors
    return Said("Error", first.message, first.place, [one.message for one in causes])


def _crash(lines: Sequence[str]) -> Said:
    """Read the message and the place that color-eyre tells."""
    message: list[str] = []
    place = None
    for line in lines:
        if line.startswith("Location:"):
            place = read_place(line.partition(":")[2].strip())
        else:
            message.append(line.removeprefix("Message:").strip() if line.startswith("Message:") else line)
    return Said("panic", "\n".join(message).strip(), place)


def _error(lines: Sequence[str], prefix: str) -> Said:
    first = lines[0]
    is_title = names_error(first) or not first.startswith(" ")
    text = first[parse_envelope(first).length :] if is_title else ""
    if names_error(text):
        text = text.partition(":")[2].strip()
    elif not text and prefix:
        text = ""
    index = 1 if is_title else 0
    message = [text] if text.strip() else []
    while message and index < len(lines) and lines[index].strip() and not _ends_text(lines[index]):
        message.append(lines[index].rstrip())
        index += 1
    sections = _Sections()
    for line in lines[index:]:
        sections.read(line)
    chain = sections.chain if message else sections.top
    causes = chain if message else [*chain[1:], *sections.chain]
    said = "\n".join(message) or (chain[0] if chain else "")
    kind = read_debugged(said) or "Error"
    return Said(kind, said.strip(), sections.place, causes, sections.calls())


def _ends_text(line: str) -> bool:
    return is_heading(line) or is_afterword(line) or CHAINED.match(line) is not None


class _Sections:
    """The sections of an error report."""

    def __init__(self) -> None:
        self.top: list[str] = []
        self.chain: list[str] = []
        self.place: Place | None = None
        self._backtrace: list[str] = []
        self._spans: list[str] = []
        self._in = "top"

    def read(self, line: str) -> None:
        """Take in one line."""
        heading = SECTION.match(line)
        if heading is not None:
            self._in = "spans" if heading["name"] == "SPANTRACE" else "backtrace"
        elif BACKTRACE.match(line):
            self._in = "backtrace"
        elif CAUSED.match(line):
            self._in = "chain"
        elif LOCATION.match(line):
            self._in = "place"
        elif is_heading(line) or is_afterword(line):
            self._in = "other"
        elif line.strip():
            self._take(line)

    def calls(self) -> list[Call]:
        """Return the calls of the backtrace, else those of the spans."""
        return read_calls(self._backtrace) or read_calls(self._spans)

    def _take(self, line: str) -> None:
        if self._in == "place":
            self.place = self.place or read_place(line.strip())
        elif self._in == "backtrace":
            self._backtrace.append(line)
        elif self._in == "spans":
            self._spans.append(line)
        elif self._in in {"top", "chain"} and is_indented(line):
            _add(self.top if self._in == "top" else self.chain, line)


def _add(chain: list[str], line: str) -> None:
    found = CHAINED.match(line)
    if found is not None:
        chain.append(found["message"].strip())
    elif chain:
        chain[-1] += f"\n{line.strip()}"
    else:
        chain.append(line.strip())


def _calls(lines: list[str]) -> list[Call]:
    """Read the backtrace below a panic; spans stand for it where there is none."""
    if lines and FIRST_CALL.match(lines[0]):
        return read_calls(lines)
    sections = _Sections()
    for line in lines:
        sections.read(line)
    return sections.calls()


def _frames(said: Said, is_ours: IsOurs) -> tuple[Frame, ...]:
    calls = said.calls
    start = next((index for index, call in enumerate(calls) if not RAISING.match(call.name)), 0)
    calls = calls[start:]
    if not calls and said.place is not None:
        calls = [Call("", said.place)]
    if len(calls) > MAX_FRAMES:
        calls = [*calls[: MAX_FRAMES // 2], *calls[-MAX_FRAMES // 2 :]]
    return tuple(_frame(call, is_ours) for call in reversed(calls))


def _frame(call: Call, is_ours: IsOurs) -> Frame:
    module, function = split_name(call.name)
    place = call.place or Place("", 0, 0)
    return Frame(
        place.file, place.line, function, module, place.column, in_app=is_ours(call.name, place.file)
    )


def split_name(name: str) -> tuple[str, str]:
    """Split a path before the function; closures belong to the function they are in."""
    name = name.partition(" with ")[0]
    end = len(name)
    while (cut := name.rfind("::{", 0, end)) > 0 and name.endswith("}", 0, end):
        end = cut
    depth = 0
    for index in range(end - 1, 0, -1):
        letter = name[index]
        depth += (letter == ">" and name[index - 1] != "-") - (letter == "<")
        if not depth and letter == ":" and name[index - 1] == ":" and name[index + 1 : index + 2] != "<":
            return name[: index - 1], name[index + 1 :]
    return "", name
