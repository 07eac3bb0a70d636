"""The forms a line of a Dart error, or of a Flutter error box, can take."""

from __future__ import annotations

from collections.abc import Callable

from aiops_core import lazy_pattern

LONGEST = 4096
Get = Callable[[int], str | None]
"""Return line n without what Flutter or a logger drew before it, None where nothing is known."""

_DRAWN = lazy_pattern(r"(?:flutter: |[VDIWEF]/flutter ?\( ?\d+\): )?(?:[│║] ?)?")

UNHANDLED = lazy_pattern(r"(?:.* )?Unhandled exception:\s*$")
ENGINE = lazy_pattern(
    r".*?\[(?:ERROR|FATAL|VERBOSE-\d):[^\]\s]*\] (?:Unhandled Exception|Dart Unhandled Exception|Dart Error): ?(?P<text>.*)"
)
"""How the Flutter engine prints what nobody caught."""
ANOTHER = lazy_pattern(r".*?Another exception was thrown: (?P<text>.*)")
COMPILED = lazy_pattern(
    r"(?P<file>(?:\S.*)?\S\.dart):(?P<line>\d{1,9}):(?P<column>\d{1,9}): Error: (?P<text>.+)"
)
BOX = lazy_pattern(
    r".*?(?:══╡ (?P<title>EXCEPTION CAUGHT BY .+?) ╞═|═{4,} (?P<later>Exception caught by .+?) ═)"
)
BOX_END = lazy_pattern(r"═{20,}\s*$")
THROWN = lazy_pattern(
    r"The (?:following )?(?P<type>[^\s:]+|null value|(?:number|message) .*?)(?: object)? was thrown\b.*?:?\s*$"
)
WIDGET = lazy_pattern(
    r"\s*(?P<function>[\w<>$.,-]++).*?[ :](?P<place>(?:file|package|org-dartlang-app):\S+\.dart:\d+:\d+)\s*$"
)
CRASH = lazy_pattern(
    r"=+ CRASH =+\s*$|\S*runtime/(?:vm|bin|platform)/\S+: ?\d+: (?:error|fatal error): (?P<text>.*)"
)
CRASH_DETAIL = lazy_pattern(
    r"si_signo=|version=|pid=\d|os=|isolate_instructions=|fp=|thread=|\s+pc 0x|-- End of|Aborted\b|Segmentation fault\b|Stack dump aborted"
)
CRASH_FRAME = lazy_pattern(
    r"\s+pc 0x[0-9a-f]+ fp 0x[0-9a-f]+ sp 0x[0-9a-f]+ (?P<function>.+?)(?P<offset>\+0x[0-9a-f]+)?\s*$"
)
SIGNAL = lazy_pattern(r"si_signo=(?P<type>[^()]+)\(\d+\)")
THREAD = lazy_pattern(r"pid: \d+, tid: \d+, name (?P<name>.+?)\s*$|pid=.*\bisolate=(?P<isolate>[^\s(]+)")
FAILED_TEST = lazy_pattern(r"(?:\S+ )?\d+:\d\d \+\d+(?: ~\d+)? -\d+: (?P<name>.*?) \[E\]\s*$")

_URI = r"(?:package|file|dart|data|https?|org-dartlang-[a-z-]+):[^\s()]+|[^\s()]+\.dart[^\s()]*"
FRAME = lazy_pattern(
    rf"\s*#(?P<number>\d{{1,6}})\s+(?P<function>\S.*?)(?<!\s)\s++\((?P<place>{_URI}|<anonymous>|unknown)\)\s*$"
)
FRIENDLY = lazy_pattern(
    r"\s{0,4}(?P<file>[^\s#(][^\s()]*\.dart) (?P<line>\d{1,9})(?::(?P<column>\d{1,9}))? +(?P<function>\S.*?)\s*$"
    r"|\s{0,4}(?P<library>(?:dart|package):[\w./]+) {2,}(?P<called>\S.*?)\s*$"
)
"""As package:stack_trace and the Dart web compilers print a call."""
OBFUSCATED = lazy_pattern(
    r"\s*#\d{2,6} abs [0-9a-f]+(?: virt [0-9a-f]+)? (?P<function>[\w$.<>]+(?:\+0x[0-9a-f]+)?)\s*$"
)
SUSPENSION = lazy_pattern(r"\s*<asynchronous suspension>\s*$")
GAP = lazy_pattern(r"\s*=+ asynchronous gap =+\s*$")
LEFT_OUT = lazy_pattern(r"\s*(?:\.\.\.(?:\s+\S.*\(\d+ frames?\))?|\(elided .* from .*)\s*$")
PREAMBLE = lazy_pattern(
    r"Warning: This VM has been configured|(?:\*\*\* ?){3,}|pid: \d+, tid: |os: \w+ arch: |build_id: |isolate_dso_base: "
    r"|isolate_instructions: |vm_instructions: |loading_unit: "
)
"""What is told of the program above a stack without symbols."""
RULE = lazy_pattern(r"[┌├└╔╟╚][─┄═]")
RULE_FIRST = lazy_pattern(r"[┌╔]")
RULE_LAST = lazy_pattern(r"[└╚]")
AFRESH = lazy_pattern(
    r"\s{0,2}[\[(<]?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/.]\d\d[-/. ]\d|\d\d?:\d\d:\d\d|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|SEVERE|SHOUT|CONFIG|FINE|FINER|FINEST)\b|[IWEF]\d{4} \d\d:|[VDIWEF]/[\w.]+ ?\(|(?:level|time|ts)=)"
)


def undrawn(line: str) -> str:
    """Return the line without the name of the program, or the border of a box, before it."""
    found = _DRAWN.match(line)
    return line[found.end() :] if found else line


def is_call(line: str) -> bool:
    """Say whether the line is a call of a stack."""
    line = line[:LONGEST]
    return any(form.match(line) for form in (FRAME, FRIENDLY, OBFUSCATED))


def is_in_stack(line: str) -> bool:
    """Say whether the line may stand within a stack."""
    return is_call(line) or any(form.match(line[:LONGEST]) for form in (SUSPENSION, GAP, LEFT_OUT))
