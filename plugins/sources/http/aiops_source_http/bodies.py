"""Take a body in as it comes: unpacked, and never longer than allowed."""

from __future__ import annotations

import codecs
import zlib

from aiops_source_http.records import Refusal

_GZIP = 31
_CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be"})


class Body:
    """Collect one body of at most ``limit`` bytes, before and after unpacking."""

    def __init__(self, limit: int, *, is_gzip: bool) -> None:
        self._limit = limit
        self._is_gzip = is_gzip
        self._unpack = zlib.decompressobj(_GZIP)
        self._received = 0
        self._is_begun = False
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        """Add what came; raise Refusal when it is too much or no gzip."""
        self._received += len(data)
        if self._received > self._limit:
            raise too_large(self._limit)
        if self._is_gzip:
            self._add_packed(data)
        else:
            self._data += data

    def finish(self) -> bytes:
        """Return the whole body; raise Refusal when its gzip stream breaks off."""
        if self._is_gzip and (not self._is_begun or not self._unpack.eof):
            raise Refusal("the gzip body breaks off")
        return bytes(self._data)

    def _add_packed(self, data: bytes) -> None:
        while data:
            if self._unpack.eof:  # another member follows
                self._unpack = zlib.decompressobj(_GZIP)
            self._is_begun = True
            try:
                self._data += self._unpack.decompress(data, self._limit + 1 - len(self._data))
            except zlib.error:
                raise Refusal("the body is no gzip") from None
            if len(self._data) > self._limit:
                raise Refusal(f"unpacked, the body is longer than {self._limit} bytes", 413)
            data = self._unpack.unused_data or self._unpack.unconsumed_tail


def too_large(limit: int) -> Refusal:
    """Return what is said of a body over the limit."""
    return Refusal(f"the body is longer than {limit} bytes. Send less at once", 413)


def is_known_charset(name: str) -> bool:
    """Tell whether text in this encoding can be read."""
    try:
        return codecs.lookup(name).name in _CHARSETS
    except LookupError:
        return False


def to_utf8(body: bytes, charset: str) -> bytes:
    """Return text in UTF-8; what already is, comes back untouched."""
    if codecs.lookup(charset).name in ("utf-8", "ascii"):
        return body
    return body.decode(charset, "replace").encode("utf-8", "replace")
