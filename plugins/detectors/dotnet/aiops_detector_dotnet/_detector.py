"""The detector of .NET exceptions."""

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
    Severity,
    Span,
    parse_envelope,
)
from aiops_detector_dotnet._extent import end_of_trace, find_head, first_line
from aiops_detector_dotnet._libraries import LIBRARIES
from aiops_detector_dotnet._lines import (
    CATEGORY,
    FRAME_TRIGGER,
    LOCAL_TRIGGERS,
    MADE_TRIGGERS,
    PLACED_TRIGGER,
    UNITY_TRIGGER,
    read_frame,
    read_head_within,
    starts_afresh,
)
from aiops_detector_dotnet._parse import UNKNOWN, read_exceptions

_CRITICAL = (
    "OutOfMemoryException",
    "StackOverflowException",
    "AccessViolationException",
    "ExecutionEngineException",
)


class DotnetConfig(Config):
    """Settings of the dotnet detector."""

    in_app: list[str] = Field(default=[])
    """Prefixes of namespaces that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Prefixes of namespaces that are not your own code, besides the framework and well-known packages."""


class DotnetErrors(LogDetector[DotnetConfig]):
    """Exceptions of .NET, .NET Framework and Mono in any language of the framework."""

    triggers = (
        FRAME_TRIGGER,
        *LOCAL_TRIGGERS,
        *MADE_TRIGGERS,
        PLACED_TRIGGER,
        UNITY_TRIGGER,
        r"^Unhandled [Ee]xception[.:] [A-Z]",
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the exception from the line that names it to the last frame of the outermost."""
        known = AskedLines(lines)
        head = find_head(known.get, hit)
        if head is None:
            return More(hit) if known.ran_out and not lines.final else None
        end = end_of_trace(known.get, head)
        start = first_line(known.get, head)
        if known.ran_out and not lines.final:
            return More(start)
        if end is None or not start <= hit < end:
            return None
        return Span(start, end, is_record=CATEGORY.match(known.get(start) or "") is not None)

    def detect(self, block: Block) -> Event | None:
        """Read the exception and what is inside it."""
        exceptions = read_exceptions(block.lines, block.prefix, self._is_ours)
        if exceptions[0].type == UNKNOWN and not exceptions[0].message:
            if not block.headline:
                return None  # a list of calls that nothing calls an error
            exceptions = (_named_above(block.headline, exceptions[0]), *exceptions[1:])
        surfaced = exceptions[0]
        return Event(
            type=surfaced.type,
            message=surfaced.message,
            severity=_severity(exceptions, block),
            language="dotnet",
            exceptions=exceptions,
        )

    @cached_property
    def _prefixes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(self.config.in_app), (*self.config.not_in_app, *LIBRARIES)

    def _is_ours(self, method: str) -> bool:
        ours, theirs = self._prefixes
        return method.startswith(ours) or not method.startswith(theirs)


def _severity(exceptions: tuple[RaisedException, ...], block: Block) -> Severity:
    if any(raised.type.endswith(_CRITICAL) for raised in exceptions):
        return "critical"
    for line in (block.headline, block.prefix, block.first_line):
        if line and read_frame(line) is None and (severity := parse_envelope(line).severity):
            return severity
    return "error"


def _named_above(headline: str, raised: RaisedException) -> RaisedException:
    """Name an exception whose stack was logged alone, below the line that told of it."""
    head = read_head_within(headline)
    if head is not None:
        return RaisedException(head.type, head.message, raised.frames)
    text = headline[parse_envelope(headline).length :] if starts_afresh(headline) else headline
    return RaisedException(UNKNOWN, text.strip(), raised.frames)
