"""The first lines of crashes, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from aiops_core import Severity, lazy_pattern, replace

SIGNALS = {
    3: "SIGQUIT",
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    10: "SIGBUS",
    11: "SIGSEGV",
    31: "SIGSYS",
}
_NULL = 0x10000
"""Addresses below are those of members of nothing."""
_DEADLY = r"(?:SEGV|ABRT|ILL|TRAP|BUS|FPE|SIGSEGV|access-violation|illegal-instruction|breakpoint|null-deref|deadly signal|fuzz target exited)"


class Head(Struct, frozen=True):
    """What the first line of a crash says.

    ``is_effect``: a signal or its report, which an assertion or an exception before it may explain.
    """

    type: str
    message: str
    is_effect: bool = False
    severity: Severity = "critical"
    file: str = ""
    line: int = 0
    function: str = ""
    thread: str = ""
    stands_alone: bool = True


Read = Callable[[re.Match[str]], Head]


def _sanitizer(found: re.Match[str]) -> Head:
    tool, text = found["tool"], found["text"]
    kind = _KIND.match(text)
    name = kind["kind"] if kind is not None else _constant(text)
    name = "bad-free" if name == "free" else name
    address = _AT.search(text)
    if re.match(_DEADLY, name) or name == "unknown-crash":
        is_wild = (
            address is not None
            and int(address[1], 16) >= _NULL
            and re.match(r"SEGV|access-v|unknown-crash|BUS", name)
        )
        name += " on wild address" if is_wild else ""
    is_effect = bool(re.match(_DEADLY, name))
    thread = _THREAD.search(text)
    return Head(
        f"{tool}: {name}",
        text,
        is_effect,
        "critical" if "leak" not in name else "error",
        thread=thread[1] if thread else "",
    )


_KIND = lazy_pattern(
    r"(?:attempting )?(?P<kind>double-free|(?:bad-)?free(?= on)|[A-Za-z]+(?:-[\w-]+)+|[A-Z]{2,4}(?= on)|data race|deadly signal|timeout|out-of-memory|stack-overflow|fuzz target (?:exited|overwrites)|heap-use-after-free|detected memory leaks|lock-order-inversion|signal-unsafe call|thread leak|requested allocation size)"
)
_AT = lazy_pattern(r"on (?:unknown )?address (0x[0-9a-fA-F]{1,16})")
_THREAD = lazy_pattern(r"\b(T\d+)\)?:?\s*$")


def _constant(text: str) -> str:
    """Return the words of a message before anything that varies."""
    words = re.split(r"[:,;'\"`(\[{<=]| of type | from type | for type | in type ", text, maxsplit=1)[
        0
    ].split()
    return " ".join(word for word in words if not any(letter.isdigit() for letter in word))[:80]


def _undefined(found: re.Match[str]) -> Head:
    return Head(
        f"UndefinedBehaviorSanitizer: {_constant(found['text'])}",
        found["text"],
        severity="error",
        file=found["file"],
        line=int(found["line"]),
    )


def _assertion(found: re.Match[str]) -> Head:
    parts = found.groupdict()
    function = (parts.get("function") or "").strip()
    line = int((parts.get("line") or "0")[:9])
    return Head(
        "Assertion failed",
        parts["text"].strip(),
        file=(parts.get("file") or "").strip(),
        line=line,
        function=function,
    )


def _unproven(found: re.Match[str]) -> Head:
    return replace(_assertion(found), stands_alone=False)


def _check(found: re.Match[str]) -> Head:
    parts = found.groupdict()
    kind = parts["kind"].replace("DCHECK", "Check").replace("CHECK", "Check")
    return Head(f"{kind[0].upper()}{kind[1:]} failed", parts["text"].strip(), stands_alone=False)


def _logged(found: re.Match[str]) -> Head:
    """Read a fatal line of a log, which may tell of a check or an assertion."""
    text = found["text"].strip()
    inner = read_head(text)
    if inner is None or inner.is_effect:
        inner = Head("fatal error", text)
    return replace(
        inner, file=inner.file or found["file"], line=inner.line or int(found["line"][:9]), stands_alone=True
    )


def _fixed(
    name: str, *, is_effect: bool = False, stands_alone: bool = True, severity: Severity = "critical"
) -> Read:
    def read(found: re.Match[str]) -> Head:
        text = found.groupdict().get("text") or found.string[found.start() :]
        return Head(
            name or _constant(text), text.strip()[:2000], is_effect, severity, stands_alone=stands_alone
        )

    return read


def _named(found: re.Match[str]) -> Head:
    name = _WRAPPED.sub(r"\1", found["type"])
    return Head(name, (found.groupdict().get("text") or "").strip() or found[0].strip())


_WRAPPED = lazy_pattern(
    r"boost::(?:wrapexcept|exception_detail::clone_impl)<(?:boost::exception_detail::error_info_injector<)?(.+?)(?: ?>)+$"
)
"""What Boost makes of an exception that is thrown."""


def _heap(found: re.Match[str]) -> Head:
    """Read what the heap of the C library found; numbers and the place in the list do not name it."""
    text = found["text"].strip()
    return Head(
        re.sub(r"\s*(?:\d.*|\([a-z!]*\)?)$", "", text.replace("(): ", "()\0")).replace("\0", ": "), text
    )


def _exited(found: re.Match[str]) -> Head:
    return Head(SIGNALS[int(found["number"])], found[0].strip()[-2000:], is_effect=True)


def _signal(found: re.Match[str]) -> Head:
    parts = found.groupdict()
    name = parts.get("name") or SIGNALS.get(int(parts.get("number") or 0), "")
    return Head(
        name or "signal",
        found.string[found.start() :].strip()[:2000],
        is_effect=True,
        stands_alone=bool(parts.get("name")),
    )


_PROGRAM = r"(?:[^\s:]{1,80}: )?"
_FILE = r"(?P<file>[^\s:()][^:()\n]*?)"
_FORMS: tuple[tuple[re.Pattern[str], Read], ...] = tuple(
    (lazy_pattern(pattern), read)
    for pattern, read in (
        (r"(?:==\d+== ?)?(?:ERROR|WARNING): (?P<tool>\w*Sanitizer|libFuzzer): (?P<text>.*)", _sanitizer),
        (r"(?P<file>(?:[A-Za-z]:)?[^\s:()]+):(?P<line>\d+):\d+: runtime error: (?P<text>.*)", _undefined),
        (
            rf"{_PROGRAM}{_FILE}:(?P<line>\d+): ?(?P<function>.*?):? ?Assertion [`'‘](?P<text>.*)['’] failed",
            _assertion,
        ),
        (r"(?P<function>[\w:~]*):? ?Assertion [`'‘](?P<text>.*)['’] failed", _assertion),
        (
            rf"{_PROGRAM}{_FILE}:(?P<line>\d+): (?:libc\+\+ Hardening )?assertion (?P<text>.*) failed",
            _assertion,
        ),
        (
            rf"{_PROGRAM}{_FILE}:(?P<line>\d+): (?P<function>.*?): assertion \"(?P<text>.*)\" failed",
            _assertion,
        ),
        (
            r"assertion \"(?P<text>.*)\" failed: file \"(?P<file>[^\"]+)\", line (?P<line>\d+)(?:, function: (?P<function>.*))?",
            _assertion,
        ),
        (
            r"Assertion failed: \(?(?P<text>.*?)\)?, function (?P<function>\S.*?), file (?P<file>.+?), line (?P<line>\d+)",
            _assertion,
        ),
        (r"Assertion failed: \(?(?P<text>.*?)\)?, file:? (?P<file>.+?), line (?P<line>\d+)", _assertion),
        (
            r"Assertion failed: (?P<text>.*) \((?P<file>[^\s:()]+): (?P<function>[^\s:()]*): (?P<line>\d+)\)",
            _assertion,
        ),
        (
            r"ERROR:(?P<file>[^\s:]+):(?P<line>\d+):(?P<function>[^:]*): assertion failed(?::? ?\(?(?P<text>.*?)\)?)$",
            _assertion,
        ),
        (r"ASSERT(?:ION FAILED)?: \"?(?P<text>.*?)\"? in file (?P<file>.+?), line (?P<line>\d+)", _assertion),
        (
            r"ASSERT failure in (?P<function>.+?): \"(?P<text>.*)\", file (?P<file>.+?), line (?P<line>\d+)",
            _assertion,
        ),
        (r"ASSERTION FAILED: (?P<text>.*)", _unproven),
        (r"(?:<\w+>: )?(?P<file>[^\s:]+):(?P<line>\d+): Failed assertion: \"(?P<text>.*)\"", _assertion),
        (
            r"TRAP: (?:failed Assert|FailedAssertion)\(\"(?P<text>.*?)\"\)?, File: \"(?P<file>[^\"]+)\", Line: (?P<line>\d+)",
            _assertion,
        ),
        (
            r"(?:.*\s)?Code: \d+\. (?P<type>DB::\w*Exception): (?P<text>.*?)(?:\. \([A-Z_]+\).*|, Stack trace.*|$)",
            _named,
        ),
        (
            r"(?:.*\s)?(?P<text>Process \d+ \([^()]{1,64}\) of user \d+ dumped core\b.*)",
            _fixed("core dumped"),
        ),
        (
            r"assert\.h assertion failed at (?P<file>\S+?):(?P<line>\d+)(?: in (?P<function>[^:]*))?: (?P<text>.*)",
            _assertion,
        ),
        (r"abort: (?P<text>\S.*)", _fixed("abort", stands_alone=False)),
        (r"(?P<kind>(?:Security )?D?CHECK|(?:Debug )?[Cc]heck|Security check) failed: ?(?P<text>.*)", _check),
        (r"(?P<text>check\(.*\))\s*$", _fixed("Check failed", stands_alone=False)),
        (r"terminate called after throwing an instance of '(?P<type>.+)'", _named),
        (r"terminate called (?P<text>without an active exception|recursively)", _fixed("terminate called")),
        (r"pure virtual method called", _fixed("pure virtual method called")),
        (
            r"libc\+\+abi(?:\.dylib)?: terminat\w+ (?:due to|with) uncaught (?:foreign )?exception(?: of type (?P<type>[^:\s]+(?:::[^:\s]+)*))(?:: (?P<text>.*))?",
            _named,
        ),
        (r"libc\+\+abi(?:\.dylib)?: (?P<text>.*)", _fixed("terminating")),
        (
            r"\*\*\* (?P<text>(?:stack smashing|buffer overflow|invalid|longjmp causes|%n in writable)[^*]*?) \*\*\*",
            _fixed(""),
        ),
        (
            r"\*\*\* (?:Error in `[^']*': |glibc detected \*\*\* [^:]*: )(?P<text>.+?)(?:: 0x[0-9a-f]+)? \*\*\*",
            _heap,
        ),
        (
            r"(?P<text>(?:free|malloc|realloc|calloc|munmap_chunk|mremap_chunk|malloc_consolidate|_int_malloc|_int_free)\(\): (?:invalid|corrupted|unsorted|unaligned|double free|memory corruption|smallbin|largebin|mismatching|too many|chunk).*)",
            _heap,
        ),
        (
            r"(?P<text>corrupted (?:size vs\. prev_size|double-linked list).*|double free or corruption(?: \([a-z!]+\))?)",
            _heap,
        ),
        (r"Fatal glibc error: (?P<text>.*)", _fixed("Fatal glibc error")),
        (r"(?:\S+ )?malloc: \*\*\* (?P<text>.*)", _fixed("malloc error")),
        (r"(?:.*\] )?Attempt to free invalid pointer.*", _fixed("free of an invalid pointer")),
        (r"#\s{1,2}Fatal (?P<text>(?:error|process|JavaScript)\b.*)", _fixed("Fatal error")),
        (r"===BUG DETECTED: (?P<text>.*?)===", _fixed("")),
        (r"## (?P<text>V8 sandbox violation detected)!", _fixed("V8 sandbox violation")),
        (r"F\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (?P<file>[^\s:]+):(?P<line>\d+)\] (?P<text>.*)", _logged),
        (r"(?:.{0,80}:|\[)FATAL:(?P<file>[^\s:()]+)(?:\(|:)(?P<line>\d+)\)?\] (?P<text>.*)", _logged),
        (
            r"\*\*\* Check failure stack trace: \*\*\*",
            _fixed("check failure", is_effect=True, stands_alone=False),
        ),
        (r"\*\*\* (?P<name>SIG[A-Z]+) (?:received |\(@)", _signal),
        (r"\*\*\* Signal \d+ \((?P<name>SIG[A-Z]+)\) \(", _signal),
        (r"\*\*\* Aborted at \d+ \([Uu]nix time", _fixed("SIGABRT", is_effect=True, stands_alone=False)),
        (r"Received signal (?P<number>[4-8]|10|11)\b", _signal),
        (r"(?:.*\b)?(?:mysqld|mariadbd) got signal (?P<number>4|6|7|8|11)\b", _exited),
        (r"(?:.*\b)?(?:[Cc]aught|[Rr]eceived|got) signal:? ?(?P<number>4|6|7|8|11)\b", _signal),
        (
            r".*\b[Rr]eceived signal (?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception|\w[\w ]*) \((?P<number>4|6|7|8|11)\)",
            _exited,
        ),
        (r".*exited on signal (?P<number>4|6|7|8|11)\b.*", _exited),
        (
            r"(?:PID \d+ received|.*[Cc]aught(?: signal)?|Signal:) (?P<name>SIG(?:SEGV|ABRT|BUS|FPE|ILL|TRAP|SYS))\b",
            _signal,
        ),
        (
            r"(?:\[[^\]]+\] )?Signal: (?P<text>Segmentation fault|Bus error|Aborted|Floating point exception|Illegal instruction) \(\d+\)",
            _fixed("", is_effect=True),
        ),
        (
            r"(?:Thread \S+ .{0,40})?(?:Program |, )?(?:received signal|terminated with signal) (?P<name>SIG(?:SEGV|ABRT|BUS|FPE|ILL|TRAP|SYS))\b",
            _signal,
        ),
        (
            r"(?:Thread .{1,80} |Program )(?:received|terminated with) signal (?P<name>SIG(?:SEGV|ABRT|BUS|FPE|ILL|TRAP|SYS))\b",
            _signal,
        ),
        (r"(?:F libc +: |libc: )?Fatal signal \d+ \((?P<name>SIG[A-Z]+)\)", _signal),
        (r"signal \d+ \((?P<name>SIG[A-Z]+)\), code", _signal),
        (r"(?:\*\*\* ){8,}", _fixed("crash", is_effect=True, stands_alone=False)),
        (
            r"Crash reason: +(?P<type>\S+)(?P<text>.*)",
            lambda found: Head(found["type"], found[0].strip(), is_effect=True),
        ),
        (
            r"\([0-9a-f]+\.[0-9a-f]+\): (?P<text>(?!Break instruction|C\+\+ EH|Microsoft C\+\+)[A-Z].*?) - code [0-9a-f]{8}",
            _fixed("", is_effect=True),
        ),
        (
            r"Unhandled exception (?:at|thrown)\b.*?(?:0x[0-9A-Fa-f]+: )?(?P<text>[A-Z][a-z ]+?)(?: reading| writing|\.|,|$)",
            _fixed("", is_effect=True),
        ),
        (
            r"Exception Type: +(?P<type>EXC_\w+)(?P<text>.*)",
            lambda found: Head(found["type"], found[0].strip(), is_effect=True),
        ),
        (
            r"(?:\S.*?: line \d+: +\d+ |\S+: \d+ |\[\d+\]\s*[+-]?\s*(?:\d+ +)?(?:IOT instruction +)?)?(?P<text>Segmentation fault|Bus error|Aborted|Floating point exception|Illegal instruction|Trace/breakpoint trap|segmentation fault|abort)\s+\(core dumped\)",
            _fixed("", is_effect=True),
        ),
        (
            r"(?:\S.*?: line \d+: +\d+ |\S+: \d+ |[\w./-]+: )?(?P<text>Segmentation fault)(?=\s*$|\s{2,}\S|: 11|[.!]\s*$)",
            _fixed("", is_effect=True),
        ),
        (
            r"(?:\S.*?: line \d+: +\d+ )(?P<text>Segmentation fault|Bus error|Aborted|Floating point exception|Illegal instruction)\b",
            _fixed("", is_effect=True),
        ),
        (r"(?P<text>Aborted|Abort trap: 6)\s*$", _fixed("", is_effect=True, stands_alone=False)),
        (
            r"zsh: (?P<text>segmentation fault|[Aa]bort|bus error|illegal hardware instruction|floating point exception)(?: \(core dumped\))? +\S",
            _fixed("", is_effect=True),
        ),
        (r"={5,} (?P<text>.*exceeded.*)", _fixed("")),
        (r"(?P<text>LLVM ERROR: .*)", _fixed("LLVM ERROR")),
        (r"PLEASE submit a bug report to ", _fixed("compiler crash", is_effect=True)),
        (
            r"(?:.*: )?error while loading shared libraries: (?P<text>.*)",
            _fixed("missing library", severity="error"),
        ),
        (
            r"==\d+== (?P<text>Invalid (?:read|write) of size|Invalid free\(\)|Mismatched free\(\)|Conditional jump or move depends|Use of uninitialised value|Syscall param|Source and destination overlap|Jump to the invalid address|Process terminating with default action of signal \d+ \(SIG[A-Z]+\)).*",
            lambda found: Head(
                f"valgrind: {_constant(found['text'])}",
                found[0].partition("== ")[2].strip(),
                severity="error",
            ),
        ),
    )
)
_MAYBE = lazy_pattern(
    r"exceeded|[Aa]bort|Bus error|Floating point|Illegal instr|anitizer: |libFuzzer: |runtime error: |[Aa]ssert|ASSERT|[Cc]heck|CHECK|terminat|virtual method|\*\*\* |\(\): |corrupt|free|Fatal|FATAL|SIG|ignal|BUG DETECTED|"
    r"violation|Crash reason|- code|Unhandled|Exception|fault|dumped|LLVM|PLEASE|shared libraries|==\d+== [A-Z]|^F\d{4} |^abort: |TRAP: |DB::"
)


def read_head(line: str) -> Head | None:
    """Return what a line announces, None for an ordinary one."""
    if not _MAYBE.search(line):
        return None
    for form, read in _FORMS:
        found = form.match(line)
        if found is not None:
            return read(found)
    return None


_REPORT = lazy_pattern(
    r"(?P<prefix>.{1,120}?[^\s=].*? )==\d+== ?(?:ERROR|WARNING): |(?P<text>.{1,120}? )={5,} .* exceeded"
)
DAEMON = "BaseDaemon: "
"""What ClickHouse puts before each line of its report."""


def prefix_of(line: str) -> str:
    """Return what stands before each line of a report: what another program put before a sanitizer's, or a logger."""
    if line.startswith(DAEMON):
        return DAEMON
    found = _REPORT.match(line[:400]) if "==" in line[:400] else None
    return (found["prefix"] or found["text"]) if found is not None else ""
