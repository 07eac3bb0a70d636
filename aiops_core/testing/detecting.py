"""Run detectors over text the way ingest does: trigger scan, windows, cutting, one block at a time."""

from __future__ import annotations

from dataclasses import dataclass

from aiops_core.component import LogDetector
from aiops_core.records import Block, Event
from aiops_core.text.blocks import Claim, Cutter, Grammar


@dataclass(frozen=True, slots=True)
class Found:
    """One detected event, and where its block stands: ``start`` and ``end`` are line numbers from 0."""

    detector: LogDetector
    event: Event
    block: Block
    text: str
    start: int
    end: int

    @property
    def headline(self) -> str:
        """The logging line that introduced the block, "" without one."""
        return self.block.headline


def find(
    *detectors: LogDetector, text: str | bytes, step: int = 0, grammar: Grammar | None = None
) -> list[Found]:
    """Return the events in ``text``, fed at once or ``step`` lines at a time.

    ``grammar`` spares compiling the same detectors again.
    """
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    cutter = Cutter(grammar or Grammar(detectors), 0)
    claims = [claim for chunk in _chunks(data, step) for claim in cutter.feed(chunk)[0]]
    claims += cutter.flush()
    return [
        found
        for claim in claims
        if isinstance(claim, Claim)  # nothing repeats: nothing was learned
        for found in _detect(detectors[claim.detector], claim, data)
    ]


def _chunks(data: bytes, step: int) -> list[bytes]:
    if not step:
        return [data]
    lines = data.splitlines(keepends=True)
    return [b"".join(lines[at : at + step]) for at in range(0, len(lines), step)]


def _detect(detector: LogDetector, claim: Claim, data: bytes) -> list[Found]:
    result = detector.detect(claim.block)
    events = [] if result is None else result if isinstance(result, list) else [result]
    start = data.count(b"\n", 0, claim.start)
    end = start + data.count(b"\n", claim.start, claim.end)
    text = data[claim.start : claim.end].decode("utf-8", "surrogateescape")
    return [Found(detector, event, claim.block, text, start, end) for event in events]
