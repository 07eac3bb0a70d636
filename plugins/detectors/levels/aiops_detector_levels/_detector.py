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
    lazy_pattern,
    parse_envelope,
)
from aiops_detector_levels._message import read_message, says_nothing, sums_up
from aiops_detector_levels._triggers import Minimum, triggers_from

_NAMELESS = "LogError"
_MOST_LINES = 64
_DIGITS = lazy_pattern(r"\d+")
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
            return _with_more(lines, hit) if said.endswith(":") else Span(hit, hit + 1)
        below = lines.get(hit + 1)
        if below is None:
            return None if lines.final else More(hit)
        text = _without_head(below, line)
        return Span(hit, hit + 2) if text[:1] in {" ", "\t"} and text.strip() else None

    def detect(self, block: Block) -> Event | None:
        """Name the event after its logger."""
        above = f"{block.headline} " if block.headline else ""  # the time of a record in two lines
        envelope = parse_envelope(above + block.first_line)
        below = [_without_head(line, block.first_line) for line in block.lines[1:]]
        text = "\n".join([(above + block.first_line)[envelope.length :], *below]).strip()
        message, logger = read_message(text)
        if says_nothing(message) or sums_up(block.first_line):
            return None
        return Event(
            type=logger or envelope.attributes.get("logger") or _NAMELESS,
            message=message,
            severity=envelope.severity,
            attributes=dict(envelope.attributes),
        )


def _with_more(lines: Lines, hit: int) -> Span | More:
    """Claim a line that ends in a colon, with those that have the same envelope and an indented text."""
    first, end = lines.get(hit) or "", hit + 1
    while end - hit < _MOST_LINES and (line := lines.get(end)) is not None:
        text = _without_head(line, first)
        if text == line or text[:1] not in {" ", "\t"}:
            return Span(hit, end)
        end += 1
    is_open = end - hit < _MOST_LINES and not lines.final
    return More(hit) if is_open else Span(hit, end)


def _without_head(line: str, first: str) -> str:
    """Return a line without the envelope, where the first line begins with the same one but for its numbers."""
    head = line[: parse_envelope(line).length].rstrip()
    is_same = bool(head) and _DIGITS.sub("0", first[: len(head)]) == _DIGITS.sub("0", head)
    return line[len(head) + 1 :] if is_same else line
