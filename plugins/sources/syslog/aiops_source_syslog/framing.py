"""Cut the byte stream of a connection into messages, as RFC 6587 says; pure, no sockets."""

from __future__ import annotations

import re

from msgspec import Struct

_COUNT = re.compile(rb"([1-9]\d{0,8}) ")
_COUNT_BEGUN = re.compile(rb"[1-9]\d{0,8} ?\Z")
_LATER_COUNT = re.compile(rb"\n[1-9]\d{0,8} <|\0")
_LINE_END = re.compile(rb"\n|\0(?=<\d{1,3}>)")
_LINE_OR_NUL = re.compile(rb"[\n\0]")
_LONGEST_END = 6


class Frame(Struct, frozen=True):
    """One message as it was framed, or whole ``lines`` as they came.

    ``is_cut``: it was longer than the limit and only its beginning is here; ``size`` is then its
    true length, 0 where that is not known yet.
    """

    data: bytes
    is_lines: bool = False
    is_cut: bool = False
    size: int = 0


class Framer:
    """Cut one connection's bytes into frames, whatever the reads were.

    Each message may be framed anew: ``LENGTH SP message`` where a length and ``<`` are found, a
    line otherwise. A NUL before a priority ends a message too, and from then on any NUL.
    """

    def __init__(self, limit: int) -> None:
        """Hold no more than ``limit`` bytes of one message."""
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self._skip = 0
        self._is_skipping_line = False
        self._is_counted = False
        self._end = _LINE_END

    @property
    def is_waiting(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._buffer) or self._skip > 0 or self._is_skipping_line

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes; return the messages that are complete now."""
        self._buffer += data
        frames: list[Frame] = []
        at = 0
        while at < len(self._buffer):
            frame, after = self._next(at)
            if frame is not None:
                frames.append(frame)
            if after == at:
                break
            at = after
            self._searched = at
        self._searched = max(self._searched - at, 0)
        del self._buffer[:at]
        return frames

    def finish(self) -> Frame | None:
        """Return what is left of a message whose connection ended."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        count = _COUNT.match(rest)
        is_counted = count is not None and self._is_message(count, rest)
        if count is not None and is_counted:
            rest = rest[count.end() :]
        is_rest = self._skip > 0 or self._is_skipping_line  # of a message whose head is told already
        return (
            None if is_rest or not rest.strip(b"\0\r\n") else Frame(rest, not is_counted, is_cut=is_counted)
        )

    def _next(self, at: int) -> tuple[Frame | None, int]:
        """Return the next frame and where it ends; ``at`` itself when more bytes are needed."""
        if self._skip:
            taken = min(self._skip, len(self._buffer) - at)
            self._skip -= taken
            return None, at + taken
        if self._is_skipping_line:
            return None, self._skip_line(at)
        if self._is_counted and self._buffer[at] in b"\n\r\0":
            return None, at + 1  # an end of line that some senders add to the count
        if _COUNT_BEGUN.match(self._buffer, at):
            return None, at
        count = _COUNT.match(self._buffer, at)
        if count is not None and self._is_message(count, self._buffer):
            return self._counted(count, at)
        self._is_counted = False
        return self._line(at)

    def _is_message(self, count: re.Match[bytes], data: bytes | bytearray) -> bool:
        return self._is_counted or data[count.end() : count.end() + 1] == b"<"

    def _counted(self, count: re.Match[bytes], at: int) -> tuple[Frame | None, int]:
        size, start = int(count[1]), count.end()
        kept = min(size, self._limit)
        if len(self._buffer) - start < kept:
            return None, at
        self._is_counted = True
        self._skip = size - kept
        is_cut = size > kept
        data = bytes(self._buffer[start : start + kept])
        return Frame(data, is_cut=is_cut, size=size if is_cut else 0), start + kept

    def _line(self, at: int) -> tuple[Frame | None, int]:
        if self._end is _LINE_END and (end := self._plain_end(at)) >= 0:
            return Frame(bytes(self._buffer[at:end]), is_lines=True), end + 1
        found = self._end.search(self._buffer, max(at, self._searched))
        if found is not None:
            return self._ended_line(found, at)
        self._searched = max(at, len(self._buffer) - _LONGEST_END)
        if len(self._buffer) - at <= self._limit + _LONGEST_END:
            return None, at
        self._is_skipping_line = True
        return self._line_head(at), at + self._limit

    def _plain_end(self, at: int) -> int:
        """Return the last line end before which nothing but short lines stands, -1 without one."""
        end = self._buffer.rfind(b"\n", at, at + self._limit)
        other = _LATER_COUNT.search(self._buffer, at, end) if end >= 0 else None
        return end if other is None else self._buffer.rfind(b"\n", at, other.start() + 1)

    def _ended_line(self, found: re.Match[bytes], at: int) -> tuple[Frame, int]:
        if found.start() - at > self._limit:
            self._is_skipping_line = True
            return self._line_head(at), at + self._limit
        self._learn(found)
        return Frame(bytes(self._buffer[at : found.start()]), is_lines=True), found.end()

    def _line_head(self, at: int) -> Frame:
        return Frame(bytes(self._buffer[at : at + self._limit]), is_lines=True, is_cut=True)

    def _skip_line(self, at: int) -> int:
        found = self._end.search(self._buffer, at)
        if found is None:
            return max(at, len(self._buffer) - _LONGEST_END)
        self._is_skipping_line = False
        self._learn(found)
        return found.end()

    def _learn(self, end: re.Match[bytes]) -> None:
        if end[0] == b"\0":
            self._end = _LINE_OR_NUL
