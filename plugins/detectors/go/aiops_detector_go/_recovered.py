"""Read what gin's recovery prints: the request, the panic, and pairs of a place and a call."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_go._lines import Get
from aiops_detector_go._parse import IsOurs, shortened, type_of

TRIGGER = r"\[Recovery\] .{0,40}panic recovered:"
RECOVERED = lazy_pattern(rf".{{0,80}}{TRIGGER}")
_PLACE = lazy_pattern(r"(?P<file>\S.*\.(?:go|s)):(?P<line>\d{1,9}) \(0x[0-9a-f]+\)\s*$")
_CALL = lazy_pattern(r"\t(?P<call>[^:]+(?:\.func\d+)*): ")
_MOST_REQUEST = 96
_MOST_LINES = 1_000


def extent_of_recovered(get: Get, hit: int) -> tuple[int, int] | None:
    """Return where the report begins and the line after its last call; None where no call follows."""
    first = next((at for at in range(hit + 1, hit + _MOST_REQUEST) if _PLACE.match(get(at) or "")), None)
    if first is None:
        return None
    end = first
    while end < first + _MOST_LINES and _PLACE.match(get(end) or ""):
        end += 2 if (get(end + 1) or "").startswith("\t") else 1
    return hit, end


def read_recovered(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return the panic of a block."""
    places = [(at, found) for at, line in enumerate(lines) if (found := _PLACE.match(line))]
    first = places[0][0] if places else len(lines)
    start = first
    while start > 1 and lines[start - 1].strip():
        start -= 1
    message = "\n".join(lines[start:first]).strip()
    frames = [_frame(lines, at, found["file"], int(found["line"]), is_ours) for at, found in places]
    return (RaisedException(type_of(message), message, tuple(shortened(frames[::-1]))),)


def _frame(lines: Sequence[str], at: int, file: str, line: int, is_ours: IsOurs) -> Frame:
    below = lines[at + 1] if at + 1 < len(lines) else ""
    call = _CALL.match(below)
    folder = file.rpartition("/")[0].rpartition("/")[2]
    return Frame(file, line, call["call"] if call else "", folder, in_app=is_ours(folder, file))
