"""One output of a program as one physical stream, over all its runs."""

from __future__ import annotations

from collections.abc import Iterator

from aiops_core import LONGEST_LINE, Context, LineCutter, LogBatch, Piece


class FollowedOutput:
    """Turn what a program prints on one of its outputs into batches of whole lines."""

    def __init__(self, context: Context, name: str, stream: str, program: str) -> None:
        self._context = context
        self._name = name
        self._stream = stream
        self._path = f"{program} ({name})"
        self._cutter = LineCutter()
        self._has_told = False

    def feed(self, data: bytes) -> Iterator[LogBatch]:
        """Yield the lines these bytes complete."""
        for piece in self._cutter.feed(data):
            if not piece.is_cut:
                yield self._batch(piece)
                continue
            self._tell_cut(piece)
            length = {"original_bytes": str(piece.original_bytes)} if piece.original_bytes else {}
            yield self._batch(piece, {"truncated": "true", **length})

    def finish(self) -> Iterator[LogBatch]:
        """Yield a last line without an end; what follows is of another run."""
        rest = self._cutter.rest()
        if rest.data:
            self._cutter.leave_gap(1)  # the line end that is added
            yield self._batch(Piece(rest.offset, rest.data + b"\n"), {"partial": "true"})
        self._cutter.leave_gap(1)  # so that nothing open goes on in the next run

    def end(self) -> LogBatch:
        """Return the batch that says that nothing follows."""
        return self._batch(self._cutter.rest(), ended=True)

    def _tell_cut(self, piece: Piece) -> None:
        if not self._has_told:
            self._has_told = True
            self._context.logger.warning(
                "%s: a line of %s is longer than %d bytes; of such lines only the beginning is read.",
                self._context.name,
                self._path,
                LONGEST_LINE,
            )

    def _batch(
        self, piece: Piece, attributes: dict[str, str] | None = None, *, ended: bool = False
    ) -> LogBatch:
        size = len(piece.data)
        return LogBatch(
            self._stream,
            piece.data,
            marks=((0, {"offset": piece.offset}), (size, {"offset": piece.offset + size})),
            offset=piece.offset,
            path=self._path,
            attributes={"stream": self._name, **(attributes or {})},
            ended=ended,
            read_at=self._context.clock(),
        )
