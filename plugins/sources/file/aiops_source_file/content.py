"""Read the bytes of one open file, plain or gzip, by offset."""

from __future__ import annotations

import os
import zlib
from typing import Protocol

from msgspec import Struct

_COMPRESSED = 64 * 1024
GZIP = b"\x1f\x8b"


class Content(Protocol):
    """The bytes of an open file."""

    fd: int

    def readinto(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` on; fewer bytes than fit mean the end of the file."""
        ...

    def next_data(self, offset: int) -> int | None:
        """Return where written bytes begin at or after ``offset``, None where only a hole follows."""
        ...


def peek(content: Content, offset: int, length: int) -> bytes:
    """Return bytes as they lie in the file, compressed ones too."""
    return os.pread(content.fd, length, offset)


def read(content: Content, offset: int, length: int) -> bytes:
    """Return bytes of the content, decompressed."""
    data = bytearray(length)
    return bytes(data[: content.readinto(memoryview(data), offset)])


class PlainContent(Struct):
    """A file read as it is."""

    fd: int

    def readinto(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` on."""
        return os.preadv(self.fd, [view], offset)

    def next_data(self, offset: int) -> int | None:
        """Ask the file system where the next written bytes are."""
        try:
            return os.lseek(self.fd, offset, os.SEEK_DATA)
        except OSError:
            return None


class GzipContent:
    """A gzip file of any number of members, read forwards; offsets count decompressed bytes.

    A member that is cut off ends the content after the last byte that can be had.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.is_broken = False
        self._rewind()

    @property
    def is_cut(self) -> bool:
        """Whether the last member lacks its end: it is still being written, or was cut off."""
        return not self.is_broken and not self._member.eof and self._has_begun

    def readinto(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` on, starting over when that lies behind."""
        if offset < self._at:
            self._rewind()
        while self._at < offset:
            if not self._take(min(offset - self._at, _COMPRESSED)):
                return 0
        filled = 0
        while filled < len(view) and (data := self._take(len(view) - filled)):
            view[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def next_data(self, offset: int) -> int | None:
        """Nothing is known about holes."""
        return offset

    def _rewind(self) -> None:
        self._at = self._raw_at = 0
        self._input = b""
        self._member = zlib.decompressobj(wbits=31)
        self._has_begun = False

    def _take(self, limit: int) -> bytes:
        while True:
            if not self._input:
                self._input = os.pread(self.fd, _COMPRESSED, self._raw_at)
                self._raw_at += len(self._input)
            if self._member.eof:
                self._input = self._input.lstrip(b"\0")
                if not self._input:
                    if self._is_at_end():
                        return b""
                    continue
                self._member = zlib.decompressobj(wbits=31)
            had = len(self._input)
            self._has_begun = self._has_begun or had > 0
            try:
                data = self._member.decompress(self._input, limit)
            except zlib.error:
                self.is_broken = True
                return b""
            self._input = self._member.unused_data or self._member.unconsumed_tail
            self._at += len(data)
            if data or not had:
                return data

    def _is_at_end(self) -> bool:
        return not os.pread(self.fd, 1, self._raw_at)


def packed_part(packed: GzipContent, plain: PlainContent) -> int:
    """Return up to which byte an open file was compressed, 0 when a compressed file is no copy of it."""
    end = 0
    while data := read(packed, end, _COMPRESSED):
        if data != os.pread(plain.fd, len(data), end):
            return 0
        end += len(data)
    return end
