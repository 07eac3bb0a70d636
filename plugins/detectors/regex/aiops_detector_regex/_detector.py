"""The detector of lines that match a pattern."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from aiops_core import Block, Config, Context, Event, Lines, LogDetector, Span, parse_envelope
from aiops_detector_regex._patterns import DEFAULT_FILE, Entry, Pattern, compile_patterns, read_file

_MOST = 8_000


class PatternConfig(Config):
    """One pattern."""

    regex: str
    """Regular expression that finds the line; named groups become attributes of the event, the
    group ``message`` its message. A leading ``^`` means the start of the line or of its message."""
    name: str
    """Type of the events it makes."""
    severity: str = "error"
    """Severity of the events it makes: ``critical``, ``error``, ``warning`` or ``info``."""
    language: str = ""
    """Programming language of the events it makes; none when empty."""


class RegexConfig(Config):
    """Settings of the regex detector."""

    patterns: list[PatternConfig] = Field(default=[])
    """Patterns in order; the first that matches a line names the event."""
    file: str = ""
    """YAML file of more patterns by language, relative to the pipeline file. Without patterns and
    file the patterns this detector brings along are used."""


class RegexErrors(LogDetector[RegexConfig]):
    """Lines that match one of your patterns."""

    rank = "line"

    def __init__(self, config: RegexConfig | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self._patterns = compile_patterns(self._entries())
        self.triggers = tuple(dict.fromkeys(one for known in self._patterns for one in known.triggers))

    def cut(self, lines: Lines, hit: int) -> Span | None:
        """Claim the line when a whole pattern matches, not only its literal text."""
        return Span(hit, hit + 1) if self._match(lines.get(hit) or "") else None

    def detect(self, block: Block) -> Event | None:
        """Name the event after the pattern."""
        line = block.first_line
        matched = self._match(line)
        if matched is None:
            return None
        pattern, groups = matched
        envelope = parse_envelope(line)
        message = groups.get("message") or line[envelope.length :]
        named = {name: value for name, value in groups.items() if name != "message"}
        return Event(
            type=pattern.name,
            message=message.strip()[:_MOST],
            severity=pattern.severity,
            language=pattern.language,
            attributes={**envelope.attributes, **named},
        )

    def _entries(self) -> list[Entry]:
        entries = [
            Entry(f"patterns[{index}]", one.regex, one.name, one.severity, one.language)
            for index, one in enumerate(self.config.patterns)
        ]
        if self.config.file:
            entries += read_file(self.context.directory / self.config.file, self.config.file)
        return entries or read_file(DEFAULT_FILE, DEFAULT_FILE.name)

    def _match(self, line: str) -> tuple[Pattern, Mapping[str, str]] | None:
        for pattern in self._patterns:
            groups = pattern.search(line)
            if groups is None and pattern.is_anchored:
                groups = pattern.search(line[parse_envelope(line).length :])
            if groups is not None:
                return pattern, groups
        return None
