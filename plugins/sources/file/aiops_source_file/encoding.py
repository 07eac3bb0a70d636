"""How text lies in a file: its encoding, and where its lines end."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

_ASCII = bytes(range(128))
_WIDE = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""Of two byte orders the one that is written without saying so."""


class Encoding(Struct, frozen=True):
    """One encoding; without a name, bytes that are passed on as they are."""

    name: str = ""
    unit: int = 1
    """Bytes that belong together: two in UTF-16, four in UTF-32."""
    newline: bytes = b"\n"
    has_ascii: bool = True
    """Whether ASCII bytes stand for themselves."""

    def decode(self, raw: bytes) -> bytes:
        """Return the text as UTF-8; what cannot be decoded becomes U+FFFD."""
        if not self.name or self.is_plain(raw):
            return raw
        return raw.decode(self.name, "replace").encode("utf-8", "replace")

    def is_plain(self, raw: bytes | bytearray) -> bool:
        """Whether these bytes are the same in UTF-8; escape sequences may switch to another script."""
        return self.has_ascii and raw.isascii() and b"\x1b" not in raw

    def floor(self, length: int) -> int:
        """Return how many of these bytes are whole units."""
        return length - length % self.unit

    def first_line_end(self, buffer: bytes | bytearray, start: int, end: int) -> int:
        """Return where the first line between ``start`` and ``end`` ends, 0 without one."""
        begin, at = start, buffer.find(self.newline, start, end)
        while at >= 0 and (at - start) % self.unit:
            begin = at + 1
            at = buffer.find(self.newline, begin, end)
        return at + self.unit if at >= 0 else 0

    def last_line_end(self, buffer: bytes | bytearray, end: int) -> int:
        """Return where the last line before ``end`` ends, 0 without one."""
        at = buffer.rfind(self.newline, 0, end)
        while at >= 0 and at % self.unit:
            at = buffer.rfind(self.newline, 0, at + self.unit - 1)
        return at + self.unit if at >= 0 else 0

    def lines(self, raw: bytes) -> Iterator[bytes]:
        """Yield whole lines with their ends."""
        start = 0
        while end := self.first_line_end(raw, start, len(raw)):
            yield raw[start:end]
            start = end


AS_IT_IS = Encoding()


def named(name: str) -> Encoding:
    """Return the encoding of that name; raise ValueError when no log can be read with it."""
    if name.lower().replace("_", "-") in {"utf-8", "utf8", "ascii"}:
        return AS_IT_IS
    name = _WIDE.get(name.lower().replace("_", "-"), name)
    try:
        newline, unit = "\n".encode(name), len("A".encode(name))
        b"".decode(name)
    except (LookupError, UnicodeError, TypeError):
        raise ValueError(
            f"{name!r} is no encoding that is known here: write auto, or a name such as utf-16-le, cp1252, "
            "shift_jis, gb18030 or big5"
        ) from None
    if newline not in {b"\n", b"\n\0", b"\0\n", b"\n\0\0\0", b"\0\0\0\n"} or len(newline) != unit:
        raise ValueError(f"{name!r} does not end lines with a line feed: such files cannot be followed")
    return Encoding(name, unit, newline, _has_ascii(name))


def _has_ascii(name: str) -> bool:
    try:
        return _ASCII.decode(name) == _ASCII.decode("ascii")
    except UnicodeError:
        return False
