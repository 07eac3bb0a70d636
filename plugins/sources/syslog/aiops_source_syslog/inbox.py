"""The bounded place between the network thread and the pipeline: lines of many streams, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec import Struct, field

LIMIT = 4 << 20
"""Bytes that may wait; what one message becomes may come on top."""


class Piece(Struct):
    """Lines of one stream from one peer; ``ended`` when nothing more comes from it."""

    stream: str
    peer: str
    marks: dict[str, str] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    ended: bool = False


class Inbox:
    """Hold up to ``LIMIT`` bytes; the writer stops when it is full, and is told when there is room."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pieces: list[Piece] = []
        self._last: dict[str, Piece] = {}
        self._size = 0
        self._is_closed = False
        self.on_room: Callable[[], None] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nobody is to wait any longer."""
        return self._is_closed

    @property
    def is_full(self) -> bool:
        """Whether the writer should stop for now."""
        return self._size >= LIMIT

    def put(self, stream: str, peer: str, data: bytes, marks: dict[str, str] | None = None) -> None:
        """Add whole lines of a stream; lines with ``marks`` stay a piece of their own."""
        with self._changed:
            last = self._last.get(stream)
            if last is None or marks or last.marks:
                last = self._last[stream] = Piece(stream, peer, marks or {})
                self._pieces.append(last)
            last.data += data
            self._size += len(data)
            self._changed.notify()

    def end(self, stream: str, peer: str) -> None:
        """Say that nothing more comes from this peer in this stream."""
        with self._changed:
            last = self._last.pop(stream, None)
            if last is None:
                last = Piece(stream, peer)
                self._pieces.append(last)
            last.ended = True
            self._changed.notify()

    def take(self, timeout: float) -> list[Piece]:
        """Take everything that is here; wait up to ``timeout`` seconds for something."""
        with self._changed:
            if not self._pieces and not self._is_closed:
                self._changed.wait(timeout)
            pieces, self._pieces, self._last = self._pieces, [], {}
            was_full, self._size = self.is_full, 0
        if was_full and self.on_room is not None:
            self.on_room()
        return pieces

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
