"""The window of lines a detector looks at when it cuts its block."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

MAX_LINES = 5_000
MAX_BYTES = 1 << 20
_NEAR = 4096
"""Bytes that mostly hold the lines a detector may reach back to."""
LOOK_BACK = 24
"""Lines before a hit a detector may reach back to (Node prints the source before the error)."""


class Span(Struct, frozen=True):
    """Lines ``start`` to ``end`` (excluded) of a window are one problem.

    ``is_record``: the first line tells of the problem itself, so that no logging line above it
    introduces it. ``is_told``: only the record above tells that this is a problem, so that a line
    with a level of its own is none.
    """

    start: int
    end: int
    is_record: bool = False
    is_told: bool = False


class More(Struct, frozen=True):
    """A problem that starts at line ``start`` and may go on past the last line known."""

    start: int


def line_starts(data: bytes, line: int, floor: int, count: int) -> list[int]:
    """Return where a line starts and up to so many lines above it, none of them above ``floor``; ascending."""
    reach = _NEAR
    while True:
        begin = max(floor, line - reach)
        pieces = data[begin:line].rsplit(b"\n", count + 1)
        if begin == floor or len(pieces) > count + 1:
            break
        reach *= 4
    starts = [line]
    for piece in reversed(pieces[-1 - count : -1]):
        starts.append(starts[-1] - len(piece) - 1)
    starts.reverse()
    return starts


class Lines:
    """The lines round a hit: unwrapped on demand, a few before it, and those after it.

    Index 0 is the earliest line in reach. ``final`` is True when no line will follow the last
    one known: the stream was silent, ended, or a cap is reached (then ``capped`` too).
    """

    __slots__ = ("_bounds", "_cap_at", "_data", "_search_from", "_texts", "_unwrap", "capped", "final")

    def __init__(
        self,
        data: bytes,
        starts: list[int],
        *,
        final: bool,
        unwrap: Callable[[bytes], str],
        cap_from: int = 0,
    ) -> None:
        """Open a window on ``data``, which ends with a newline or with the stream.

        ``starts`` are the offsets of the lines before the hit and of the hit itself, ascending;
        caps count from the line ``cap_from``.
        """
        self._data = data
        self._bounds = list(starts)
        self._texts: dict[int, str] = {}
        self._unwrap = unwrap
        self.final = final
        self.capped = False
        self._cap_at = (cap_from + MAX_LINES, starts[cap_from] + MAX_BYTES)

    @property
    def writer(self) -> str:
        """Whose lines these are, "" where all are taken for those of one."""
        return ""

    def get(self, index: int) -> str | None:
        """Return line ``index`` without its line end, or None where it is not known."""
        text = self._texts.get(index)
        if text is None:
            if index < 0 or not self._reach(index):
                return None
            start, end = self._bounds[index], self._end(index)
            text = self._texts[index] = self._unwrap(self._data[start:end])
        return text

    def extent(self, first: int, last: int) -> tuple[int, int]:
        """Return where line ``first`` starts in the data, and where the one before ``last`` ends."""
        self._reach(last)
        return self._bounds[first], self._end(min(last, len(self._bounds)) - 1)

    @property
    def known_to(self) -> int:
        """Where the last line known of this writer ends."""
        return len(self._data)

    def skipped(self, first: int, last: int) -> bool:
        """Tell whether lines of other writers stand among these."""
        return False

    def is_torn(self, first: int, last: int) -> bool:
        """Tell whether the last piece of one of these lines never came."""
        return False

    def raw_lines(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return where the raw lines behind these lines start and end."""
        return [(self._bounds[index], self._end(index)) for index in range(first, last)]

    def _end(self, index: int) -> int:
        if index + 1 < len(self._bounds):
            return self._bounds[index + 1]
        end = self._data.find(b"\n", self._bounds[index]) + 1
        return end or len(self._data)

    def _reach(self, index: int) -> bool:
        bounds, data = self._bounds, self._data
        while len(bounds) <= index:
            end = data.find(b"\n", bounds[-1]) + 1
            if not end or end >= len(data):
                return False
            if len(bounds) >= self._cap_at[0] or end >= self._cap_at[1]:
                self.final = self.capped = True
                return False
            bounds.append(end)
        return True


class AskedLines:
    """Lines as a grammar reads them, and whether it asked for one past the last known.

    A grammar that ran out of lines answers ``More`` unless the lines are final. ``clean`` takes off
    each line what is no part of the text.
    """

    __slots__ = ("_clean", "_lines", "ran_out")

    def __init__(self, lines: Lines, clean: Callable[[str], str] | None = None) -> None:
        self._lines = lines
        self._clean = clean
        self.ran_out = False

    def get(self, index: int) -> str | None:
        """Return line ``index``, or None where it is not known."""
        line = self._lines.get(index)
        if line is None:
            self.ran_out = self.ran_out or index >= 0
            return None
        return line if self._clean is None else self._clean(line)


def window(text: str, *, final: bool = True) -> Lines:
    """Return a window on plain text, as tests and authors need it."""
    data = text.encode("utf-8", "surrogateescape")
    return Lines(data, [0], final=final, unwrap=lambda raw: raw.decode("utf-8", "replace").rstrip("\r\n"))
