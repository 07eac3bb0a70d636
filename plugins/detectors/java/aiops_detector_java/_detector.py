"""The detector of Java stack traces."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

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
    Severity,
    Span,
)
from aiops_detector_java import _clojure, _compiler, _crash, _gradle, _launcher, _logged, _startup
from aiops_detector_java._extent import DUMP, FRAME_TRIGGER, begins_short, end_of_trace, find_head, first_line
from aiops_detector_java._libraries import LIBRARIES
from aiops_detector_java._parse import read_exceptions

_CRITICAL = ("OutOfMemoryError", "StackOverflowError")


class JavaConfig(Config):
    """Settings of the java detector."""

    in_app: list[str] = Field(default=[])
    """Prefixes of class names that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Prefixes of class names that are not your own code, besides the well-known libraries."""


class JavaErrors(LogDetector[JavaConfig]):
    """Stack traces of Java, Kotlin, Scala and other languages of the Java virtual machine, and its own crashes."""

    triggers = (
        FRAME_TRIGGER,
        r"^(?:\t{0,8}| {0,16})Caused by: ",
        r"^Exception in thread ",
        r"^java\.lang\.OutOfMemoryError",
        r"^(?:Terminating|Aborting) due to java\.lang\.OutOfMemoryError",
        r"^Exception: \S+ thrown from the UncaughtExceptionHandler",
        r"^Full thread dump ",
        _gradle.TRIGGER,
        _clojure.TRIGGER,
        _compiler.TRIGGER,
        _launcher.TRIGGER,
        _logged.TRIGGER,
        _startup.TRIGGER,
        *_crash.TRIGGERS,
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the trace from the line that names the exception to its last cause."""
        known = AskedLines(lines)
        if extent := _extent_of_report(known, hit):
            is_told = _logged.NAMED.match(known.get(hit) or "") is not None
            return More(extent[0]) if known.ran_out and not lines.final else Span(*extent, is_told=is_told)
        head = find_head(known.get, hit)
        if head is None:
            return More(hit) if known.ran_out and not lines.final else None
        end = end_of_trace(known.get, head)
        start = first_line(known.get, head)
        if known.ran_out and not lines.final:
            return More(start)
        return Span(start, end) if end is not None and start <= hit < end else None

    def detect(self, block: Block) -> Event | None:
        """Read the chain of exceptions."""
        if block.first_line.startswith(DUMP):
            return _dump(block)
        if block.first_line.startswith("#"):
            return self._crash(block)
        told = (
            _clojure.read_report(block.lines, self._is_ours)
            or _compiler.read_error(block.lines)
            or _launcher.read_failure(block.lines)
        )
        if told is not None:
            return Event(type=told.type, message=told.message, language="java", exceptions=(told,))
        if failure := _startup.read_failure(block.lines):
            return _fatal(failure)
        # The host takes a name before a colon for a logger's: the name of an exception looks the same.
        lines = (block.prefix + block.first_line, *block.lines[1:])
        if _gradle.BANNER.match(block.first_line):
            lines = tuple(_gradle.exception_in(lines))
            if not lines:
                return _failed_build(block)
        if len(lines) > 2 and begins_short(lines[0], lines[2]):
            lines = lines[2:]
        head, exceptions = read_exceptions(lines, self._is_ours)
        surfaced = exceptions[0]
        return Event(
            type=surfaced.type,
            message=surfaced.message,
            severity=_severity(exceptions),
            language="java",
            exceptions=exceptions,
            attributes={"thread": head.thread} if head.thread else {},
        )

    def _crash(self, block: Block) -> Event:
        raised, thread = _crash.read_crash(block.lines, self._is_ours)
        return _fatal(raised, {"thread": thread} if thread else {})

    @cached_property
    def _prefixes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(self.config.in_app), (*self.config.not_in_app, *LIBRARIES)

    def _is_ours(self, module: str) -> bool:
        ours, theirs = self._prefixes
        return module.startswith(ours) or not module.startswith(theirs)


_REPORTS = (
    (_crash.BANNER, _crash.extent_of_crash),
    (_compiler.ERROR, _compiler.extent_of_error),
    (_launcher.FAILURE, _launcher.extent_of_failure),
    (_clojure.TITLE, _clojure.extent_of_report),
    (_startup.FAILURE, _startup.extent_of_failure),
    (_logged.NAMED, _logged.extent_of_logged),
    (_gradle.BANNER, _gradle.extent_of_report),
)
"""What is no trace: how it begins, and how far it goes."""


def _extent_of_report(known: AskedLines, hit: int) -> tuple[int, int] | None:
    line = known.get(hit) or ""
    extent = next((extent for begins, extent in _REPORTS if begins.match(line)), None)
    return extent(known.get, hit) if extent else None


def _fatal(raised: RaisedException, attributes: Mapping[str, str] = MappingProxyType({})) -> Event:
    return Event(
        type=raised.type,
        message=raised.message,
        severity="critical",
        language="java",
        exceptions=(raised,),
        attributes=dict(attributes),
    )


def _failed_build(block: Block) -> Event:
    failure = _gradle.failure_in(block.lines)
    return Event(type=failure.type, message=failure.message, language="java", exceptions=(failure,))


def _severity(exceptions: tuple[RaisedException, ...]) -> Severity:
    return "critical" if any(raised.type.endswith(_CRITICAL) for raised in exceptions) else "error"


def _dump(block: Block) -> Event:
    is_deadlock = any("Java-level deadlock" in line for line in block.lines)
    name = "deadlock" if is_deadlock else "thread dump"
    raised = RaisedException(name, block.first_line)
    severity: Severity = "error" if is_deadlock else "info"
    return Event(
        type=name, message=block.first_line, severity=severity, language="java", exceptions=(raised,)
    )
