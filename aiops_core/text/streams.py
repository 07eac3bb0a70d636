"""The lines of one writer among those of others in the same physical stream."""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct

from aiops_core.text.carriers import Carried, Carrier
from aiops_core.text.lines import LOOK_BACK, MAX_BYTES, MAX_LINES, Lines
from aiops_core.text.unwrap import decode_line, strip_ansi

MOST_FOREIGN = 256
"""Lines of others after which a writer is taken to have nothing to add."""

Piece = tuple[int, int]
"""Where a raw line starts and ends in the data."""


class Writer(Struct, frozen=True):
    """Whose lines are read, and how."""

    carrier: Carrier
    stream: str


class _Line(Struct):
    texts: list[str]
    pieces: list[Piece]
    is_torn: bool = False
    """Its last piece never came."""


class WriterLines(Lines):
    """The window of one writer: lines of others are left out, split lines joined.

    A line that nothing carried goes on from the line before it, whosever that was. Where such
    lines were taken, only the first line of a record is carried, and the next carried line of
    somebody else ends it.
    """

    __slots__ = (
        "_at",
        "_begins_records",
        "_foreign",
        "_has_bare",
        "_is_ours",
        "_lines",
        "_split",
        "_writer",
        "hit",
    )

    def __init__(self, data: bytes, at: int, floor: int, writer: Writer, *, final: bool) -> None:
        """Open a window on ``data`` round the raw line at ``at``, looking back no further than ``floor``."""
        self._data = data
        self._writer = writer
        self.final = final
        self.capped = False
        self._is_ours = True
        self._foreign = 0
        self._has_bare = False
        self._begins_records = False
        self._lines: list[_Line] = []
        self._split: _Line | None = None
        self._cap_at = (LOOK_BACK + MAX_LINES, at + MAX_BYTES)
        self._at = self._look_back(at, floor)
        while self._at <= at < len(data):
            self._take()
        self.hit = len(self._lines) - (self._split is None)
        self._has_bare = False
        self._begins_records = self._is_bare(self._at)

    def get(self, index: int) -> str | None:
        """Return line ``index``, or None where it is not known."""
        if index < 0 or not self._reach(index):
            return None
        texts = self._lines[index].texts
        # A colour code may have been cut in two.
        return texts[0] if len(texts) == 1 else strip_ansi("".join(texts))

    def extent(self, first: int, last: int) -> Piece:
        """Return where the raw lines from ``first`` to before ``last`` start and end."""
        pieces = self.raw_lines(first, last)
        return pieces[0][0], pieces[-1][1]

    @property
    def known_to(self) -> int:
        """Where the last line known of this writer ends."""
        line = self._split or self._lines[-1]
        return line.pieces[-1][1]

    @property
    def writer(self) -> str:
        """Whose lines these are, "" where the writer is named in the first line of a record alone."""
        return "" if self._has_bare else self._writer.stream

    def skipped(self, first: int, last: int) -> bool:
        """Tell whether lines of other writers stand among these."""
        return any(one[1] != other[0] for one, other in pairwise(self.raw_lines(first, last)))

    def is_torn(self, first: int, last: int) -> bool:
        """Tell whether the last piece of one of these lines never came."""
        return any(line.is_torn for line in self._lines[first:last])

    def raw_lines(self, first: int, last: int) -> list[Piece]:
        """Return where the raw lines behind these lines start and end."""
        lines = [*self._lines, self._split] if self._split is not None else self._lines
        return [piece for line in lines[first:last] for piece in line.pieces]

    def _look_back(self, at: int, floor: int) -> int:
        """Return where the earliest raw line of this writer within reach starts."""
        first, own, foreign = at, 0, 0
        while at > floor and own < LOOK_BACK and foreign < MOST_FOREIGN:
            at = max(self._data.rfind(b"\n", 0, at - 1) + 1, floor)
            carried = self._carried(at)
            if carried is not None and carried.stream == self._writer.stream:
                first, own = at, own + 1
            else:
                foreign += 1
        return first

    def _carried(self, at: int) -> Carried | None:
        return self._writer.carrier(self._data[at : self._next(at)])

    def _is_bare(self, at: int) -> bool:
        """Tell whether a line goes on from the one above, which alone says whose it is: the next that does begins a record."""
        line = self._data[at : self._next(at)]
        return bool(line.strip()) and self._writer.carrier(line) is None

    def _next(self, at: int) -> int:
        return self._data.find(b"\n", at) + 1 or len(self._data)

    def _reach(self, index: int) -> bool:
        while len(self._lines) <= index:
            if not self._is_over():
                self._take()
            elif not self._end_split():
                return False
        return True

    def _is_over(self) -> bool:
        if len(self._lines) >= self._cap_at[0] or self._at >= self._cap_at[1]:
            self.final = self.capped = True
        elif self._foreign >= MOST_FOREIGN or (self._foreign and self._has_bare):
            self.final = True
        elif self._at < len(self._data):
            return False
        return True

    def _end_split(self) -> bool:
        """Take a line as it is when its last piece will not come; tell whether there was one."""
        if self._split is None or not self.final:
            return False
        self._split.is_torn = True
        self._lines.append(self._split)
        self._split = None
        return True

    def _take(self) -> None:
        """Take in the raw line at hand."""
        piece = self._at, self._next(self._at)
        carried = self._carried(self._at)
        self._at = piece[1]
        if carried is None or carried.is_bare:
            if carried is not None and not self._writer.stream.startswith(f"{carried.stream} "):
                self._foreign += 1
            elif self._is_ours and self._lines:
                text = carried.text if carried else decode_line(self._data[slice(*piece)])
                self._lines.append(_Line([text], [piece]))
                self._has_bare = True
            return
        self._is_ours = carried.stream == self._writer.stream
        if not self._is_ours:
            self._foreign += 1
            return
        self._foreign = 0
        line = self._split or _Line([], [])
        is_next = self._begins_records and self._has_bare and not (line.texts or carried.is_partial)
        line.texts.append(decode_line(self._data[slice(*piece)]) if is_next else carried.text)
        line.pieces.append(piece)
        self._split = line if carried.is_partial else None
        if self._split is None:
            self._lines.append(line)


class RecordLines(Lines):
    """The window on a text that one record carries: complete, and all of it stands in the same place."""

    __slots__ = ("_piece", "texts")

    def __init__(self, texts: list[str], piece: Piece) -> None:
        self.texts = texts
        self._piece = piece
        self.final = True
        self.capped = False

    @property
    def known_to(self) -> int:
        """Where the record ends."""
        return self._piece[1]

    def get(self, index: int) -> str | None:
        """Return line ``index`` of the text."""
        return self.texts[index] if 0 <= index < len(self.texts) else None

    def extent(self, first: int, last: int) -> Piece:
        """Return where the record stands."""
        return self._piece

    def raw_lines(self, first: int, last: int) -> list[Piece]:
        """Return where the record stands."""
        return [self._piece]
