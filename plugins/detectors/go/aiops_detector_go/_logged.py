"""Stacks that programs print themselves: those of zap, and of errors made with pkg/errors.

A stack is pairs of lines, a function without arguments and its file, under the line that tells what
happened. Of errors that wrap each other the innermost comes first, each with a line and a stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from aiops_core import Block, Frame, RaisedException, lazy_pattern, parse_envelope
from aiops_detector_go._lines import LONGEST, Get
from aiops_detector_go._parse import IsOurs, frame_of, shortened

_TYPE = "error"
_MOST_LINES = 2_000
_CALL = lazy_pattern(r"(?>[A-Za-z_][\w./~@%-]*\.)[\w./*()\[\],·-]*[\w\]]$")
_FILE = lazy_pattern(r"\t(\S.*?\.(?:go|s)):(\d{1,9})$")
_CALLER = lazy_pattern(r"\S+\.go:\d+\s+")


def extent_of_logged(get: Get, hit: int) -> tuple[int, int] | None:
    """Return the first line of the stack whose file was hit and the line after it; None for no stack."""
    if not _is_pair(get, hit - 1):
        return None
    start = hit - 1
    while hit - start < _MOST_LINES and _is_pair(get, start - 2):
        start -= 2
    return start - _tells(get(start - 1)), _end(get, start)


def is_logged(lines: Sequence[str]) -> bool:
    """Tell whether a block is a stack of this kind."""
    return any(_is_pair(dict(enumerate(lines[:3])).get, at) for at in (0, 1))


def read_logged(block: Block, is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return the errors of a block, the one that wraps the others first."""
    headline = block.headline[parse_envelope(block.headline).length :]
    errors: list[tuple[str, list[Frame]]] = [(_CALLER.sub("", headline, count=1), [])]
    for above, line in pairwise(["", *block.lines, ""]):
        if (file := _FILE.match(line)) is not None:
            errors[-1][1].append(frame_of(above, file[1], int(file[2]), is_ours))
        elif above and not _CALL.match(above) and not _FILE.match(above):
            errors.append((above, []))
    errors = [error for error in errors if error[1]]
    return tuple(
        RaisedException(
            _TYPE, text, tuple(shortened(frames[::-1])), "cause" if index else "raised", index - 1
        )
        for index, (text, frames) in enumerate(errors[::-1])
    )


def _end(get: Get, at: int) -> int:
    end = at
    while end - at < _MOST_LINES:
        if _is_pair(get, end):
            end += 2
        elif _wraps(get(end)) and _is_pair(get, end + 1):
            end += 1
        else:
            break
    return end


def _is_pair(get: Get, at: int) -> bool:
    call, file = get(at) or "", get(at + 1) or ""
    return len(call) <= LONGEST and _CALL.match(call) is not None and _FILE.match(file[:LONGEST]) is not None


def _tells(line: str | None) -> bool:
    """Tell whether the line above a stack is its message: a logged one of some level is a headline."""
    return bool(line and line.strip()) and parse_envelope(line or "").severity is None


def _wraps(line: str | None) -> bool:
    """Tell whether a line may be the message of an error that wraps the one above."""
    return _tells(line) and parse_envelope(line or "").length == 0
