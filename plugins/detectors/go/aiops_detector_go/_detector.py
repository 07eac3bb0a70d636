"""The detector of Go crash reports."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from aiops_core import AskedLines, Block, Config, Event, Lines, LogDetector, More, RaisedException, Span
from aiops_detector_go import _recovered
from aiops_detector_go._extent import end_of_crash, find_head, first_line
from aiops_detector_go._libraries import LIBRARIES, LIBRARY_FOLDERS, STANDARD
from aiops_detector_go._lines import RACE
from aiops_detector_go._logged import extent_of_logged, is_logged, read_logged
from aiops_detector_go._parse import read_race, read_report, to_exceptions


class GoConfig(Config):
    """Settings of the go detector."""

    in_app: list[str] = Field(default=[])
    """Prefixes of package paths that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Prefixes of package paths that are not your own code, besides the standard library and modules."""


class GoErrors(LogDetector[GoConfig]):
    """Panics, fatal errors, goroutine dumps, data races and logged stacks of Go programs."""

    triggers = (
        r"^panic: \S",
        r"^fatal error: ",
        r"^http2?: panic serving ",
        r"^SIG[A-Z]{3,6}: [a-z]",
        r"^goroutine \d+ (?:\[|gp=)",
        rf"^{RACE}",
        r"goroutine \d+ \[running",
        r"^\t\S+\.go:\d+$",
        _recovered.TRIGGER,
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the report from what the runtime says first to the last goroutine, or a logged stack."""
        known = AskedLines(lines)
        if (known.get(hit) or "").startswith("\t") and (logged := extent_of_logged(known.get, hit)):
            return More(logged[0]) if known.ran_out and not lines.final else Span(*logged)
        if _recovered.RECOVERED.match(known.get(hit) or ""):
            extent = _recovered.extent_of_recovered(known.get, hit)
            if known.ran_out and not lines.final:
                return More(hit)
            return Span(*extent) if extent else None
        head = find_head(known.get, hit)
        if head is None:
            return None
        end = end_of_crash(known.get, head)
        start = first_line(known.get, head)
        if known.ran_out and not lines.final:
            return More(start)
        return Span(start, end) if end is not None and hit < end else None

    def detect(self, block: Block) -> Event:
        """Read the panic and the stack of the goroutine it ran in."""
        if any(RACE in line for line in block.lines[:2]):
            return _event(read_race(block.lines, self._is_ours), "")
        if _recovered.RECOVERED.match(block.prefix + block.lines[0]):
            return _event(_recovered.read_recovered(block.lines, self._is_ours), "")
        if is_logged(block.lines):
            return _event(read_logged(block, self._is_ours), "")
        report = read_report(block.lines, self._is_ours, block.prefix)
        return _event(to_exceptions(report), report.goroutine)

    @cached_property
    def _prefixes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(self.config.in_app), (*self.config.not_in_app, *LIBRARIES)

    def _is_ours(self, package: str, file: str) -> bool:
        ours, theirs = self._prefixes
        if package.startswith(ours):
            return True
        if not package or package.startswith(theirs):
            return False
        is_standard = package.partition("/")[0] in STANDARD
        return not is_standard and not any(folder in file for folder in LIBRARY_FOLDERS)


def _event(exceptions: tuple[RaisedException, ...], goroutine: str) -> Event:
    surfaced = exceptions[0]
    is_fatal = any(raised.type.startswith("fatal error") for raised in exceptions)
    return Event(
        type=surfaced.type,
        message=surfaced.message,
        severity="critical" if is_fatal else "error",
        language="go",
        exceptions=exceptions,
        attributes={"goroutine": goroutine} if goroutine else {},
    )
