"""The forms a line of a Go panic, fatal error, goroutine dump or race report can take."""

from __future__ import annotations

from collections.abc import Callable

from aiops_core import lazy_pattern

LONGEST = 4096
Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""

FENCE = lazy_pattern(r"={10,}\s*$")
RACE = "WARNING: DATA RACE"
RECOVERED = lazy_pattern(r" \[recovered(?:, repanicked)?\]\s*$")
PANIC = lazy_pattern(r"\s*panic: (?!thread '[^']*' panicked at )(?=\S)")
FATAL = lazy_pattern(r"fatal error: (?=\S)")
SERVING = lazy_pattern(r"http2?: panic serving \S+: ")
SIGNAL = lazy_pattern(r"(SIG[A-Z]+): (?=[a-z])")
GOROUTINE = lazy_pattern(r"\s*goroutine (\d+) (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[([^\]]*)\]:\s*$")
GOROUTINE_WITHIN = lazy_pattern(r"\bgoroutine (\d+) (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[[^\]]*\]:\s*$")
CALL = lazy_pattern(r"\s*([^\s()]+(?:\([^\s()]+\)[^\s()]*)*)\(.*\)\s*$")
CREATED = lazy_pattern(r"\s*created by (\S+?)(?:\(\))?(?: in goroutine \d+)?\s*$")
FILE = lazy_pattern(r"(?:\s+(\S.*)|(\S+\.(?:go|s|c|cc|h))):(\d+)(?: \+0x[0-9a-f]+)?(?: [fsp][pc]=.*)?\s*$")
TELLS = lazy_pattern(r"(?i)\b(?:panic|fatal|error|recover|crash|exception|fail)")
"""What a line says that speaks of a failure."""
STACK = "runtime stack:"
EXIT = lazy_pattern(r"exit status \d+\s*$")
_NOTE = lazy_pattern(
    r"\[signal |\[originating from |PC=0x|Current PC=|signal arrived during |goroutine \d+ gp="
)
_ELIDED = lazy_pattern(
    r"\s*\.\.\. ?(?:\d+ |additional )frames? |\s+goroutine running on other thread|\.\.\.\d+ frames "
)
REGISTER = lazy_pattern(r"[a-z][a-z0-9]{1,6}\s+0x[0-9a-f]+\s*$")
_RUNTIME_NOTE = lazy_pattern(r"runtime: |unexpected fault address |\s*sp=0x")
_FATAL_REASONS = lazy_pattern(
    r"fatal error: (?:all goroutines are asleep|concurrent map|stack overflow|out of memory|unexpected signal"
    r"|fault|sync: |runtime|no goroutines|too many|checkdead|invalid pointer|found bad pointer)"
)
_AFRESH = lazy_pattern(
    r"\s{0,2}[\[(<]?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/.]\d\d[-/. ]\d|\d\d?:\d\d:\d\d|\d{10}(?:\d{3})?\b"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d"
    r"|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL)\b(?!:)|[IWEF]\d{4} \d\d:|(?:level|time|ts)=)"
)


def is_head(line: str) -> bool:
    """Say whether the line announces a panic, a fatal error or a fatal signal."""
    return any(form.match(line) for form in (PANIC, FATAL, SIGNAL)) or SERVING.search(line) is not None


def stands_alone(line: str) -> bool:
    """Say whether the line is a problem even without a goroutine under it."""
    return PANIC.match(line) is not None or _FATAL_REASONS.match(line) is not None


def is_note(line: str) -> bool:
    """Say whether the line adds to the head: a signal, the program counter."""
    return _NOTE.match(line) is not None


def leads_in(line: str) -> bool:
    """Say whether the runtime prints the line before ``fatal error:``."""
    return _RUNTIME_NOTE.match(line) is not None


def starts_stack(line: str) -> bool:
    """Say whether the line begins the stack of a goroutine or of the runtime."""
    return GOROUTINE.match(line) is not None or line.startswith(STACK)


def is_stack_line(line: str) -> bool:
    """Say whether the line belongs to a stack: a call, its file, who created the goroutine."""
    if len(line) > LONGEST:
        return False
    if line.startswith("\t"):
        return True
    forms = (FILE, CALL, CREATED, _ELIDED, REGISTER)
    return any(form.match(line) for form in forms) or is_note(line)


def starts_afresh(line: str) -> bool:
    """Say whether the line begins a log record of its own, by its time or level."""
    return _AFRESH.match(line) is not None
