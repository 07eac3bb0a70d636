"""What a Swift crash says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from aiops_core import Frame
from aiops_detector_swift._lines import (
    BARE,
    CAST,
    CONFLICT,
    CRASHED,
    CRASHED_THREAD,
    DUMP,
    FRAME,
    LLVM_FRAME,
    LONGEST,
    OLD_FRAME,
    PLACED,
    THROW_STACK,
    THROWN,
    TRAILED,
)

MAX_FRAMES = 200
"""Frames kept of one stack: those next to the crash and the outermost, half each."""
IsOurs = Callable[[str, str, str], bool]
"""Say whether a call of this function, file and module is the user's own code."""


class Crash(Struct, frozen=True):
    """A crash, read."""

    type: str
    message: str
    frames: tuple[Frame, ...]
    thread: str


def read_crash(lines: Sequence[str], is_ours: IsOurs) -> Crash:
    """Read the words of a crash and the stack of the thread it happened in."""
    kind, message, file, number = _read_words(lines)
    start = next((index for index, line in enumerate(lines) if CRASHED_THREAD.match(line)), None)
    thread = CRASHED_THREAD.match(lines[start]) if start is not None else None
    frames = _read_frames(lines[(start or 0) + 1 :], is_ours)
    if not any(frame.in_app for frame in frames) and file and is_ours("", file, ""):
        frames.insert(0, Frame(file, number, in_app=True))
    half = MAX_FRAMES // 2
    kept = frames if len(frames) <= MAX_FRAMES else [*frames[:half], *frames[-half:]]
    name = (thread["name"] or thread["number"]) if thread is not None else ""
    return Crash(kind, message, tuple(reversed(kept)), name)


def _read_words(lines: Sequence[str]) -> tuple[str, str, str, int]:
    """Return type, message and place, from the line that tells most."""
    for line in lines[:16]:
        words = line[:LONGEST]
        if (found := THROWN.match(words)) is not None:
            return found["type"], _reason(lines, line), "", 0
        if (found := PLACED.match(words) or TRAILED.match(words)) is not None:
            return found["kind"], (found["text"] or "").strip(), found["file"], int(found["line"][:9])
        if (said := _unplaced(words)) is not None:
            return *said, "", 0
        if DUMP.match(words):
            return "compiler crash", _phase(lines), "", 0
    return "crash", lines[0].strip(), "", 0


def _unplaced(words: str) -> tuple[str, str] | None:
    """Return type and message of a line that names no place."""
    if (found := CONFLICT.match(words)) is not None:
        return "Fatal access conflict", found["text"]
    if (found := CAST.match(words)) is not None:
        return "Could not cast value", found["text"]
    if (found := BARE.match(words)) is not None:
        return found["kind"], (found["text"] or "").strip()
    if (found := CRASHED.match(words)) is not None:
        return (found["failure"], found["text"]) if found["failure"] else (found["text"], words.strip())
    return None


def _reason(lines: Sequence[str], head: str) -> str:
    """Return the reason of an exception, which may go on over lines up to its closing quote."""
    text = head.partition("reason: '")[2]
    index = lines.index(head) + 1
    while index < len(lines) and not text.rstrip().endswith("'") and not THROW_STACK.match(lines[index]):
        text += "\n" + lines[index]
        index += 1
    return text.rstrip().removesuffix("'").strip()


def _phase(lines: Sequence[str]) -> str:
    """Return what the compiler was doing, as the last numbered line of its dump tells."""
    steps = [line.partition("\t")[2].strip() for line in lines if re.match(r"\d+\.\t(?!Program arg)", line)]
    return steps[-1] if steps else "Stack dump"


def _read_frames(lines: Sequence[str], is_ours: IsOurs) -> list[Frame]:
    """Read the first stack, the crash first."""
    frames: list[Frame] = []
    last = -1
    for line in lines:
        found = next(
            (found for form in (FRAME, OLD_FRAME, LLVM_FRAME) if (found := form.match(line[:LONGEST]))), None
        )
        if found is None:
            continue
        parts = {name: value for name, value in found.groupdict().items() if value}
        number = int(parts.get("number", last + 1))
        if number < last:
            break
        last = number
        frames.append(_frame(parts, is_ours))
    return frames


def _frame(parts: dict[str, str], is_ours: IsOurs) -> Frame:
    function = re.sub(
        r"(?:<[^<>]*>)|\(.*\)(?= |$)|\s+\[inlined\]", "", parts.get("function", "").partition(" -> ")[0]
    ).strip()
    file = parts.get("file", "")
    module = parts.get("module") or parts.get("only", "")
    is_system = "[system]" in parts.get("marks", "") or "compiler-generated" in file
    in_app = not is_system and bool(function or file) and is_ours(function, file, module)
    line, column = (int(parts.get(name, "0")[:9]) for name in ("line", "column"))
    return Frame(file, line, function, module, column, in_app=in_app)
