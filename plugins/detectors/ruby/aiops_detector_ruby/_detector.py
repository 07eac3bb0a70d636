"""The detector of Ruby exceptions."""

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
    RaisedException,
    Severity,
    Span,
    lazy_pattern,
    parse_envelope,
)
from aiops_detector_ruby import _assertion, _failed_test
from aiops_detector_ruby._extent import after_tail, find_parts, first_line
from aiops_detector_ruby._lines import (
    FRAME_TRIGGER,
    INSPECTED_TRIGGER,
    JRUBY_TRIGGER,
    THREAD,
    Call,
    read_head,
)
from aiops_detector_ruby._parse import UNKNOWN, read_exceptions
from aiops_detector_ruby._record import read_record

_THEIRS = lazy_pattern(
    r"/gems/|/lib/j?ruby/|^(?:<internal:|org/jruby/|vendor/|\(eval)|/vendor/|/\.(?:rbenv|rvm|asdf|bundle)/|^/var/(?:runtime|lang)/|/truffleruby"
    r"|(?:^|/)(?:bin/(?:bundle|rake|rails|puma|sidekiq|ruby|irb)$|bundler/)|^uri:classloader:|\.java$"
)
_SEVERITIES: dict[str, Severity] = {
    "NoMemoryError": "critical",
    "SystemStackError": "critical",
    "fatal": "critical",
    "[BUG]": "critical",
    "Interrupt": "info",
    "SystemExit": "info",
    "SignalException": "info",
}


class RubyConfig(Config):
    """Settings of the ruby detector."""

    in_app: list[str] = Field(default=[])
    """Path prefixes that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Path prefixes that are not your own code, besides gems and the standard library."""


class RubyErrors(LogDetector[RubyConfig]):
    """Exceptions of Ruby, JRuby and TruffleRuby, uncaught or logged, failed tests of RSpec and Minitest."""

    triggers = (
        FRAME_TRIGGER,
        JRUBY_TRIGGER,
        INSPECTED_TRIGGER,
        r"^Traceback \(most recent call last\):",
        r"^(?:[A-Za-z]:)?[^\s:]{1,200}:\d{1,9}: syntax error",
        r"\[BUG\] [A-Za-z]",
        _failed_test.TRIGGER,
        _assertion.TRIGGER,
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the exception from the line that names it to the last frame of its last cause."""
        known = AskedLines(lines)
        if _failed_test.FAILURE.match(known.get(hit) or ""):
            start, last = _failed_test.extent_of_example(known.get, hit)
            if known.ran_out and not lines.final:
                return More(start)
            return Span(start, last) if last else None
        if _assertion.is_assertion(known.get(hit) or ""):
            extent = _assertion.extent_of_assertion(known.get, hit)
            return More(extent[0]) if known.ran_out and not lines.final else Span(*extent)
        parts = find_parts(known.get, hit)
        if not parts:
            return More(hit) if known.ran_out and not lines.final else None
        start, end = first_line(known.get, parts), after_tail(known.get, parts)
        if known.ran_out and not lines.final:
            return More(start)
        return Span(start, end) if start <= hit < end else None

    def detect(self, block: Block) -> Event | None:
        """Read the exception and its causes."""
        exceptions = _failed_test.read_example(block.lines, self._is_ours)
        exceptions = exceptions or _assertion.read_assertion(block.lines, self._is_ours)
        exceptions = exceptions or read_exceptions(block.lines, self._is_ours)
        severity = _logged_severity(block)
        if exceptions[0].type == UNKNOWN:
            if severity is None and not block.headline:
                return None  # a list of calls that nothing calls an error
            exceptions = (_named_above(block, exceptions[0]), *exceptions[1:])
        surfaced = exceptions[0]
        if severity == "info" and not any(raised.frames for raised in exceptions):
            return None  # told of, but handled
        thread = THREAD.search(block.first_line)
        return Event(
            type=surfaced.type,
            message=surfaced.message,
            severity=_SEVERITIES.get(surfaced.type, severity or "error"),
            language="ruby",
            exceptions=exceptions,
            attributes={"thread": thread["name"]} if thread else {},
        )

    def _is_ours(self, call: Call) -> bool:
        if call.file.startswith(tuple(self.config.in_app)):
            return True
        if call.gem or call.file.startswith(tuple(self.config.not_in_app)):
            return False
        return _THEIRS.search(call.file) is None


def _logged_severity(block: Block) -> Severity | None:
    """Return the level of the record that carries the exception."""
    for line in (block.headline, block.prefix, block.first_line):
        if line and (severity := parse_envelope(line.lstrip()).severity):
            return severity
    return None


def _named_above(block: Block, raised: RaisedException) -> RaisedException:
    """Name an exception whose backtrace was logged on its own, after the line that told of it or beside it."""
    head = read_record(block.raw) or (read_head(block.headline) if block.headline else None)
    if head is not None:
        return RaisedException(head.type, head.message, raised.frames)
    text = block.headline[parse_envelope(block.headline).length :]
    return RaisedException(UNKNOWN, text.strip(), raised.frames)
