"""What a Dart error says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from aiops_core import Frame, parse_envelope
from aiops_detector_dart._libraries import package_of
from aiops_detector_dart._lines import (
    ANOTHER,
    BOX,
    BOX_END,
    COMPILED,
    CRASH,
    CRASH_FRAME,
    ENGINE,
    FAILED_TEST,
    FRAME,
    FRIENDLY,
    GAP,
    LONGEST,
    OBFUSCATED,
    PREAMBLE,
    RULE,
    SIGNAL,
    THREAD,
    THROWN,
    UNHANDLED,
    WIDGET,
    is_in_stack,
)
from aiops_detector_dart._names import UNNAMED, find_error, name_thrown

MAX_FRAMES = 200
"""Frames kept of one stack: those next to the error and the outermost, half each."""
MAX_MESSAGE = 48
IsOurs = Callable[[str, str], bool]
"""Say whether a call of this function and file is the user's own code."""


class Report(Struct, frozen=True):
    """An error, read."""

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    thread: str = ""
    is_crash: bool = False


def read_report(lines: Sequence[str], is_ours: IsOurs, headline: str = "") -> Report:
    """Read the words of an error and its stack; ``headline`` is the logging line above a mere stack."""
    first = lines[0][:LONGEST]
    frames = _kept(_read_frames(lines, is_ours))
    thread = next((found["name"] or found["isolate"] for line in lines if (found := THREAD.match(line))), "")
    if CRASH.match(first):
        return _read_crash(lines, frames, thread)
    if BOX.match(first):
        named = _read_box(lines)
        if not any(frame.in_app for frame in frames):
            frames = (*frames, *_widget(lines))
        return Report(*named, frames)
    if (found := COMPILED.match(first)) is not None:
        place = Frame(found["file"], int(found["line"]), column=int(found["column"]))
        return Report("CompileError", found["text"].strip(), (place,))
    return Report(*_read_words(lines, headline), frames, thread)


def _read_words(lines: Sequence[str], headline: str) -> tuple[str, str]:
    """Return class and message of what was thrown."""
    first = lines[0][:LONGEST]
    if is_in_stack(first):
        return UNNAMED, headline[parse_envelope(headline).length :].strip()
    if UNHANDLED.match(first):
        return name_thrown(_message(lines[1:]))
    if (found := ENGINE.match(first) or ANOTHER.match(first)) is not None:
        return name_thrown(_message([found["text"], *lines[1:]]))
    if (found := FAILED_TEST.match(first)) is not None:
        text = _message([line.removeprefix("  ") for line in lines[1:]])
        return find_error(text) or ("TestFailure", text or found["name"])
    text = _message([line for line in lines if not RULE.match(line)])
    return find_error(text) or (UNNAMED, text)


def _message(lines: Sequence[str]) -> str:
    """Return the lines above the stack."""
    kept: list[str] = []
    for line in lines[:MAX_MESSAGE]:
        if is_in_stack(line) or PREAMBLE.match(line):
            break
        kept.append(line[:LONGEST].rstrip())
    return "\n".join(kept).strip()


def _read_box(lines: Sequence[str]) -> tuple[str, str]:
    """Return class and message of a Flutter box: its first paragraph says what was thrown."""
    words = [line.rstrip() for line in lines[1:]]
    while words and not words[0]:
        words.pop(0)
    if not words:
        return UNNAMED, ""
    thrown = THROWN.match(words[0])
    text = _paragraph(words[1:] if thrown and words[0].endswith(":") else words)
    if thrown is None or " " in thrown["type"] or thrown["type"] == "message":
        return name_thrown(text)
    name = "AssertionError" if thrown["type"] == "assertion" else thrown["type"].lstrip("_")
    said = name_thrown(text)
    return name, said[1] if said[0] == name else text


def _paragraph(words: Sequence[str]) -> str:
    kept: list[str] = []
    for line in words[:MAX_MESSAGE]:
        if not line.strip() or BOX_END.match(line) or is_in_stack(line):
            break
        kept.append(line)
    return "\n".join(kept).strip()


def _widget(lines: Sequence[str]) -> tuple[Frame, ...]:
    """Return where the widget was made that a box of Flutter's own calls blames."""
    for index, line in enumerate(lines):
        if "error-causing widget was" in line:
            found = next(
                (found for line in lines[index + 1 : index + 4] if (found := WIDGET.match(line))), None
            )
            return (_frame(found["function"], found["place"], lambda *_: True),) if found else ()
    return ()


def _read_crash(lines: Sequence[str], frames: tuple[Frame, ...], thread: str) -> Report:
    said = CRASH.match(lines[0][:LONGEST])
    text = (said and said["text"]) or ""
    signal = next((found["type"] for line in lines if (found := SIGNAL.match(line))), "")
    return Report(signal or "VM crash", text or signal or lines[0].strip(), frames, thread, is_crash=True)


def _read_frames(lines: Sequence[str], is_ours: IsOurs) -> list[Frame]:
    """Read the stack, the error first."""
    frames = []
    for line in lines:
        if GAP.match(line):
            continue
        if (frame := _read_frame(line[:LONGEST], is_ours)) is not None:
            frames.append(frame)
    return frames


def _read_frame(line: str, is_ours: IsOurs) -> Frame | None:
    if (found := FRAME.match(line)) is not None:
        return _frame(found["function"], found["place"], is_ours)
    if (found := OBFUSCATED.match(line) or CRASH_FRAME.match(line)) is not None:
        function = found["function"]
        return Frame(function=function, in_app=is_ours(function, ""))
    if (found := FRIENDLY.match(line)) is None:
        return None
    number = "".join(f":{found[name]}" for name in ("line", "column") if found[name])
    return _frame(found["function"] or found["called"], (found["file"] or found["library"]) + number, is_ours)


def _frame(function: str, place: str, is_ours: IsOurs) -> Frame:
    file = place
    numbers: list[int] = []
    while len(numbers) < 2 and file.rpartition(":")[2].isdecimal():
        file, _, number = file.rpartition(":")
        numbers.insert(0, int(number[:9]))
    line, column = [*numbers, 0, 0][:2]
    path = file.removeprefix("file://")
    path = path[1:] if path[2:3] == ":" else path
    return Frame(path, line, function, package_of(file), column, in_app=is_ours(function, path))


def _kept(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Return the frames from the outermost call inwards, the middle of a long stack left out."""
    half = MAX_FRAMES // 2
    kept = frames if len(frames) <= MAX_FRAMES else [*frames[:half], *frames[-half:]]
    return tuple(reversed(kept))
