"""The detector of errors of Dart and Flutter programs."""

from __future__ import annotations

from pydantic import Field

from aiops_core import AskedLines, Block, Config, Event, Lines, LogDetector, More, RaisedException, Span
from aiops_detector_dart._extent import find_extent
from aiops_detector_dart._libraries import is_library, package_of
from aiops_detector_dart._lines import undrawn
from aiops_detector_dart._parse import read_report

_CRITICAL = frozenset({"OutOfMemoryError", "StackOverflowError"})


class DartConfig(Config):
    """Settings of the dart detector."""

    in_app: list[str] = Field(default=[])
    """Packages, or beginnings of file names, that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Packages, or beginnings of file names, that are not your own code, besides the libraries of the language,
    Flutter and widely used packages."""


class DartErrors(LogDetector[DartConfig]):
    """Uncaught and logged errors of Dart, error boxes of Flutter, crashes of the virtual machine."""

    triggers = (
        r"Unhandled exception:$",
        r"\] (?:Dart )?Unhandled Exception: ",
        r"#0 +\S.*\.dart[:)]",
        r"^ {0,8}#0[01] abs [0-9a-f]+",
        r"isolate_dso_base: ",
        r"\.dart \d+:\d+ +[\w<\[]",
        r"══╡ EXCEPTION CAUGHT BY ",
        r"═ Exception caught by ",
        r"Another exception was thrown: ",
        r"[^\s:]{1,200}\.dart:\d+:\d+: Error: ",
        r"^=+ CRASH =+$",
        r"runtime/(?:vm|bin|platform)/\S+: ?\d+: (?:fatal )?error: ",
        r"\d+:\d\d \+\d+(?: ~\d+)? -\d+: .*\[E\]$",
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the error from the line that names it to the end of its stack."""
        known = AskedLines(lines, undrawn)
        extent = find_extent(known.get, hit)
        if known.ran_out and not lines.final:
            return More(extent.start if extent else hit)
        if extent is None or not extent.start <= hit < extent.end:
            return None
        return Span(extent.start, extent.end)

    def detect(self, block: Block) -> Event:
        """Read what was thrown and its stack."""
        lines = [undrawn(line) for line in block.lines]
        report = read_report(lines, self._is_ours, block.headline)
        is_critical = report.is_crash or report.type in _CRITICAL
        return Event(
            type=report.type,
            message=report.message,
            severity="critical" if is_critical else "error",
            language="dart",
            exceptions=(RaisedException(report.type, report.message, report.frames),),
            attributes={"thread": report.thread} if report.thread else {},
        )

    def _is_ours(self, function: str, file: str) -> bool:
        package = package_of(file)
        if package in self.config.in_app or file.startswith(tuple(self.config.in_app)):
            return True
        if package in self.config.not_in_app or file.startswith(tuple(self.config.not_in_app)):
            return False
        return not is_library(function, file)
