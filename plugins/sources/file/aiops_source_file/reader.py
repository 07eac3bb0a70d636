"""Turn the next bytes of a generation into a batch of whole lines, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aiops_core import LogBatch, Position
from aiops_source_file.content import Content
from aiops_source_file.generation import Generation
from aiops_source_file.troubles import Troubles, printable

MAX_LINE = 1 << 20
KEPT_PARTIAL = 16 * 1024
LOOK_AHEAD = 64 << 20
"""How far one read searches for the end of an over-long line or of a run of zero bytes."""

Marks = tuple[tuple[int, Position], ...]


@dataclass(slots=True)
class Reader:
    """Read generations through one buffer; a chunk a call."""

    troubles: Troubles
    clock: Callable[[], datetime]
    _buffer: bytearray = field(default_factory=lambda: bytearray(MAX_LINE + 2))
    _ahead: bytearray = field(default_factory=lambda: bytearray(MAX_LINE // 4))

    def read(self, generation: Generation, content: Content) -> LogBatch | None:
        """Return the next whole lines, or None: look at ``is_drained`` whether there may be more."""
        if generation.offset == 0:
            generation.offset = generation.nature.begin
        length = content.readinto(self._room(generation), generation.offset)
        generation.is_drained = length < len(self._room(generation))
        if length and generation.is_skipping:
            self._skip(generation, length)
            return None
        if length and not self._buffer[0] and not generation.nature.encoding:
            self._drop_zeros(generation, content)
            return None
        cut = self._last_line_end(generation, length)
        if cut:
            self._keep_partial(generation, cut, length)
            return self._lines(generation, content, cut)
        if not generation.is_drained:
            return self._over_long(generation, content)
        self._keep_partial(generation, 0, length)
        return None

    def rest(self, generation: Generation, content: Content | None) -> bytes:
        """Return the unterminated last line as it lies in the file, else as last seen."""
        if generation.is_skipping:
            return b""
        if content is None:
            return generation.partial
        length = content.readinto(self._room(generation), generation.offset)
        rest = bytes(self._room(generation)[:length])
        is_whole = self._last_line_end(generation, length) > 0
        is_hole = rest.startswith(b"\0") and not generation.nature.encoding
        return b"" if is_whole or is_hole else rest

    def last(
        self, generation: Generation, rest: bytes, *, finished: bool, content: Content | None = None
    ) -> LogBatch:
        """Return the batch that ends a stream, ``rest`` its unterminated last line or nothing.

        Unless ``finished`` a later run may go on where this one stopped.
        """
        start = generation.offset
        first = generation.position()
        generation.offset += len(rest)
        generation.is_ended = finished
        if rest and content is not None:
            generation.remember(content)
        return self._batch(
            generation,
            _decode(rest, generation.nature.encoding),
            start,
            first,
            attributes={"partial": "true"} if finished and rest and generation.nature.kind != "gzip" else {},
            ended=True,
        )

    def mark(self, generation: Generation) -> LogBatch:
        """Return an empty batch, so that the place where reading begins is committed."""
        return self._batch(generation, b"", generation.offset, generation.position())

    def _lines(self, generation: Generation, content: Content, cut: int) -> LogBatch:
        start, raw = generation.offset, bytes(memoryview(self._buffer)[:cut])
        generation.offset += cut
        generation.remember(content)
        if encoding := generation.nature.encoding:
            data, marks = _decode_lines(raw, encoding, start, generation.position)
            return self._batch(generation, data, start, marks=marks)
        return self._batch(generation, raw, start, generation.position(start), counter="offset")

    def _batch(
        self,
        generation: Generation,
        data: bytes,
        offset: int,
        first: Position | None = None,
        *,
        marks: Marks = (),
        counter: str = "",
        attributes: dict[str, str] | None = None,
        ended: bool = False,
    ) -> LogBatch:
        if not marks:
            end = generation.position()
            marks = ((0, first or end), (len(data), end)) if data else ((0, end),)
        return LogBatch(
            generation.stream,
            data,
            marks,
            offset=offset,
            path=printable(generation.path),
            attributes=attributes or {},
            byte_counter=counter,
            ended=ended,
            read_at=self.clock(),
        )

    def _over_long(self, generation: Generation, content: Content) -> LogBatch:
        """Tell the head of a line longer than the limit and skip the rest, as far as it is there."""
        start, head = generation.offset, bytes(memoryview(self._buffer)[:MAX_LINE])
        first = generation.position()
        generation.is_skipping, generation.is_drained = True, False
        generation.offset = self._find_line_end(generation, content, start + MAX_LINE)
        generation.remember(content)
        self.troubles.tell(
            generation.path,
            f"the line at byte {start} is longer than {MAX_LINE} bytes; of such lines only the beginning is read.",
            cause="length",
        )
        attributes = {"truncated": "true"}
        if not generation.is_skipping:
            attributes["original_bytes"] = str(generation.offset - start)
        data = _decode(head, generation.nature.encoding) + b"\n"
        return self._batch(generation, data, start, first, attributes=attributes)

    def _find_line_end(self, generation: Generation, content: Content, offset: int) -> int:
        """Return where the line ends, or how far it was searched: then it is still skipped."""
        limit = offset + LOOK_AHEAD
        while offset < limit:
            length = content.readinto(memoryview(self._ahead), offset)
            end = _first_line_end(self._ahead, length, generation.nature.encoding)
            generation.is_skipping = not end
            offset += end or length - length % 2
            if end or length < len(self._ahead):
                break
        return offset

    def _skip(self, generation: Generation, length: int) -> None:
        end = _first_line_end(self._buffer, length, generation.nature.encoding)
        generation.is_skipping = not end
        generation.is_drained = generation.is_drained and not end
        generation.offset += end or length - length % 2

    def _drop_zeros(self, generation: Generation, content: Content) -> None:
        """Drop a run of zero bytes, as a truncation under a writer leaves it; wait inside one."""
        start, end = generation.offset, self._after_zeros(content, generation.offset)
        generation.is_drained = end is None
        if end is not None:
            generation.offset = end
            self.troubles.tell(
                generation.path,
                f"{end - start} zero bytes at byte {start} were dropped. "
                "Was it truncated under a writer that does not append?",
                cause="zeros",
            )

    def _after_zeros(self, content: Content, offset: int) -> int | None:
        read = 0
        while read < LOOK_AHEAD and (data_at := content.next_data(offset)) is not None:
            length = content.readinto(memoryview(self._ahead), data_at)
            zeros = length - len(bytes(memoryview(self._ahead)[:length]).lstrip(b"\0"))
            if zeros < length:
                return data_at + zeros
            if length < len(self._ahead):
                return None
            offset, read = data_at + length, read + length
        return None

    def _room(self, generation: Generation) -> memoryview:
        """Return room for the longest line and its line end."""
        return memoryview(self._buffer)[: MAX_LINE + (2 if generation.nature.encoding else 1)]

    def _last_line_end(self, generation: Generation, length: int) -> int:
        if generation.nature.encoding:
            return _aligned(self._buffer, length, generation.nature.encoding, last=True)
        return self._buffer.rfind(b"\n", 0, length) + 1

    def _keep_partial(self, generation: Generation, start: int, end: int) -> None:
        end = min(end, start + KEPT_PARTIAL) if generation.is_drained else start
        generation.partial = bytes(memoryview(self._buffer)[start:end])


def _first_line_end(buffer: bytearray, length: int, encoding: str) -> int:
    if encoding:
        return _aligned(buffer, length, encoding, last=False)
    return buffer.find(b"\n", 0, length) + 1


def _aligned(buffer: bytearray, length: int, encoding: str, *, last: bool) -> int:
    """Return where the first or last line of two-byte units ends, 0 without one."""
    newline = "\n".encode(encoding)
    start, end = 0, length
    while start < end:
        at = buffer.rfind(newline, start, end) if last else buffer.find(newline, start, end)
        if at < 0:
            return 0
        if at % 2 == 0:
            return at + 2
        start, end = (start, at + 1) if last else (at + 1, end)
    return 0


def _decode(raw: bytes, encoding: str) -> bytes:
    return raw.decode(encoding, "replace").encode() if encoding else raw


def _decode_lines(
    raw: bytes, encoding: str, offset: int, position: Callable[[int], Position]
) -> tuple[bytes, Marks]:
    """Decode whole lines to UTF-8, with a mark at the start of each."""
    newline, lines, marks = "\n".encode(encoding), [], []
    start = size = 0
    while start < len(raw):
        at = raw.find(newline, start)
        while at % 2:
            at = raw.find(newline, at + 1)
        marks.append((size, position(offset + start)))
        lines.append(_decode(raw[start : at + 2], encoding))
        size += len(lines[-1])
        start = at + 2
    return b"".join(lines), (*marks, (size, position(offset + len(raw))))
