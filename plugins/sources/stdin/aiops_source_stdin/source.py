"""The stdin source: standard input, to its end."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator, Mapping
from uuid import uuid4

from aiops_core import LONGEST_LINE, Claim, LineCutter, LogBatch, Piece, Position, Signal, Source, UserError

_TICK = 250
"""Milliseconds between looks whether to stop."""


class StdinSource(Source):
    """Read standard input to its end."""

    resumes = False

    def start(self) -> None:
        _descriptor()

    def claims(self) -> tuple[Claim, ...]:
        """Standard input: a process has one."""
        return (Claim("standard input"),)

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        stream = f"stdin-{uuid4().hex[:12]}"  # what comes next time has nothing to do with this
        cutter = LineCutter()
        has_told = False
        for data in self._chunks(_descriptor()):
            for piece in cutter.feed(data):
                if piece.is_cut and not has_told:
                    has_told = True
                    self._tell_cut(piece)
                yield self._batch(stream, piece)
            if not data:
                yield self._batch(stream, cutter.rest(), ended=True)

    def _chunks(self, descriptor: int) -> Iterator[bytes]:
        """Yield what there is, as it comes; b"" at the end; nothing more once the source is to stop."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        data = b"?"
        while data and not self.context.stopping.is_set():
            if not poll.poll(_TICK):
                continue
            data = os.read(descriptor, LONGEST_LINE)
            parts = [data]
            while data and sum(map(len, parts)) < LONGEST_LINE // 2 and poll.poll(0):
                data = os.read(descriptor, LONGEST_LINE // 2)
                parts.append(data)
            if block := b"".join(parts):
                yield block
            if not data:
                yield b""

    def _tell_cut(self, piece: Piece) -> None:
        self.context.logger.warning(
            "%s: the line at byte %d is longer than %d bytes; of such lines only the beginning is read.",
            self.context.name,
            piece.offset,
            LONGEST_LINE,
        )

    def _batch(self, stream: str, piece: Piece, *, ended: bool = False) -> LogBatch:
        size = len(piece.data)
        attributes = {"truncated": "true"} if piece.is_cut else {}
        if piece.original_bytes:
            attributes["original_bytes"] = str(piece.original_bytes)
        return LogBatch(
            stream,
            piece.data,
            marks=((0, {"offset": piece.offset}), (size, {"offset": piece.offset + size})),
            offset=piece.offset,
            path="standard input",
            attributes=attributes,
            ended=ended,
            read_at=self.context.clock(),
        )


def _descriptor() -> int:
    """Return the file descriptor of standard input; raise UserError when it is closed."""
    try:
        descriptor = sys.stdin.fileno()
        os.fstat(descriptor)
    except (AttributeError, OSError, ValueError):
        raise UserError(
            "standard input is closed. Give it something to read, as in 'aiops run < app.log'"
        ) from None
    return descriptor
