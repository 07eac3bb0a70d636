"""The forms a line of a Swift crash, or of an Objective-C exception, can take."""

from __future__ import annotations

from collections.abc import Callable

from aiops_core import lazy_pattern

LONGEST = 4096
Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""

_KIND = r"(?P<kind>Fatal error|Precondition failed|Assertion failed|Fatal access conflict detected)"
PLACED = lazy_pattern(
    rf"(?:.*?[\s:])??(?P<file>[^\s:]+\.swift(?:interface)?):(?P<line>\d+): {_KIND}(?:[.:] ?(?P<text>.*))?$"
)
"""``file.swift:3: Fatal error: text``, as Swift 5.4 and later write it."""
TRAILED = lazy_pattern(
    rf"(?:Thread \d+: )?{_KIND}: (?:(?P<text>.*): )?file (?P<file>.+?\.swift), line (?P<line>\d+)\s*$"
)
"""``Fatal error: text: file x.swift, line 3``, as older versions do."""
BARE = lazy_pattern(rf"{_KIND}(?:[.:] ?(?P<text>.*))?$")
"""Without a place, as release builds do: PHP writes so too."""
CONFLICT = lazy_pattern(r"Simultaneous accesses to 0x[0-9a-f]+, but (?P<text>.*)")
CAST = lazy_pattern(r"(?P<text>Could not cast value of type '.+?' \(0x[0-9a-f]+\) to '.+?' \(0x[0-9a-f]+\))")
CRASHED = lazy_pattern(
    r"(?:\*\*\*|💣|\S{1,3}) (?:Program crashed|(?P<failure>Swift runtime failure)): (?P<text>.*?)(?: at (?P<address>0x[0-9a-f]+))?(?: \*\*\*)?\s*$"
)
SIGNAL = lazy_pattern(r"\*\*\* Signal \d+: Backtracing from 0x[0-9a-f]+")
THREAD = lazy_pattern(r"Thread (?P<number>\d+)(?: \"(?P<name>[^\"]*)\")?(?: crashed)?:\s*$")
CRASHED_THREAD = lazy_pattern(r"Thread (?P<number>\d+)(?: \"(?P<name>[^\"]*)\")? crashed:\s*$")
THROWN = lazy_pattern(
    r"\*\*\* Terminating app due to uncaught exception '(?P<type>[^']+)'(?:, reason: '(?P<text>.*?)'?\s*)?$"
)
OBJECTIVE_C = lazy_pattern(
    r"\*\*\* Assertion failure in (?P<function>[^,]+), (?P<file>[^\s:]+):(?P<line>\d+)"
)
DUMP = lazy_pattern(
    r"Stack dump:\s*$|(?:Please|PLEASE) submit a bug report \(?\s*https?://(?:swift\.org|github\.com/(?:apple|swiftlang)/swift)"
)
STACK_OF_OLD = lazy_pattern(r"Current stack trace:")
THROW_STACK = lazy_pattern(r"\*\*\* (?:First throw )?[Cc]all stack(?: at first throw)?:")
FRAME = lazy_pattern(
    r" {0,3}(?P<number>\d{1,4}) (?P<marks>(?:\[[a-z]+\] )*)(?: {0,40}0x[0-9a-f]+ )?(?:(?P<function>.+?)(?: \+ \d+)? in (?P<module>\S+)(?: at (?P<file>.+?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?)?|(?P<marked>0x[0-9a-f]+)?(?: in (?P<only>\S+))?)\s*$"
)
OLD_FRAME = lazy_pattern(
    r"\s*(?P<number>\d{1,4}) {1,4}(?P<module>\S.*?) +0x[0-9a-f]+ (?P<function>\S.*?)(?: \+ \d+)?(?: \((?P<file>[^\s():]+):(?P<line>\d+)\))?\s*$"
)
LLVM_FRAME = lazy_pattern(
    r"\s*#\d+ 0x[0-9a-f]+ (?P<function>\S.*?)(?: \((?P<module>[^()]+?)(?:\+0x[0-9a-f]+)?\))?\s*$|\d+ +swift-frontend "
)
SOURCE = lazy_pattern(r"[ *]*\d*[│|]|\s+[│|]")
SECTION = lazy_pattern(
    r"Thread \d+|Registers:|Images(?: \(\d+ omitted\))?:|Backtrace took|Crashed Thread|\*\*\* Signal|Press space|\S+ 0x[0-9a-f]+ |[a-z]{1,3}\d{0,2} +0x|0x[0-9a-f]+[–-]0x|\d+\.\t|Platform:|Previous access|Current access"
)
END = lazy_pattern(
    r"libc\+\+abi(?:\.dylib)?: terminat|terminating with uncaught exception|(?:Illegal instruction|Trace/breakpoint trap|Aborted|Segmentation fault|Abort trap)\b.*|\(lldb\)"
)
AFRESH = lazy_pattern(
    r"\s{0,2}[\[(<]?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/.]\d\d[-/. ]\d|\d\d?:\d\d:\d\d|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL)\b|[IWEF]\d{4} \d\d:|(?:level|time|ts)=)"
)


def is_head(line: str) -> bool:
    """Say whether the line tells of a crash by itself."""
    line = line[:LONGEST]
    forms = (PLACED, TRAILED, CONFLICT, CAST, CRASHED, THROWN)
    return any(form.match(line) for form in forms) or DUMP.match(line) is not None


def is_frame(line: str) -> bool:
    """Say whether the line is a call of a stack."""
    if len(line) > LONGEST:
        return False
    return any(form.match(line) for form in (FRAME, OLD_FRAME, LLVM_FRAME))
