"""The format of the recorder: a mark, then records of a head and a text.

head   >IQBH   length of the text in bytes · milliseconds since 1970 · level · number
text   UTF-8, several lines where there are readings
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

MARK = b"PRESSLG1"
LEVELS = ("INFO", "WARNING", "FAULT")
_HEAD = struct.Struct(">IQBH")
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One record; ``size`` is how many bytes it takes in the file."""

    milliseconds: int
    level: int
    number: int
    text: str
    size: int = 0

    def lines(self) -> bytes:
        """Return it as lines people and detectors can read; readings are indented."""
        at = datetime.fromtimestamp(self.milliseconds / 1000, UTC).isoformat(" ", "milliseconds")
        level = LEVELS[self.level] if self.level < len(LEVELS) else str(self.level)
        first, *rest = self.text.splitlines() or [""]
        readings = "".join(f"    {reading.strip()}\n" for reading in rest)
        return f"{at} {level} ##F{self.number} {first}\n{readings}".encode()

    def packed(self) -> bytes:
        """Return it as the recorder writes it."""
        text = self.text.encode()
        return _HEAD.pack(len(text), self.milliseconds, self.level, self.number) + text


class NoRecorder(ValueError):
    """These bytes are not of a recorder."""


def unpacked(data: bytes) -> Iterator[Record]:
    """Yield the whole records at the beginning of ``data``; what is left is still being written."""
    at = 0
    while at + _HEAD.size <= len(data):
        length, milliseconds, level, number = _HEAD.unpack_from(data, at)
        if length > _LONGEST or milliseconds > 1 << 43:
            raise NoRecorder(f"a text of {length} bytes")
        end = at + _HEAD.size + length
        if end > len(data):
            return
        text = data[at + _HEAD.size : end].decode("utf-8", "replace")
        yield Record(milliseconds, level, number, text, end - at)
        at = end
