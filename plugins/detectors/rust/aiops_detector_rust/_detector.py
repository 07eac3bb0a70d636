"""The detector of Rust panics and error reports."""

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
    lazy_pattern,
    parse_envelope,
)
from aiops_detector_rust import _compiler
from aiops_detector_rust._drawn import TRIGGERS as DRAWN_TRIGGERS
from aiops_detector_rust._extent import find_reports
from aiops_detector_rust._libraries import LIBRARIES, LIBRARY_PLACES
from aiops_detector_rust._parse import Said, read_reports, to_exceptions

_CRATE = lazy_pattern(r"(?:(?=<unknown>)|[<&]*(?:impl |dyn |mut )*)(?P<crate>[\w<>]+)")
_CRITICAL = frozenset({"stack overflow", "fatal runtime error", "out of memory"})


class RustConfig(Config):
    """Settings of the rust detector."""

    in_app: list[str] = Field(default=[])
    """Prefixes of paths of functions (``my_crate::``) that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Prefixes of paths of functions that are not your own code, besides the standard library and crates."""


class RustErrors(LogDetector[RustConfig]):
    """Panics, aborts and reports of errors (anyhow, eyre, color-eyre) of Rust programs, errors of its compiler."""

    triggers = (
        r"^thread '[^'\n]{1,200}'(?: \(\d+\))? (?:panicked at |has overflowed its stack)",
        r"^The application panicked \(crashed\)\.",
        r"^Well, this is embarrassing\.",
        r"^fatal runtime error: [a-zA-Z]",
        r"^memory allocation of \d+ bytes failed",
        r"^ {0,4}Caused by:$",
        r"^Caused by th(?:is|ese) error",
        r"^panicked at [^\s:]{1,300}\.rs:\d+:\d+:$",
        *DRAWN_TRIGGERS,
        _compiler.TRIGGER,
        r"^[Ss]tack backtrace:$",
        r"^(?: |━){0,120}━ (?:BACK|SPAN)TRACE ━",
        r"^Backtrace omitted\. Run with RUST_BACKTRACE=",
        r"^ {3,4}[^\s:]{1,200}\.rs:\d+:\d+$",
        r"^Error: (?:[A-Z]\w{0,80}\(){0,3}[A-Z]\w{0,80} \{ [a-z_]{1,80}: ",
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the report from the line that announces it to its last section."""
        known = AskedLines(lines)
        if _compiler.PLACE.match(known.get(hit) or ""):
            extent = _compiler.extent_of_error(known.get, hit)
            if extent is None:
                return None
            return More(extent[0]) if known.ran_out and not lines.final else Span(*extent)
        reports = find_reports(known.get, hit)
        if known.ran_out and not lines.final:
            return More(reports[0].start if reports else hit)
        if not reports or not reports[0].start <= hit < reports[-1].end:
            return None
        return Span(reports[0].start, reports[-1].end)

    def detect(self, block: Block) -> Event:
        """Read the panic or the error, its causes and its backtrace."""
        if (failed := _compiler.read_error(block.lines)) is not None:
            return Event(type=failed.type, message=failed.message, language="rust", exceptions=(failed,))
        said = read_reports(block.lines, block.prefix)
        first = said[0]
        exceptions = to_exceptions(said, self._is_ours)
        return Event(
            type=first.type,
            message=exceptions[0].message,
            severity=_severity(said, block),
            language="rust",
            exceptions=exceptions,
            attributes={"thread": first.thread} if first.thread else {},
        )

    def _is_ours(self, name: str, file: str) -> bool:
        if name.startswith(tuple(self.config.in_app)):
            return True
        if name.startswith(tuple(self.config.not_in_app)) or LIBRARY_PLACES.search(file):
            return False
        found = _CRATE.match(name)
        return found is None or found["crate"] not in LIBRARIES or ("::" not in name and bool(file))


def _severity(said: list[Said], block: Block) -> Severity:
    """Return what the report says, else the level of the record that carries it."""
    if said[0].type in _CRITICAL or len(said) > 1:
        return "critical"
    for line in (block.headline, block.prefix, block.first_line):
        if line and (severity := parse_envelope(line).severity):
            return severity
    return "error"
