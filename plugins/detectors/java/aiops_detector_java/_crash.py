"""Read what the virtual machine says when it dies itself: its banner, and the report it writes to a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_java._lines import Get

TRIGGERS = (
    r"^# A fatal error has been detected by the Java Runtime Environment",
    r"^# There is insufficient memory for the Java Runtime Environment",
)
BANNER = lazy_pattern("|".join(TRIGGERS))
_SECTION = lazy_pattern(r"-{9,} +[A-Z](?: [A-Z])+ +-{9,}\s*$")
_LAST = "END."
_REASON = lazy_pattern(
    r"# {1,3}(?P<type>SIG[A-Z]+|EXCEPTION_\w+|Internal Error|[Oo]ut of [Mm]emory\b.*?)(?= \(|$)(?P<rest>.*)$"
)
_MEMORY = "insufficient memory"
_THREAD = lazy_pattern(r"Current thread \(0x[0-9a-f]+\):\s+\w+ \"(?P<name>[^\"]+)\"")
_FRAME = lazy_pattern(
    r"(?:# )?(?P<kind>[CVJjvA])  ?(?:\[(?P<library>[^\]]+?)\+0x[0-9a-f]+\] *(?P<symbol>\S.*)?|(?P<call>.*))$"
)
_COMPILED = lazy_pattern(r"(?:\d+%? )?(?:c[12] )?(?P<name>[\w$./]+)\.(?P<method>[\w$<>]+)\(")
_MOST_LINES = 4_900
_MOST_FRAMES = 100
IsOurs = Callable[[str], bool]


def extent_of_crash(get: Get, hit: int) -> tuple[int, int]:
    """Return where the report of a crash begins and the line after its last."""
    start = hit
    while (get(start - 1) or "").rstrip() == "#":
        start -= 1
    end = hit
    while (get(end) or "").startswith("#"):
        end += 1
    below = end
    while below < end + 2 and (line := get(below)) is not None and not line.strip():
        below += 1
    return start, _end_of_report(get, below) if _SECTION.match(get(below) or "") else end


def _end_of_report(get: Get, at: int) -> int:
    for index in range(at, at + _MOST_LINES):
        line = get(index)
        if line is None:
            return index
        if line.rstrip() == _LAST:
            return index + 1
    return at + _MOST_LINES


def read_crash(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, str]:
    """Return the crash, and the thread it happened in where the report tells it."""
    reason = next((found for line in lines if (found := _REASON.match(line))), None)
    if reason is None:
        is_memory = any(_MEMORY in line for line in lines)
        message = next((line for line in lines if BANNER.match(line)), lines[0]).lstrip("# ")
        name, said = "OutOfMemory" if is_memory else "Crash", message
    else:
        name, said = reason["type"], f"{reason['type']}{reason['rest']}"
    thread = next((found["name"] for line in lines if (found := _THREAD.match(line))), "")
    return RaisedException(name, said, _frames(lines, is_ours)), thread


def _frames(lines: Sequence[str], is_ours: IsOurs) -> tuple[Frame, ...]:
    """Return the calls of the stacks, else the one that the banner names."""
    calls: list[Frame] = []
    is_stack = False
    for line in lines:
        if line.startswith(("Native frames: ", "Java frames: ")):
            is_stack = True
        elif not line.strip():
            is_stack = False
        elif is_stack and (frame := _frame(line, is_ours)) is not None:
            calls.append(frame)
    at = next((n for n, line in enumerate(lines) if line.startswith("# Problematic frame:")), len(lines))
    problematic = _frame(lines[at + 1], is_ours) if at + 1 < len(lines) else None
    return tuple(calls[:_MOST_FRAMES][::-1]) or ((problematic,) if problematic else ())


def _frame(line: str, is_ours: IsOurs) -> Frame | None:
    found = _FRAME.match(line)
    if found is None:
        return None
    call = (found["symbol"] or found["call"] or "").strip()
    if found["kind"] in "Jj" and (compiled := _COMPILED.match(call)):
        module = compiled["name"].replace("/", ".")
        return Frame("", 0, compiled["method"], module, in_app=is_ours(module))
    library = found["library"] or ""
    is_runtime = library.startswith(("libjvm", "libc.", "libc-", "libpthread", "jvm.dll", "ntdll"))
    return Frame("", 0, call.partition("+0x")[0], library, in_app=bool(library) and not is_runtime)
