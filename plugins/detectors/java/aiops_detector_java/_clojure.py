"""Read the short reports of Clojure's own errors: what happened where, the message, and a file with more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_java._lines import Get

TRIGGER = (
    r"^(?:Execution error|Syntax error|Unexpected error|Error printing return value)"
    r" (?:\([A-Z]\w{1,80}\) |- invalid arguments to \S{1,200} |compiling |macroexpanding |reading source )"
)
TITLE = lazy_pattern(
    r"(?P<what>Execution error|Syntax error|Unexpected error|Error printing return value)"
    r"(?: \((?P<type>[A-Z]\w*)\))?(?P<more>.*?) at (?:(?P<call>[^\s()]+) )?\((?P<file>[^()]+?):(?P<line>\d+)(?::\d+)?\)\.\s*$"
)
_FULL = "Full report at:"
_MOST_LINES = 40


def extent_of_report(get: Get, hit: int) -> tuple[int, int]:
    """Return the first line of a report and the one after its last."""
    end = hit + 1
    while end < hit + _MOST_LINES and (get(end) or "").strip():
        end += 1
    return hit, end + 3 if get(end) == "" and get(end + 1) == _FULL and get(end + 2) else end


def read_report(lines: Sequence[str], is_ours: Callable[[str], bool]) -> RaisedException | None:
    """Return what a report tells, None for anything else."""
    found = TITLE.match(lines[0])
    if found is None:
        return None
    end = next((index for index, line in enumerate(lines) if not line.strip()), len(lines))
    module, _, function = (found["call"] or "").rpartition("/")
    frame = Frame(found["file"], int(found["line"][:9]), function, module, in_app=is_ours(module))
    return RaisedException(found["type"] or found["what"], "\n".join(lines[1:end]).strip(), (frame,))
