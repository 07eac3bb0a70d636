"""The detector of Python tracebacks."""

from __future__ import annotations

from pydantic import Field

from aiops_core import (
    AskedLines,
    Block,
    Config,
    Event,
    Lines,
    LogDetector,
    More,
    Severity,
    Span,
    parse_envelope,
)
from aiops_detector_python._drawn import TRIGGERS as DRAWN
from aiops_detector_python._drawn import extent_of_drawn, is_drawn, read_drawn
from aiops_detector_python._extent import end_of_trace, find_head, first_line, is_quoted
from aiops_detector_python._failed_test import PLACE, extent_of_test, read_test
from aiops_detector_python._lines import COLOURS, THREAD
from aiops_detector_python._parse import complete, read_exceptions
from aiops_detector_python._paths import is_library, is_under

_SEVERITIES: dict[str, Severity] = {
    "MemoryError": "critical",
    "SystemError": "critical",
    "Fatal Python error": "critical",
    "Windows fatal exception": "critical",
    "KeyboardInterrupt": "info",
    "SystemExit": "info",
    "GeneratorExit": "info",
}


class PythonConfig(Config):
    """Settings of the python detector."""

    in_app: list[str] = Field(default=[])
    """Path prefixes or folder names that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Path prefixes or folder names that are not your own code, besides installed packages and
    the standard library."""


class PythonErrors(LogDetector[PythonConfig]):
    """Tracebacks, also as rich and IPython draw them, exception groups, syntax and fatal errors, failed tests of pytest."""

    triggers = (
        r"^Traceback \(most recent call last\):",
        r"[:>] Traceback \(most recent call last\):$",
        rf"^ *\+ {COLOURS}Exception Group Traceback \(most recent call last\):",
        r"^SyntaxError\b",
        r"^IndentationError\b",
        r"^TabError\b",
        r"^Exception ignored (?:in|on|while)\b",
        r"^Fatal Python error: ",
        r"^Windows fatal exception: ",
        r"^Timeout \(\d+:\d\d:\d\d",
        r"^\S+\.pyx?(?:\x1b\[[\d;]*m)?:\d+: ",
        *DRAWN,
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the traceback, what led to it and everything chained to it."""
        known = AskedLines(lines)
        if PLACE.match(known.get(hit) or ""):
            return self._span(known, lines, hit, extent_of_test(known.get, hit))
        if is_drawn(known.get(hit) or ""):
            return self._span(known, lines, hit, extent_of_drawn(known.get, hit))
        head = find_head(known.get, hit)
        if head is None:
            return More(hit) if known.ran_out and not lines.final else None
        start = first_line(known.get, head)
        if is_quoted(known.get, head):
            return None
        end = end_of_trace(known.get, start, head)
        if known.ran_out and not lines.final:
            return More(start)
        return Span(start, end) if start <= hit < end and end - start > 1 else None

    def _span(
        self, known: AskedLines, lines: Lines, hit: int, extent: tuple[int, int | None]
    ) -> Span | More | None:
        start, end = extent
        if known.ran_out and not lines.final:
            return More(start)
        return Span(start, end) if end is not None and end > hit else None

    def detect(self, block: Block) -> Event:
        """Read the exception that surfaced and all that led to it."""
        failed = read_test(block.lines, self._is_ours)
        exceptions = (failed,) if failed else read_drawn(block.lines, self._is_ours)
        exceptions = exceptions or read_exceptions(block.lines, self._is_ours)
        surfaced = complete(exceptions[0], block.headline)
        thread = THREAD.search(block.first_line)
        return Event(
            type=surfaced.type,
            message=surfaced.message,
            severity=_severity(surfaced.type, block),
            language="python",
            exceptions=(surfaced, *exceptions[1:]),
            attributes={"thread": thread[1]} if thread else {},
        )

    def _is_ours(self, file: str) -> bool:
        if is_under(file, self.config.in_app):
            return True
        return not (is_library(file) or is_under(file, self.config.not_in_app))


def _severity(name: str, block: Block) -> Severity:
    """Return what the type says, else the level of the record that carries the traceback."""
    if known := _SEVERITIES.get(name.rpartition(".")[2] or name):
        return known
    for line in (block.headline, block.prefix):
        if line and (severity := parse_envelope(line).severity):
            return severity
    return "error"
