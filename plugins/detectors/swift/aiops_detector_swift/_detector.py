"""The detector of crashes of Swift and Objective-C programs."""

from __future__ import annotations

from pydantic import Field

from aiops_core import AskedLines, Block, Config, Event, Lines, LogDetector, More, RaisedException, Span
from aiops_detector_swift._extent import end_of_crash, find_head
from aiops_detector_swift._libraries import is_library
from aiops_detector_swift._parse import read_crash


class SwiftConfig(Config):
    """Settings of the swift detector."""

    in_app: list[str] = Field(default=[])
    """Modules, or beginnings of file names, that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Modules, or beginnings of file names, that are not your own code, besides the standard library, the
    system's frameworks and checked out packages."""


class SwiftErrors(LogDetector[SwiftConfig]):
    """Fatal errors and backtraces of Swift, uncaught exceptions of Objective-C."""

    triggers = (
        r"[^\s:]{1,200}\.swift(?:interface)?:\d+: (?:Fatal|Precondition|Assertion)",
        r"(?:Fatal error|Precondition failed|Assertion failed): .*\.swift, line ",
        r"^(?:Fatal error|Precondition failed|Assertion failed): ",
        r"^\S{1,3} Program crashed: ",
        r"^\S{1,3} Swift runtime failure: ",
        r"\*\*\* Signal \d+: Backtracing",
        r"\*\*\* Terminating app due to ",
        r"\*\*\* Assertion failure in ",
        r"Simultaneous accesses to 0x",
        r"Could not cast value of type '",
        r"^Stack dump:",
        r"submit a bug report \(?https?://(?:swift|github\.com/(?:apple|swiftlang)/swift)",
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the crash from its words to the last section of its backtrace."""
        known = AskedLines(lines)
        head = find_head(known.get, hit)
        if head is None:
            return More(hit) if known.ran_out and not lines.final else None
        end = end_of_crash(known.get, head)
        if known.ran_out and not lines.final:
            return More(head)
        return Span(head, end) if hit < end else None

    def detect(self, block: Block) -> Event:
        """Read what the crash says and the stack of the thread it happened in."""
        crash = read_crash([block.prefix + block.lines[0], *block.lines[1:]], self._is_ours)
        if crash.type == "crash" and block.prefix:
            crash = read_crash(block.lines, self._is_ours)
        return Event(
            type=crash.type,
            message=crash.message,
            severity="critical",
            language="swift",
            exceptions=(RaisedException(crash.type, crash.message, crash.frames),),
            attributes={"thread": crash.thread} if crash.thread else {},
        )

    def _is_ours(self, function: str, file: str, module: str) -> bool:
        if module in self.config.in_app or file.startswith(tuple(self.config.in_app)):
            return True
        if module in self.config.not_in_app or file.startswith(tuple(self.config.not_in_app)):
            return False
        return not is_library(function, file, module)
