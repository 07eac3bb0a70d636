"""What a candidate becomes once it is settled: a claim with its block, unwrapped."""

from __future__ import annotations

from dataclasses import dataclass

from aiops_core.records import Block
from aiops_core.text.candidates import Candidate
from aiops_core.text.carriers import Carried
from aiops_core.text.envelope import parse_envelope
from aiops_core.text.kept import Kept
from aiops_core.text.known_blocks import Lesson
from aiops_core.text.unwrap import decode_line

_RAW_CAP = 256 * 1024


@dataclass(frozen=True, slots=True)
class Claim:
    """One block, which detector claimed it, and where it stands in the stream."""

    detector: int
    start: int
    end: int
    block: Block
    before: tuple[str, ...]
    after: tuple[str, ...]
    carried: Carried | None = None
    """What the carrier of the lines told about them."""
    record: str = ""
    """The whole record a field of which holds the block."""
    lesson: Lesson | None = None
    """What may be learned from the block, so that its like need not be read."""
    continues: int | None = None
    """Where the block starts that this one goes on from: a silence closed it too early."""


def block_of(candidate: Candidate, start: int, kept: Kept, *, is_trace: bool) -> Block:
    """Return the block of a candidate that starts at an offset, with the line that introduced it."""
    lines = candidate.lines
    texts = [lines.get(index) or "" for index in range(candidate.first, candidate.last)]
    prefix = candidate.prefix
    if not prefix and not candidate.is_hit_first:
        prefix = texts[0][: parse_envelope(texts[0]).length]
        texts[0] = texts[0][len(prefix) :]
    return Block(
        lines=tuple(texts),
        headline=_headline(candidate, start, kept, is_trace=is_trace),
        prefix=prefix,
        raw=_raw(candidate, start, kept).decode("utf-8", "replace"),
        trigger=candidate.trigger,
        truncated=lines.capped,
    )


def text_of(candidate: Candidate, raw: bytes) -> str:
    """Return the text of a raw line of the writer of a candidate."""
    carried = candidate.carrier(raw) if candidate.carrier else None
    return carried.text if carried is not None else decode_line(raw)


def _headline(candidate: Candidate, start: int, kept: Kept, *, is_trace: bool) -> str:
    """Return the line before the block, the message of its record, or the line before it in a text."""
    if start != candidate.start:
        return text_of(candidate, kept.line(start))
    if candidate.record is None or not is_trace:
        return ""
    return candidate.record.message or candidate.lines.get(candidate.first - 1) or ""


def _raw(candidate: Candidate, start: int, kept: Kept) -> bytes:
    pieces = candidate.raw_lines()
    is_whole = not candidate.lines.skipped(candidate.first, candidate.last)
    if is_whole and kept.is_blank(kept.line_end(start), pieces[0][0]):
        return kept.slice(start, min(candidate.end, start + _RAW_CAP))
    headline = kept.line(start) if start < pieces[0][0] else b""
    return b"".join([headline, *(kept.slice(*piece) for piece in pieces)])[:_RAW_CAP]
