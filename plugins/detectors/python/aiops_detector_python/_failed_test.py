"""Read how pytest prints a test that failed: source, lines marked with E, and the places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_python._lines import match_exception
from aiops_detector_python._paths import module_of

GetLine = Callable[[int], str | None]

PLACE = lazy_pattern(r"(\S+\.pyx?):(\d+): (?:in ([\w<>.]+)|([A-Za-z_][\w.]*))?$")
"""File, line, and the function (short form) or at last the type of the exception."""
_TITLE = lazy_pattern(r"_{3,} \S.* _{3,}$")
_SAID = lazy_pattern(r"E(?:$| {2,})")
_BODY = lazy_pattern(r"$|>|    |(?:_ ){5,}|[A-Za-z_]\w* += \S")
_DEFINITION = lazy_pattern(r"(?:>\s|\s)\s*(?:async )?def (\w+)\(")
_MOST_LINES = 500


def extent_of_test(get: GetLine, hit: int) -> tuple[int, int | None]:
    """Return where the failure a place belongs to begins and ends, None where nothing is said to fail."""
    start = hit
    while start > 0 and _is_part(above := get(start - 1) or "") and not _is_last(above):
        start -= 1
    if start > 0 and _TITLE.match(get(start - 1) or ""):
        start -= 1
    else:
        start = next((at for at in range(start, hit) if get(at)), hit)
    end, has_said = None, False
    for at in range(start + 1, start + _MOST_LINES):
        line = get(at)
        if line is None or not _is_part(line):
            break
        if _SAID.match(line):
            end, has_said = at + 1, True
        elif _is_last(line):
            return start, at + 1 if has_said else None
        elif line.strip() and has_said:
            break
    return start, end


def _is_part(line: str) -> bool:
    return bool(_BODY.match(line) or _SAID.match(line) or PLACE.match(line))


def _is_last(line: str) -> bool:
    place = PLACE.match(line)
    return place is not None and place[4] is not None


def read_test(lines: Sequence[str], is_ours: Callable[[str], bool]) -> RaisedException | None:
    """Return what failed in a block that pytest printed, None when it printed none."""
    said = [line[1:] for line in lines if _SAID.match(line)]
    frames = tuple(_frames(lines, is_ours))
    if not said or not frames:
        return None
    margin = len(said[0]) - len(said[0].lstrip())
    message = "\n".join(line[margin:] for line in said).strip()
    raised = match_exception(message.partition("\n")[0])
    last = next((place[4] for line in reversed(lines) if (place := PLACE.match(line)) and place[4]), "")
    if raised and (not last or raised[1].rpartition(".")[2] == last.rpartition(".")[2]):
        return RaisedException(raised[1], message[len(raised[1]) :].removeprefix(":").strip(), frames)
    return RaisedException(last or "AssertionError", message, frames)


def _frames(lines: Sequence[str], is_ours: Callable[[str], bool]) -> Iterator[Frame]:
    function, code = "", ""
    for index, line in enumerate(lines):
        if found := _DEFINITION.match(line):
            function = found[1]
        elif line.startswith(">"):
            code = line[1:].strip()
        elif place := PLACE.match(line):
            below = lines[index + 1] if place[3] and index + 1 < len(lines) else ""
            yield Frame(
                file=place[1],
                line=int(place[2]),
                function=place[3] or function,
                module=module_of(place[1]),
                in_app=is_ours(place[1]),
                code=below.strip() or code,
            )
            function, code = "", ""
