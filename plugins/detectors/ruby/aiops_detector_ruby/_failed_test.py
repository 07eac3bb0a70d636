"""Read how RSpec prints an example that failed: its code, what was wrong, and the places behind a ``#``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from textwrap import dedent

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_ruby._lines import Call, Get, read_frame

TRIGGER = r"^ {1,20}Failure/Error:"
FAILURE = lazy_pattern(r" {1,20}Failure/Error:")
_TITLE = lazy_pattern(r"\s*\d+(?:\.\d+)?\) \S")
_TYPE = lazy_pattern(r"\s*(?P<type>[A-Z]\w*(?:::[A-Z]\w*)*):\s*$")
_PLACE = lazy_pattern(r"\s*# ?(?P<text>.*)$")
_CAUSE = "# --- Caused by: ---"
_EXPECTATION = "RSpec::Expectations::ExpectationNotMetError"
_MOST_LINES = 500
IsOurs = Callable[[Call], bool]


def extent_of_example(get: Get, hit: int) -> tuple[int, int | None]:
    """Return the title of a failed example and the line after its last place; None where it names no place."""
    width = _indentation(get(hit) or "")
    start = hit - 1 if _TITLE.match(get(hit - 1) or "") else hit
    end = None
    for index in range(hit + 1, hit + _MOST_LINES):
        line = get(index)
        if line is None or (line.strip() and _indentation(line) < width):
            break
        if _PLACE.match(line):
            end = index + 1
    return start, end


def read_example(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return what failed in an example, and what it came of; none where no example failed."""
    start = next((index for index, line in enumerate(lines[:2]) if FAILURE.match(line)), None)
    if start is None:
        return ()
    body = next((index for index in range(start, len(lines)) if not lines[index].strip()), start)
    first = next((index for index in range(body, len(lines)) if _PLACE.match(lines[index])), len(lines))
    below = [line.strip() for line in lines[first:]]
    parts = [_part(lines[body:first], below, is_ours)]
    parts += [_part(*_divided(cause), is_ours) for cause in _causes(below)]
    return tuple(
        RaisedException(kind, message, frames, "cause" if index else "raised", index - 1)
        for index, (kind, message, frames) in enumerate(parts)
    )


def _part(said: Sequence[str], places: Sequence[str], is_ours: IsOurs) -> tuple[str, str, tuple[Frame, ...]]:
    text = dedent("\n".join(said)).strip("\n")
    name, _, rest = text.partition("\n")
    found = _TYPE.match(name)
    frames = tuple(_frames(places, is_ours))[::-1]
    return (found["type"], dedent(rest).strip(), frames) if found else (_EXPECTATION, text.strip(), frames)


def _causes(below: Sequence[str]) -> Iterator[Sequence[str]]:
    starts = [index for index, line in enumerate(below) if line == _CAUSE]
    for start, end in pairwise([*starts, len(below)]):
        yield below[start + 1 : end]


def _divided(cause: Sequence[str]) -> tuple[list[str], Sequence[str]]:
    """Part what a cause says from its places; all of it stands behind a ``#``."""
    texts = [line.removeprefix("#").removeprefix(" ") for line in cause]
    first = next((index for index, text in enumerate(texts) if read_frame(text.strip())), len(texts))
    return texts[:first], [f"# {text.strip()}" for text in texts[first:]]


def _frames(places: Sequence[str], is_ours: IsOurs) -> Iterator[Frame]:
    for line in places:
        if line == _CAUSE:
            return
        found = _PLACE.match(line)
        call = read_frame(found["text"].strip()) if found else None
        if call is not None:
            yield Frame(call.file, call.line, call.label, in_app=is_ours(call))


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())
