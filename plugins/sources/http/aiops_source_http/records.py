"""What one request holds: whole lines for the pipeline, and what was wrong with the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

MOST_TOLD = 20
LONGEST_LINE = 1 << 20


class Refusal(Exception):
    """Say why a request is not taken, with the HTTP status and headers that say it."""

    def __init__(self, reason: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = headers or {}


class Fault(Struct, frozen=True):
    """What was wrong with one line or record, counted from 1."""

    line: int
    reason: str


class Records(Struct):
    """Lines that are fine, and faults; of many faults the first are kept and all are counted."""

    form: Literal["lines", "otlp_json", "otlp_protobuf"] = "lines"
    lines: bytearray = field(default_factory=bytearray)
    accepted: int = 0
    rejected: int = 0
    faults: list[Fault] = field(default_factory=list)

    def accept(self, line: bytes) -> None:
        """Add one line, which must hold no line end."""
        self.lines += line
        self.lines += b"\n"
        self.accepted += 1

    def reject(self, line: int, reason: str) -> None:
        """Leave one line out and say why."""
        self.rejected += 1
        self.note(line, reason)

    def note(self, line: int, reason: str) -> None:
        """Say something about a line that is used all the same."""
        if len(self.faults) < MOST_TOLD:
            self.faults.append(Fault(line, reason))
