"""The detector of PHP errors."""

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
from aiops_detector_php import _failed_test
from aiops_detector_php._extent import end_of_parts, find_parts
from aiops_detector_php._frameworks import TRIGGERS
from aiops_detector_php._lines import is_notice, read_fatal, unwrapped
from aiops_detector_php._parse import read_exceptions

_THEIRS = lazy_pattern(
    r"(?:^|[/\\])vendor[/\\]|^(?:phar://|/usr/share/php|/usr/local/lib/php|SYSTEMPATH/)"
    r"|[/\\]wp-includes[/\\]|[/\\]wp-admin[/\\]|[/\\]core[/\\]lib[/\\]Drupal[/\\]"
)
_EXHAUSTED = (
    "Allowed memory size",
    "Out of memory",
    "Maximum function nesting level",
    "Maximum call stack size",
)


class PhpConfig(Config):
    """Settings of the php detector."""

    in_app: list[str] = Field(default=[])
    """Path prefixes that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Path prefixes that are not your own code, besides the vendor folder."""


class PhpErrors(LogDetector[PhpConfig]):
    """Uncaught and logged exceptions, fatal and parse errors of PHP, failed tests of PHPUnit."""

    triggers = (
        r"^(?:<br />)?(?:<b>)?(?:PHP )?(?:Recoverable f|Catchable f|F)atal error(?:</b>)?: ",
        r"^(?:<br />)?(?:<b>)?(?:PHP )?Parse error(?:</b>)?: ",
        r"^PHP message: (?:PHP )?(?:[A-Z][a-z]+ )?(?:Fatal|fatal|Parse) error: ",
        r"^Stack trace:$",
        r"\[object\] \([A-Za-z_\\]",
        r"\"Exception\": ?\"[A-Za-z_][\w\\]{1,200}\", ?\"Message\": ?\"",
        r"said into std(?:err|out): \"(?:NOTICE: PHP message: )?PHP (?:[A-Z][a-z]+ )?(?:Fatal|fatal|Parse) error: ",
        r"^In [^\s:]{1,200}\.php line \d+:",
        *TRIGGERS,
        _failed_test.TRIGGER,
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the error from the line that names it to where it was thrown."""
        known = AskedLines(lines, unwrapped)
        if _failed_test.PLACE.match(known.get(hit) or ""):
            extent = _failed_test.extent_of_test(known.get, hit)
            if extent is None:
                return None
            return More(extent[0]) if known.ran_out and not lines.final else Span(*extent)
        parts = find_parts(known.get, hit)
        end = end_of_parts(known.get, parts) if parts else hit
        if known.ran_out and not lines.final:
            return More(parts[0].head if parts else hit)
        if not parts or not parts[0].head <= hit < end:
            return None
        is_record = parts[0].form == "object" or is_notice(known.get(parts[0].head - 1) or "")
        return Span(parts[0].head, end, is_record=is_record)

    def detect(self, block: Block) -> Event:
        """Read the exception and what it came of."""
        exceptions = _failed_test.read_test(block.lines, self._is_ours)
        exceptions = exceptions or read_exceptions([unwrapped(line) for line in _whole(block)], self._is_ours)
        surfaced = exceptions[0]
        return Event(
            type=surfaced.type,
            message=surfaced.message,
            severity=_severity(surfaced, block),
            language="php",
            exceptions=exceptions,
        )

    def _is_ours(self, file: str) -> bool:
        if file.startswith(tuple(self.config.in_app)):
            return True
        if not file or file.startswith(tuple(self.config.not_in_app)):
            return False
        return _THEIRS.search(file) is None


def _whole(block: Block) -> list[str]:
    """Return the lines with what was taken for an envelope: CakePHP names the type where others name a logger."""
    return (
        [block.prefix + block.lines[0], *block.lines[1:]] if block.prefix.endswith("] ") else [*block.lines]
    )


def _severity(surfaced: RaisedException, block: Block) -> Severity:
    """Return what the error says, else the level of the record that carries it."""
    if surfaced.message.startswith(_EXHAUSTED):
        return "critical"
    if any(read_fatal(line) for line in block.lines[:2]):
        return "error"
    for line in (block.headline, block.prefix, block.first_line):
        if line and (severity := parse_envelope(line).severity):
            return severity
    return "error"
