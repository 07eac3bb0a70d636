"""What a candidate becomes once it is settled: a claim with its block, unwrapped."""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct

from aiops_core.records import Block
from aiops_core.text.candidates import Candidate
from aiops_core.text.carriers import Carried
from aiops_core.text.envelope import parse_envelope
from aiops_core.text.envelope_forms import is_parted
from aiops_core.text.kept import Kept
from aiops_core.text.known_blocks import Lesson
from aiops_core.text.streams import Writer, WriterLines
from aiops_core.text.unwrap import decode_line, strip_ansi

_RAW_CAP = 256 * 1024


class Claim(Struct, frozen=True):
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


def is_of_writer(candidate: Candidate, raw: bytes) -> bool:
    """Tell whether a raw line is of the writer of a candidate, as far as its carrier tells writers apart."""
    carried = candidate.carrier(raw) if candidate.carrier else None
    return candidate.carrier is None or (carried is not None and carried.stream == candidate.stream)


def text_of(candidate: Candidate, raw: bytes) -> str:
    """Return the text of a raw line of the writer of a candidate."""
    carried = candidate.carrier(raw) if candidate.carrier else None
    return carried.text if carried is not None else decode_line(raw)


def pieces_at(candidate: Candidate, start: int, kept: Kept) -> list[tuple[int, int]]:
    """Return where the pieces start and end of a line of the writer of a candidate."""
    carrier = candidate.carrier
    carried = carrier(kept.line(start)) if carrier else None
    if carrier is None or carried is None or not carried.is_partial:
        return [(start, kept.line_end(start))]
    at, base = start - kept.base, kept.base
    lines = WriterLines(kept.data, at, at, Writer(carrier, carried.stream), final=True)
    lines.get(0)  # takes in all of it
    return [(first + base, last + base) for first, last in lines.raw_lines(0, 1)]


def line_at(candidate: Candidate, start: int, kept: Kept) -> str:
    """Return the text of a line of the writer of a candidate, its pieces joined."""
    pieces = pieces_at(candidate, start, kept)
    return strip_ansi("".join(text_of(candidate, kept.slice(*piece)) for piece in pieces))


def is_whole(candidate: Candidate, start: int, kept: Kept) -> bool:
    """Tell whether nothing but blank lines stands among the lines of a block that starts at an offset."""
    if candidate.lines.skipped(candidate.first, candidate.last):
        return False
    pieces = [
        piece for line in _headlines(candidate, start, kept) for piece in pieces_at(candidate, line, kept)
    ]
    pieces.append(candidate.raw_lines()[0])
    return all(kept.is_blank(one[1], other[0]) for one, other in pairwise(pieces))


def _headline(candidate: Candidate, start: int, kept: Kept, *, is_trace: bool) -> str:
    """Return the line before the block, the message of its record, or the line before it in a text."""
    if start != candidate.start:
        lines = _headlines(candidate, start, kept)
        return " ".join(line_at(candidate, line, kept) for line in lines)
    if candidate.record is None or not is_trace:
        return ""
    return candidate.record.message or candidate.lines.get(candidate.first - 1) or ""


def _raw(candidate: Candidate, start: int, kept: Kept) -> bytes:
    if is_whole(candidate, start, kept):
        return kept.slice(start, min(candidate.end, start + _RAW_CAP))
    headlines = _headlines(candidate, start, kept)
    pieces = [piece for line in headlines for piece in pieces_at(candidate, line, kept)]
    return b"".join(kept.slice(*piece) for piece in [*pieces, *candidate.raw_lines()])[:_RAW_CAP]


def _headlines(candidate: Candidate, start: int, kept: Kept) -> list[int]:
    """Return where the line that introduced a block starts, and the second one of a record in two."""
    if start == candidate.start:
        return []
    second = kept.line_end(start)
    if second >= candidate.start:
        return [start]
    is_second = is_parted(line_at(candidate, start, kept), line_at(candidate, second, kept))
    return [start, second] if is_second else [start]
