"""Turn the next bytes of a generation into a batch of whole lines, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct, field

from aiops_core import LogBatch, Position, replace
from aiops_source_file.content import Content, PlainContent
from aiops_source_file.generation import Generation
from aiops_source_file.troubles import Troubles, printable

MAX_LINE = 1 << 20
DECODED = 128 * 1024
"""How much is decoded at once: every line of it gets a position of its own."""
KEPT_PARTIAL = 16 * 1024
_LAST = 16 * 1024
"""How far before the end of a chunk the end of its last whole line is looked for."""
LOOK_AHEAD = 64 << 20
"""How far one read searches for the end of an over-long line or of a run of zero bytes."""

Marks = tuple[tuple[int, Position], ...]


class Reader(Struct):
    """Read generations through one buffer; a chunk a call."""

    troubles: Troubles
    clock: Callable[[], datetime]
    _buffer: bytearray = field(default_factory=lambda: bytearray(MAX_LINE + 4))
    _ahead: bytearray = field(default_factory=lambda: bytearray(MAX_LINE // 4))
    _whole: bytes = b""
    """Whole lines that were taken in, or nothing: then ``_length`` bytes lie in the buffer."""
    _length: int = 0

    def fetch(self, generation: Generation, content: Content) -> bool:
        """Take in the bytes that come next, to be read once it is sure whose they are; False without any."""
        if generation.offset == 0:
            generation.offset = generation.nature.begin
        self._whole = self._chunk(generation, content)
        if not self._whole:
            self._length = content.readinto(self._room(generation), generation.offset)
        return bool(self._whole or self._length)

    def read(self, generation: Generation, content: Content) -> LogBatch | None:
        """Return the whole lines taken in, or None: look at ``is_drained`` whether there may be more."""
        if self._whole:
            generation.is_drained, generation.partial = False, b""
            return self._take(generation, content, self._whole)
        length = self._length
        generation.is_drained = length < len(self._room(generation))
        if length and generation.is_skipping:
            self._skip(generation, length)
            return None
        if self._begins_with_zeros(generation, length):
            self._drop_zeros(generation, content)
            return None
        if cut := self._cut(generation, length):
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
        is_whole = generation.nature.encoding.last_line_end(self._buffer, length) > 0
        is_hole = self._begins_with_zeros(generation, length)
        return b"" if is_whole or is_hole else bytes(self._room(generation)[:length])

    def last(
        self, generation: Generation, rest: bytes, *, finished: bool, content: Content | None = None
    ) -> LogBatch:
        """Return the batch that ends a stream, ``rest`` its unterminated last line or nothing.

        Unless ``finished`` a later run may go on where this one stopped.
        """
        start, first = generation.text_offset, generation.position()
        data = generation.nature.encoding.decode(rest)
        generation.offset += len(rest)
        generation.drift += len(data) - len(rest)
        generation.is_ended = finished
        if rest and content is not None:
            generation.remember(content)
        is_torn = finished and rest and generation.nature.kind != "gzip"
        attributes = {"partial": "true"} if is_torn else {}
        return self._batch(generation, data, start, first, attributes=attributes, ended=True)

    def mark(self, generation: Generation) -> LogBatch:
        """Return an empty batch, so that the place where reading begins is committed."""
        return self._batch(generation, b"", generation.text_offset, generation.position())

    def farewell(self, generation: Generation) -> LogBatch:
        """Return the batch whose empty position says that nothing of a stream need be remembered."""
        return replace(self.mark(generation), marks=((0, {}),), ended=True)

    def _chunk(self, generation: Generation, content: Content) -> bytes:
        """Return whole lines of a file that holds many more, read once and copied by nobody."""
        is_plain = isinstance(content, PlainContent) and not generation.nature.encoding.name
        backlog = generation.seen[0] - generation.offset
        if not is_plain or generation.is_skipping or backlog < MAX_LINE:
            return b""
        last = os.pread(content.fd, _LAST, generation.offset + MAX_LINE - _LAST)
        raw = os.pread(content.fd, MAX_LINE - _LAST + last.rfind(b"\n") + 1, generation.offset)
        return b"" if not raw.endswith(b"\n") or raw.startswith(b"\0") else raw

    def _lines(self, generation: Generation, content: Content, cut: int) -> LogBatch:
        return self._take(generation, content, bytes(memoryview(self._buffer)[:cut]))

    def _take(self, generation: Generation, content: Content, raw: bytes) -> LogBatch:
        start, at, encoding = generation.offset, generation.text_offset, generation.nature.encoding
        generation.offset += len(raw)
        generation.remember(content, raw)
        if encoding.name and not encoding.is_plain(raw):
            data, marks = _decoded(generation, raw, start)
            places = tuple((byte, position["offset"]) for byte, position in marks)
            return self._batch(generation, data, at, marks=marks, places=places)
        places = ((0, start),) if at != start else ()
        return self._batch(generation, raw, at, generation.position(start), counter="offset", places=places)

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
        places: tuple[tuple[int, int], ...] = (),
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
            places=places,
        )

    def _over_long(self, generation: Generation, content: Content) -> LogBatch:
        """Tell the head of a line longer than the limit and skip the rest, as far as it is there."""
        encoding, start, at = generation.nature.encoding, generation.offset, generation.text_offset
        first, head = generation.position(), bytes(memoryview(self._buffer)[:MAX_LINE])
        data = encoding.decode(head)
        generation.is_skipping, generation.is_drained = True, False
        generation.offset = self._find_line_end(generation, content, start + MAX_LINE)
        generation.drift += len(data) - len(head)
        generation.remember(content)
        self.troubles.tell(
            generation.path,
            f"the line at byte {start} is longer than {MAX_LINE} bytes; of such lines only the beginning is read.",
            cause="length",
        )
        attributes = {"truncated": "true"}
        if not generation.is_skipping:
            attributes["original_bytes"] = str(generation.offset - start - encoding.unit)
        places = ((0, start), (len(data) + 1, generation.offset)) if encoding.name else ()
        return self._batch(generation, data + b"\n", at, first, attributes=attributes, places=places)

    def _find_line_end(self, generation: Generation, content: Content, offset: int) -> int:
        """Return where the line ends, or how far it was searched: then it is still skipped."""
        encoding, limit = generation.nature.encoding, offset + LOOK_AHEAD
        while offset < limit:
            length = content.readinto(memoryview(self._ahead), offset)
            end = encoding.first_line_end(self._ahead, 0, length)
            generation.is_skipping = not end
            offset += end or encoding.floor(length)
            if end or length < len(self._ahead):
                break
        return offset

    def _skip(self, generation: Generation, length: int) -> None:
        encoding = generation.nature.encoding
        end = encoding.first_line_end(self._buffer, 0, length)
        generation.is_skipping = not end
        generation.is_drained = generation.is_drained and not end
        generation.offset += end or encoding.floor(length)

    def _begins_with_zeros(self, generation: Generation, length: int) -> bool:
        unit = generation.nature.encoding.unit
        return length >= unit and not any(memoryview(self._buffer)[:unit])

    def _drop_zeros(self, generation: Generation, content: Content) -> None:
        """Drop a run of zero bytes, as a truncation under a writer leaves it; wait inside one."""
        start, end = generation.offset, self._after_zeros(content, generation.offset)
        if end is not None:
            end = start + generation.nature.encoding.floor(end - start)
        generation.is_drained = end is None
        if end is not None:
            generation.offset = end
            self.troubles.tell(
                generation.path,
                f"the zero bytes from {start} to {end} were dropped. "
                "Was it truncated under a writer that does not append?",
                cause=f"zeros {generation.stream}",
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
        return memoryview(self._buffer)[: MAX_LINE + generation.nature.encoding.unit]

    def _cut(self, generation: Generation, length: int) -> int:
        """Return where the last whole line ends that is passed on now, 0 without one."""
        encoding = generation.nature.encoding
        if not encoding.name or length <= DECODED or encoding.is_plain(self._buffer[:length]):
            return encoding.last_line_end(self._buffer, length)
        cut = encoding.last_line_end(self._buffer, DECODED)
        cut = cut or encoding.first_line_end(self._buffer, 0, length)
        generation.is_drained = generation.is_drained and not cut
        return cut

    def _keep_partial(self, generation: Generation, start: int, end: int) -> None:
        end = min(end, start + KEPT_PARTIAL) if generation.is_drained else start
        generation.partial = bytes(memoryview(self._buffer)[start:end])


def _decoded(generation: Generation, raw: bytes, start: int) -> tuple[bytes, Marks]:
    """Decode whole lines to UTF-8, with a position at the start of each."""
    lines, marks, size = [], [], 0
    end = generation.position()
    for line in generation.nature.encoding.lines(raw):
        marks.append((size, {**end, "offset": start, "drift": generation.drift}))
        lines.append(generation.nature.encoding.decode(line))
        size, start = size + len(lines[-1]), start + len(line)
        generation.drift += len(lines[-1]) - len(line)
    return b"".join(lines), (*marks, (size, generation.position()))
