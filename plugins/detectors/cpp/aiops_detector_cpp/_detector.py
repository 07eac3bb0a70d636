"""The detector of crashes of native programs."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from aiops_core import (
    AskedLines,
    Block,
    Config,
    Event,
    Lines,
    LogDetector,
    More,
    RaisedException,
    Span,
    parse_envelope,
)
from aiops_detector_cpp import _compiler, _failed_test
from aiops_detector_cpp._extent import ABOVE, end_of_crash, find_head, first_line
from aiops_detector_cpp._frames import LONGEST, Call
from aiops_detector_cpp._kinds import DAEMON, prefix_of, read_head
from aiops_detector_cpp._libraries import is_library
from aiops_detector_cpp._parse import read_report


class CppConfig(Config):
    """Settings of the cpp detector."""

    in_app: list[str] = Field(default=[])
    """Beginnings of functions, or parts of file or module names, that are your own code; they win over
    every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Beginnings of functions, or parts of file or module names, that are not your own code, besides the
    standard libraries and the tools that report crashes."""


class CppErrors(LogDetector[CppConfig]):
    """Reports of sanitizers, failed assertions and tests, uncaught exceptions, crashes, errors of compilers."""

    triggers = (
        r"(?:==\d+== ?)?(?:ERROR|WARNING): [A-Za-z]+Sanitizer: ",
        r"(?:==\d+== ?)?ERROR: libFuzzer: ",
        r"[^\s:]{1,200}:\d+:\d+: runtime error: ",
        r"Assertion [`'‘].*failed",
        r"[Aa]ssertion .* failed",
        r"Assertion failed: .*(?:file|line|: \d+\))",
        r"^ASSERTION FAILED: ",
        r":\d+: Failed assertion: \"",
        r"^ASSERT: .* in file ",
        r"ASSERT failure in ",
        r"ERROR:\S+:\d+:.*assertion failed",
        r"terminate called ",
        r"pure virtual method called",
        r"libc\+\+abi(?:\.dylib)?: ",
        r"\*\*\* (?:stack smashing|buffer overflow|glibc detected|Error in `|longjmp causes|%n in)",
        r"(?:free|alloc|munmap_chunk|malloc_consolidate)\(\): [a-z]",
        r"corrupted (?:size vs|double-linked)",
        r"double free or corruption",
        r"Fatal glibc error",
        r"malloc: \*\*\* ",
        r"ttempt to free invalid pointer",
        r":FATAL:\S+\] ",
        r"(?:CHECK|[Cc]heck) failed: ",
        r"\*\*\* Check failure stack",
        r"^# {1,2}Fatal ",
        r"^abort: \S",
        r"={5} .* exceeded",
        r"zsh: (?:segmentation|abort|bus err|illegal|floating)",
        r"\*\*\* SIG[A-Z]+ ",
        r"\*\*\* Aborted at ",
        rf"^{DAEMON}.*Received signal ",
        r"[Rr]eceived signal ",
        r"[Cc]aught (?:signal|SIG)",
        r"exited on signal ",
        r"(?:mysqld|mariadbd) got signal \d",
        r"TRAP: (?:failed Assert|FailedAssertion)\(",
        r"Code: \d+\. DB::\w*Exception: ",
        r"\) of user \d+ dumped core",
        r"terminated with signal SIG",
        r"received SIG(?:SEGV|ABRT|BUS|FPE|ILL)",
        r"Signal: (?:SIG|Segm|Bus|Abort|Float)",
        r"Fatal signal \d",
        r"signal \d+ \(SIG[A-Z]+\), code",
        r"Crash reason: ",
        r"- code [0-9a-f]{8} \(",
        r"Unhandled exception (?:at|thrown)",
        r"Exception Type: +EXC_",
        r"(?:Illegal instruction|Aborted|Bus error|Floating point exception|Segmentation fault) +\(core dumped\)",
        r"\(core dumped\)",
        r": line \d+: +\d+ (?:Bus err|Abort|Floating|Illegal)",
        r"Segmentation fault",
        r"LLVM ERROR: ",
        r"PLEASE submit a bug report",
        r"error while loading shared libraries: ",
        r"===BUG DETECTED: ",
        r"==\d+== (?:Invalid (?:read|write|free)|Mismatched free|Conditional jump|Use of uninit|Process terminating with)",
        _failed_test.TRIGGER,
        _compiler.TRIGGER,
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the report from the fence or the first words to the last stack."""
        known = _without_prefix(lines, hit)
        if _failed_test.FAILURE.match(known.get(hit) or ""):
            extent = _failed_test.extent_of_failure(known.get, hit)
            return More(hit) if known.ran_out and not lines.final else Span(*extent)
        if _compiler.ERROR.match(known.get(hit) or ""):
            extent = _compiler.extent_of_error(known.get, hit)
            return More(extent[0]) if known.ran_out and not lines.final else Span(*extent)
        head = find_head(known.get, hit)
        if head is None:
            return More(hit) if known.ran_out and not lines.final else None
        start = first_line(known.get, head)
        end = end_of_crash(known.get, head)
        if known.ran_out and not lines.final:
            return More(start)
        return Span(start, end) if hit < end else None

    def detect(self, block: Block) -> Event:
        """Read what surfaced and the stack of it."""
        failed = _failed_test.read_failure(block.lines) or _compiler.read_error(block.lines)
        if failed is not None:
            return Event(type=failed.type, message=failed.message, language="cpp", exceptions=(failed,))
        report = read_report(_whole(block), self._is_ours)
        raised = RaisedException(report.type, report.message, report.frames)
        return Event(
            type=report.type,
            message=report.message,
            severity=report.severity,
            language="swift" if any(frame.file.endswith(".swift") for frame in report.frames) else "cpp",
            exceptions=(raised,),
            attributes=report.attributes,
        )

    @cached_property
    def _prefixes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(self.config.in_app), tuple(self.config.not_in_app)

    def _is_ours(self, call: Call) -> bool:
        ours, theirs = self._prefixes
        if _is_named(call, ours):
            return True
        return not _is_named(call, theirs) and not is_library(call.function, call.file, call.module)


def _whole(block: Block) -> list[str]:
    """Return the lines, the first with what the host took off it where that tells more."""
    lines = list(block.lines)
    line = block.prefix + lines[0]
    tries = (line, line[parse_envelope(line).length :], lines[0])
    heads = [(text, head) for text in tries if (head := read_head(text[:LONGEST])) is not None]
    if heads:
        lines[0] = next((text for text, head in heads if head.file), heads[0][0])
    prefix = next((prefix for line in lines[:ABOVE] if (prefix := _before(line))), "")
    return [line.removeprefix(prefix) for line in lines]


def _is_named(call: Call, names: tuple[str, ...]) -> bool:
    return call.function.startswith(names) or any(name in call.file or name in call.module for name in names)


def _without_prefix(lines: Lines, hit: int) -> AskedLines:
    """Return the lines without what stands before each."""
    prefix = _before(lines.get(hit) or "")
    return AskedLines(lines, lambda line: line.removeprefix(prefix))


def _before(line: str) -> str:
    """Return what stands before each line of a report, told from its head: a prefix, or an indentation."""
    text = line.lstrip()
    is_indented = text != line and read_head(line[:LONGEST]) is None and read_head(text[:LONGEST]) is not None
    return line[: -len(text)] if is_indented else prefix_of(line)
