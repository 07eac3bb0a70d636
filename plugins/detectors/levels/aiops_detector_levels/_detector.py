"""The detector of lines with a high level."""

from __future__ import annotations

from aiops_core import (
    Block,
    Config,
    Context,
    Event,
    Lines,
    LogDetector,
    More,
    Severity,
    Span,
    parse_envelope,
)
from aiops_detector_levels._message import read_message, says_nothing, sums_up
from aiops_detector_levels._triggers import Minimum, triggers_from

_NAMELESS = "LogError"
_MOST_LINES = 64
_WANTED: dict[Minimum, frozenset[Severity]] = {
    "critical": frozenset({"critical"}),
    "error": frozenset({"critical", "error"}),
    "warning": frozenset({"critical", "error", "warning"}),
}


class LevelsConfig(Config):
    """Settings of the levels detector."""

    minimum: Minimum = "error"
    """Least severity of a line that makes an event: ``critical``, ``error`` or ``warning``."""


class ErrorLevels(LogDetector[LevelsConfig]):
    """Lines logged as an error, or worse, without a stack trace of their own."""

    rank = "line"
    reads_numbers = False

    def __init__(self, config: LevelsConfig | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self.triggers = triggers_from(self.config.minimum)
        self._wanted = _WANTED[self.config.minimum]

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the line when the word that was found is its level; with its message, if that is below."""
        line = lines.get(hit) or ""
        envelope = parse_envelope(line)
        if envelope.severity not in self._wanted:
            return None
        if said := line[envelope.length :].strip():
            return (
                _with_more(lines, hit, line[: envelope.length]) if said.endswith(":") else Span(hit, hit + 1)
            )
        below = lines.get(hit + 1)
        if below is None:
            return None if lines.final else More(hit)
        return Span(hit, hit + 2) if below[:1] in {" ", "\t"} and below.strip() else None

    def detect(self, block: Block) -> Event | None:
        """Name the event after its logger."""
        above = f"{block.headline} " if block.headline else ""  # the time of a record in two lines
        envelope = parse_envelope(above + block.first_line)
        again = "\n" + block.first_line[: envelope.length].rstrip()
        text = (above + block.text.replace(again, "\n"))[envelope.length :].strip()
        message, logger = read_message(text)
        if says_nothing(message) or sums_up(block.first_line):
            return None
        return Event(
            type=logger or envelope.attributes.get("logger") or _NAMELESS,
            message=message,
            severity=envelope.severity,
            attributes=dict(envelope.attributes),
        )


def _with_more(lines: Lines, hit: int, envelope: str) -> Span | More:
    """Claim a line that ends in a colon, with those that have the very same envelope and an indented text."""
    indented, end = envelope.rstrip() + "  ", hit + 1
    while end - hit < _MOST_LINES and (line := lines.get(end)) is not None and line.startswith(indented):
        end += 1
    is_open = end - hit < _MOST_LINES and lines.get(end) is None and not lines.final
    return More(hit) if is_open else Span(hit, end)
