"""What an exception or a report says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_elixir._lines import (
    BANNER,
    CALL,
    COMPILING,
    CONTINUED,
    CRASHER,
    ENDED,
    ERLANG,
    FRAME,
    LONGEST,
    TUPLE,
)

MAX_FRAMES = 200
"""Frames kept of one stack."""
MAX_MESSAGE = 50
"""Lines kept of one message."""
IsOurs = Callable[[str, str, str], bool]
"""Say whether a call of this application, file and function is the user's own code."""
_REASONS = (
    ("no match of right hand side value", "badmatch"),
    ("bad argument", "badarg"),
    ("no function clause matching", "function_clause"),
    ("undefined function", "undef"),
    ("no case clause matching", "case_clause"),
    ("an error occurred when evaluating an arithmetic", "badarith"),
    ("no true branch", "if_clause"),
    ("bad function", "badfun"),
    ("no try clause matching", "try_clause"),
)
"""How the shell and reports of Erlang write the reasons of its errors."""
_REASON = lazy_pattern(
    r"(?:\*\* Reason for termination ==?\s*\n\*\*|exit value:\s*|reason:|error:|Context:.*?Reason:|do_boot[\"']?,?) *\(?(?P<reason>\{{1,3}\"?'?[a-z]\w*|[a-z]\w*)",
    re.DOTALL,
)
_SUPERVISED = lazy_pattern(r"\s+[Rr]eason: +(\S.*)$")
"""Why a supervisor lost a child."""
_ANNOUNCED = lazy_pattern(r"\s*\*\* \(exit\) an exception was raised:\s*$")
"""What Plug and Phoenix write above the exception of a request: it says no more than that there is one."""


def read_problem(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Read exceptions in the form of Elixir, else a report in that of Erlang."""
    starts = [index for index, line in enumerate(lines) if BANNER.match(line[:LONGEST])]
    if len(starts) > 1 and _ANNOUNCED.match(lines[starts[0]]):
        starts = starts[1:]
    if starts:
        return _read_exceptions(lines, starts, is_ours)
    return (_read_report(lines, is_ours),)


def _read_exceptions(lines: Sequence[str], starts: list[int], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return the exception that surfaced, and those that explain it."""
    exceptions: list[RaisedException] = []
    for number, start in enumerate(starts[:20]):
        stop = starts[number + 1] if number + 1 < len(starts) else len(lines)
        found = BANNER.match(lines[start][:LONGEST])
        kind = found["type"] if found is not None else ""
        frames = [*frames_of(lines[start + 1 : stop], is_ours)]
        if (
            not frames
            and number == 0
            and (place := COMPILING.match(lines[start - 1][:LONGEST] if start else "")) is not None
        ):
            frames = [Frame(place["file"], in_app=is_ours("", place["file"], ""))]
        name = "EXIT" if kind.startswith("EXIT from") else kind
        exceptions.append(
            RaisedException(
                name,
                _message(lines[start:stop]),
                tuple(frames),
                "cause" if number else "raised",
                number - 1,
            )
        )
    return tuple(exceptions)


def _message(lines: Sequence[str]) -> str:
    """Return the text after the type, up to the stack or what is told of the process."""
    found = BANNER.match(lines[0][:LONGEST])
    text = [(found["text"] or "") if found is not None else lines[0]]
    for line in lines[1:MAX_MESSAGE]:
        if FRAME.match(line[:LONGEST]) or CONTINUED.match(line[:LONGEST]):
            break
        text.append(line.rstrip())
    return "\n".join(text).strip()


def frames_of(lines: Sequence[str], is_ours: IsOurs) -> tuple[Frame, ...]:
    """Return the calls of a stack, the innermost last."""
    frames = [frame for line in lines if (frame := _elixir_frame(line, is_ours)) is not None]
    return tuple(reversed(frames[:MAX_FRAMES]))


def _elixir_frame(line: str, is_ours: IsOurs) -> Frame | None:
    found = FRAME.match(line[:LONGEST])
    if found is None:
        return None
    function = re.sub(r"\(.*\)$", "", found["function"] or found["plain"] or "")
    app, file = found["app"] or "", found["file"] or ""
    return Frame(file, int((found["line"] or "0")[:9]), function, app, in_app=is_ours(app, file, function))


def _read_report(lines: Sequence[str], is_ours: IsOurs) -> RaisedException:
    head = next((found for line in lines if (found := ERLANG.match(line[:LONGEST]))), None)
    text = "\n".join(lines)[:65536]
    frames = [
        Frame(
            found["file"] or "",
            int((found["line"] or "0")[:9]),
            found["function"],
            in_app=is_ours("", found["file"] or "", found["function"]),
        )
        for line in lines
        if (found := CALL.match(line[:LONGEST])) is not None
    ]
    frames = (frames or _tuples(text, is_ours))[:MAX_FRAMES]
    if head is not None:
        message = head["text"].strip()
        name = (
            next((name for words, name in _REASONS if message.startswith(words)), "")
            or _atom(message)
            or head["class"]
        )
        return RaisedException(name, message, tuple(reversed(frames)))
    reason = _REASON.search(text)
    name = _atom(reason["reason"]) if reason is not None else ""
    return RaisedException(name or _kind(lines[0]), _first_words(lines), tuple(reversed(frames)))


def _kind(line: str) -> str:
    if ENDED.match(line):
        return "init terminating" if "init terminating" in line else "kernel terminated"
    return "crash" if CRASHER.match(line) else "error report"


def _atom(text: str) -> str:
    found = re.match(r"\W*([a-z]\w*)", text)
    return found[1] if found is not None and (text[:1] == "{" or found[0] == text.strip()) else ""


def _first_words(lines: Sequence[str]) -> str:
    if reason := next((found[1] for line in lines if (found := _SUPERVISED.match(line[:LONGEST]))), ""):
        return reason[:2000]
    words = [line.strip() for line in lines if line.strip() and not line.startswith("=")]
    return (words[0] if words else lines[0].strip())[:2000]


def _tuples(text: str, is_ours: IsOurs) -> list[Frame]:
    """Return the calls of a stack that is printed as a term."""
    frames = []
    for found in TUPLE.finditer(text):
        arity = found["arity"] if found["arity"].isdigit() else str(found["arity"].count(",") + 1)
        function = f"{found['module']}:{found['function']}/{arity}"
        file = found["file"] or ""
        frames.append(
            Frame(file, int((found["line"] or "0")[:9]), function, in_app=is_ours("", file, function))
        )
        if len(frames) >= MAX_FRAMES:
            break
    return frames
