"""The last bytes of one physical stream: what is still needed, and enough before it to look back."""

from __future__ import annotations

from aiops_core.text.carriers import readable
from aiops_core.text.lines import LOOK_BACK

_KEEP = 16 * 1024


class Kept:
    """Whole lines of a stream from ``base`` on, the first ones ``claimed`` already; places are of the stream."""

    __slots__ = ("_keep", "base", "claimed", "data")

    def __init__(self, offset: int, *, before: int) -> None:
        """Begin at an offset; keep enough to show so many lines before one."""
        self._keep = _KEEP if before <= LOOK_BACK else _KEEP * 8
        self.base = self.claimed = offset
        self.data = b""

    @property
    def end(self) -> int:
        """Where the known bytes end."""
        return self.base + len(self.data)

    def append(self, data: bytes, first_hit: int, *, is_open: bool) -> None:
        """Put data behind what is kept; where nobody looks back that far it is taken as it is."""
        if is_open or data.rfind(b"\n", 0, first_hit) < self._keep:
            self.data += data
        else:
            self.base, self.data = self.end, data

    def pass_over(self, data: bytes) -> None:
        """Put data behind what is kept, and keep only the last lines."""
        end = self.end + len(data)
        tail = data if len(data) >= self._keep else self.data + data
        cut = max(len(tail) - self._keep, 0)
        if cut:
            cut = tail.find(b"\n", cut) + 1 or cut
        self.data = tail[cut:]
        self.base = end - len(self.data)

    def drop_before(self, offset: int) -> None:
        """Drop what is too far before an offset to be looked back to."""
        cut = max(offset - self.base - self._keep, 0)
        if cut:
            cut = self.data.find(b"\n", cut) + 1 or cut
            self.data = self.data[cut:]
            self.base += cut

    def slice(self, start: int, end: int) -> bytes:
        """Return bytes."""
        return self.data[start - self.base : end - self.base]

    def line(self, start: int) -> bytes:
        """Return the raw line that starts at an offset."""
        return self.slice(start, self.line_end(start))

    def line_end(self, start: int) -> int:
        """Return where the line at an offset ends."""
        end = self.data.find(b"\n", start - self.base) + 1
        return (end or len(self.data)) + self.base

    def line_before(self, start: int) -> int:
        """Return where the line starts that ends at an offset."""
        return self.data.rfind(b"\n", 0, start - self.base - 1) + 1 + self.base

    def line_above(self, start: int) -> int:
        """Return where the line starts that ends at an offset, or the one over it where that is blank."""
        above = self.line_before(start)
        return above if above <= self.claimed or not self.is_blank(above, start) else self.line_before(above)

    def is_blank(self, start: int, end: int) -> bool:
        """Tell whether nothing but white space stands between two offsets."""
        return not self.slice(start, end).strip()

    def lines_before(self, start: int, count: int) -> tuple[str, ...]:
        """Return some lines that end at an offset."""
        at = stop = start - self.base
        for _ in range(count):
            if at <= 0:
                break
            at = self.data.rfind(b"\n", 0, at - 1) + 1
        return _texts(self.data[at:stop])

    def lines_after(self, end: int, count: int) -> tuple[str, ...]:
        """Return some lines that start at an offset, those that are known."""
        return first_lines(self.data, end - self.base, count)


def first_lines(data: bytes, at: int, count: int) -> tuple[str, ...]:
    """Return the texts of some lines from a place on, those that are there."""
    stop = at
    for _ in range(count):
        found = data.find(b"\n", stop) + 1
        if not found:
            stop = len(data)
            break
        stop = found
    return _texts(data[at:stop])


def _texts(data: bytes) -> tuple[str, ...]:
    lines = data.removesuffix(b"\n").split(b"\n") if data else ()
    return tuple(readable(line.removesuffix(b"\r"))[:4096] for line in lines)
