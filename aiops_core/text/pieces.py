"""Cut what a pipe delivers into whole lines, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LONGEST_LINE = 1 << 20


class Piece(NamedTuple):
    """Whole lines, or the beginning of one that is too long; ``offset`` is that of its first byte."""

    offset: int
    data: bytes
    is_cut: bool = False
    original_bytes: int = 0
    """Length of the line a cut piece is the beginning of; 0 where it is not known yet."""


class LineCutter:
    """Hold back the last line until its end comes."""

    def __init__(self) -> None:
        self._offset = 0
        self._rest = bytearray()
        self._is_skipping = False

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Yield what these bytes complete; give at most LONGEST_LINE bytes at once."""
        if self._is_skipping:
            data = self._skip(data)
        held, first = len(self._rest), data.find(b"\n")
        self._rest += data
        if first >= 0 and held + first > LONGEST_LINE:
            yield self._cut(held + first + 1, original_bytes=held + first)
        if (end := self._rest.rfind(b"\n") + 1 if first >= 0 else 0) > 0:
            yield self._take(end)
        if len(self._rest) > LONGEST_LINE:
            self._is_skipping = True
            yield self._cut(len(self._rest))

    def rest(self) -> Piece:
        """Return what is left of a last line without an end; what comes then begins a line of its own."""
        self._is_skipping = False
        return self._take(len(self._rest))

    def leave_gap(self, size: int) -> None:
        """Count bytes nobody printed."""
        self._offset += size

    def _take(self, size: int) -> Piece:
        piece = Piece(self._offset, bytes(self._rest[:size]))
        self._drop(size)
        return piece

    def _cut(self, size: int, original_bytes: int = 0) -> Piece:
        """Return the beginning of a line that fills ``size`` bytes, with a line end of its own."""
        piece = Piece(self._offset, bytes(self._rest[:LONGEST_LINE]) + b"\n", True, original_bytes)
        self._drop(size)
        return piece

    def _skip(self, data: bytes) -> bytes:
        end = data.find(b"\n") + 1
        self._is_skipping = end == 0
        self._offset += end or len(data)
        return data[end:] if end else b""

    def _drop(self, size: int) -> None:
        del self._rest[:size]
        self._offset += size
