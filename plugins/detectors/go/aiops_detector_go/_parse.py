"""What a Go crash report says: the panics with the frames of the goroutine that raised them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple
from urllib.parse import unquote

from msgspec import Struct

from aiops_core import Frame, RaisedException, lazy_pattern, parse_envelope
from aiops_detector_go._lines import (
    CALL,
    CREATED,
    EXIT,
    FATAL,
    FILE,
    GOROUTINE,
    GOROUTINE_WITHIN,
    LONGEST,
    PANIC,
    RECOVERED,
    SERVING,
    SIGNAL,
    TELLS,
    is_note,
    starts_stack,
)

MAX_FRAMES = 200
"""Frames kept of one stack: those next to the raise and the outermost, half each."""
_RUNTIME_ERROR = lazy_pattern(r"runtime error: (?:make\w+: )?[a-z ]*[a-z]")
_CONSTANT = lazy_pattern(r"[^\d\[({\"]*")
_PANIC_WITHIN = lazy_pattern(r"(?i)\bpanic(?:ked|king)?(?: recover(?:ed)?)?[\])]?:? +(\S.*)")
_RAISING = lazy_pattern(r"gopanic|panic|goPanic|sigpanic")
_ACCESS = lazy_pattern(r"(?:Previous )?(?:atomic |racy )?(?:[Rr]ead|[Ww]rite) at 0x")


IsOurs = Callable[[str, str], bool]
"""Say whether a package, or the file of it, is the user's own code."""
Link = Literal["raised", "context"]


class Raised(NamedTuple):
    """One panic or fatal error of the head."""

    type: str
    message: str


class Report(Struct):
    """A crash report, read."""

    raised: list[Raised]
    frames: list[Frame]
    """Frames of the goroutine that crashed, as printed: the raise first."""
    goroutine: str = ""


def read_report(lines: Sequence[str], is_ours: IsOurs, prefix: str = "") -> Report:
    """Read a panic, a fatal error, a signal or a dump; ``prefix`` stood before the first line."""
    first = next((index for index, line in enumerate(lines) if starts_stack(line)), len(lines))
    if GOROUTINE_WITHIN.search(lines[0]):
        first = 0
    stack = _crashed_stack(lines, first)
    number = GOROUTINE_WITHIN.search(lines[stack]) if stack < len(lines) else None
    return Report(
        _read_head(lines[: first or 1], prefix),
        read_frames(_stack_lines(lines, stack + 1), is_ours),
        number[1] if number is not None else "",
    )


def to_exceptions(report: Report) -> tuple[RaisedException, ...]:
    """Return the panic that surfaced first, then those it was raised while handling."""
    exceptions = []
    for index, raised in enumerate(reversed(report.raised)):
        frames = tuple(reversed(_after_raise(report.frames, index)))
        link: Link = "context" if index else "raised"
        exceptions.append(RaisedException(raised.type, raised.message, frames, link, index - 1))
    return tuple(exceptions)


def read_race(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Read a report of the race detector: the access that found it, then the earlier one."""
    starts = [index for index, line in enumerate(lines) if _ACCESS.match(line)][:2]
    accesses = [
        (lines[start].rstrip(" :"), tuple(reversed(read_frames(_stack_lines(lines, start + 1), is_ours))))
        for start in starts
    ]
    if not accesses:
        return (RaisedException("DATA RACE"),)
    exceptions = [RaisedException("DATA RACE", *accesses[0])]
    exceptions += [RaisedException("DATA RACE", *access, "context", 0) for access in accesses[1:]]
    return tuple(exceptions)


def read_frames(lines: Iterable[str], is_ours: IsOurs) -> list[Frame]:
    """Read pairs of a call and its file, in the order printed."""
    frames: list[Frame] = []
    function = ""
    for line in lines:
        call = CREATED.match(line) or CALL.match(line)
        file = FILE.match(line) if call is None else None
        if call is not None:
            if function:
                frames.append(frame_of(function, "", 0, is_ours))
            function = call[1]
        elif file is not None:
            frames.append(frame_of(function, file[1] or file[2], int(file[3][:9]), is_ours))
            function = ""
    if function:
        frames.append(frame_of(function, "", 0, is_ours))
    return shortened(frames)


def shortened(frames: list[Frame]) -> list[Frame]:
    """Keep both ends of a very deep stack."""
    half = MAX_FRAMES // 2
    return frames if len(frames) <= MAX_FRAMES else [*frames[:half], *frames[-half:]]


def frame_of(call: str, file: str, line: int, is_ours: IsOurs) -> Frame:
    """Return the frame of a call as it is printed, its package before the last dot of its path."""
    path, slash, name = call.rpartition("/")
    package, _, function = name.partition(".")
    module = unquote(f"{path}{slash}{package}") if function else ""
    return Frame(file, line, function or package, module, in_app=is_ours(module, file))


def _read_head(lines: Sequence[str], prefix: str) -> list[Raised]:
    raised: list[Raised] = []
    for line in lines:
        found = _head_of(line)
        if found is not None:
            raised.append(found)
        elif raised and not is_note(line) and not EXIT.match(line):
            raised[-1] = raised[-1]._replace(message=f"{raised[-1].message}\n{line.rstrip()}")
    return [one._replace(message=one.message.strip()) for one in raised] or [_unannounced(lines, prefix)]


def _head_of(line: str) -> Raised | None:
    if (match := PANIC.match(line) or SERVING.search(line)) is not None:
        message = RECOVERED.sub("", line[match.end() :])
        return Raised(type_of(message), message)
    if (match := FATAL.match(line)) is not None:
        message = line[match.end() :]
        constant = _CONSTANT.match(message)
        return Raised(f"fatal error: {constant[0].rstrip(' :!') if constant else message}", message)
    if (match := SIGNAL.match(line)) is not None:
        return Raised(match[1], line[match.end() :])
    return None


def _unannounced(lines: Sequence[str], prefix: str) -> Raised:
    """Read a message that is in no form of the runtime's own, as recovering servers log it."""
    prefix = prefix if TELLS.search(prefix) else ""
    said = prefix + "\n".join(lines)
    text = GOROUTINE_WITHIN.sub("", said[parse_envelope(said.partition("\n")[0]).length :]).strip()
    panic = _PANIC_WITHIN.search(text[:LONGEST])
    if panic is not None:
        return Raised(type_of(text), panic[1])
    return Raised(type_of(text, "error"), text) if text else Raised("goroutine dump", lines[0].strip())


def type_of(message: str, otherwise: str = "panic") -> str:
    match = _RUNTIME_ERROR.search(message[:LONGEST])
    return match[0] if match is not None else otherwise


def _crashed_stack(lines: Sequence[str], first: int) -> int:
    """Return the goroutine that ran, else the first stack."""
    for index in range(first, len(lines)):
        match = GOROUTINE.match(lines[index])
        if match is not None and match[2].startswith("running"):
            return index
    return first


def _stack_lines(lines: Sequence[str], start: int) -> Sequence[str]:
    end = start
    while end < len(lines) and lines[end].strip() and not starts_stack(lines[end]):
        end += 1
    return lines[start:end]


def _after_raise(frames: list[Frame], handled: int) -> list[Frame]:
    """Leave out the frames of the runtime that raise, and what was printed from within them.

    ``handled`` counts the panics raised later, whose frames come first.
    """
    raises = [index for index, frame in enumerate(frames) if _is_raise(frame)]
    if not raises:
        return frames
    start = raises[min(handled, len(raises) - 1)] + 1
    while start < len(frames) and _is_raise(frames[start]):
        start += 1
    return frames[start:] or frames


def _is_raise(frame: Frame) -> bool:
    if not frame.module:
        return frame.function == "panic"
    return frame.module == "runtime" and _RAISING.match(frame.function) is not None
