"""Read the bytes of one open file, plain or gzip, by offset."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from typing import Literal, Protocol

_COMPRESSED = 64 * 1024
_HEAD = 1024
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b"))
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": ""}


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


@dataclass(slots=True)
class PlainContent:
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

    def _take(self, limit: int) -> bytes:
        while True:
            if not self._input:
                self._input = os.pread(self.fd, _COMPRESSED, self._raw_at)
                self._raw_at += len(self._input)
            if self._member.eof:
                self._input = self._input.lstrip(b"\0")
                self._member = zlib.decompressobj(wbits=31)
            had = len(self._input)
            try:
                data = self._member.decompress(self._input, limit)
            except zlib.error:
                self.is_broken = True
                return b""
            self._input = self._member.unused_data or self._member.unconsumed_tail
            self._at += len(data)
            if data or not had:
                return data


Kind = Literal["text", "gzip", "binary", "unknown", "skipped"]


@dataclass(frozen=True, slots=True)
class Nature:
    """What the first bytes of a file say about it; ``encoding`` is empty for bytes as they are."""

    kind: Kind
    encoding: str = ""
    begin: int = 0


def judge(content: Content) -> Nature:
    """Tell from its first bytes how a file is to be read; ``unknown`` while there are too few."""
    head = peek(content, 0, _HEAD)
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return Nature("text", encoding, len(mark))
        if mark.startswith(head):
            return Nature("unknown")
    if head.startswith(b"\x1f\x8b"):
        return Nature("gzip")
    if not (text := head.lstrip(b"\0")):
        text = peek(content, content.next_data(0) or 0, 4 * _HEAD).lstrip(b"\0")[:_HEAD]
    controls = len(text) - len(text.translate(None, delete=_CONTROLS))
    if not text:
        return Nature("unknown")
    return Nature("binary" if controls * 32 > len(text) else "text")
