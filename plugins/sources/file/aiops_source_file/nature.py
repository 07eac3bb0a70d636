"""Tell from its first bytes what a file holds and how it is to be read."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from msgspec import Struct

from aiops_core import replace
from aiops_source_file.content import GZIP, Content, PlainContent, read
from aiops_source_file.encoding import AS_IT_IS, Encoding, named

HEAD = 1024
_STEP = 256 * 1024
_FAR = 64 << 20
"""How far to search for the end of the zero bytes that a file begins with."""
_HOLE = re.compile(rb"\0{64,}")
"""What a writer leaves that goes on at its old place after others cut the file: also behind a first line or two."""
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b"))
_BAD = frozenset(map(chr, _CONTROLS)) | {"\ufffd"}
_NO_TEXT = frozenset(("Cn", "Co", "Cs"))
_MARKS = {
    b"\xff\xfe\0\0": named("utf-32-le"),
    b"\0\0\xfe\xff": named("utf-32-be"),
    b"\xef\xbb\xbf": AS_IT_IS,
    b"\xff\xfe": named("utf-16-le"),
    b"\xfe\xff": named("utf-16-be"),
}

Kind = Literal["text", "gzip", "binary", "unknown", "skipped"]


class Nature(Struct, frozen=True):
    """What the first bytes of a file say about it; its text begins at ``begin``."""

    kind: Kind
    encoding: Encoding = AS_IT_IS
    begin: int = 0


UNJUDGED = Nature("unknown")


def judge(content: Content, preset: Encoding | None = None, *, final: bool = False) -> Nature:
    """Tell how a file is to be read; ``unknown`` while there are too few bytes, unless ``final``.

    A byte order mark decides, if what follows it is such text. ``preset`` is what people say.
    """
    head = read(content, 0, HEAD)
    behind = b""
    if isinstance(content, PlainContent):
        if head.startswith(GZIP):
            return Nature("gzip")
        if not _without_mark(head).strip(b"\0"):
            behind = _behind_zeros(content, len(head))
    nature = _judge(head, behind, preset, final=final)
    return nature if isinstance(content, PlainContent) else _within_gzip(nature)


def _behind_zeros(content: Content, offset: int) -> bytes:
    """Return the first bytes behind a run of zero bytes, from a multiple of four on."""
    end = offset + _FAR
    while offset < end and (at := content.next_data(offset)) is not None:
        data = read(content, at, _STEP)
        if data.strip(b"\0"):
            zeros = len(data) - len(data.lstrip(b"\0"))
            return read(content, at + zeros - zeros % 4, HEAD)
        if len(data) < _STEP:
            break
        offset = at + len(data)
    return b""


def _within_gzip(nature: Nature) -> Nature:
    return nature if nature.kind == "binary" else replace(nature, kind="gzip")


def _judge(head: bytes, behind: bytes, preset: Encoding | None, *, final: bool) -> Nature:
    """Judge by the first bytes, and by those ``behind`` the hole that they are."""
    is_open = not final and len(head) < HEAD
    for mark, encoding in _MARKS.items():
        if is_open and mark.startswith(head) and head.strip(b"\0"):
            return UNJUDGED
        if head.startswith(mark):
            if encoding.unit > 1 and is_open and b"\n" not in head:
                return UNJUDGED  # too little to tell the mark from stray bytes
            if encoding.unit == 1 or _is_wide_text(head[len(mark) :], encoding):
                return Nature("text", encoding, len(mark))
    text = _after_zeros(_without_mark(head)) or _after_zeros(behind)
    if not text:
        return UNJUDGED
    starts_with_hole = _without_mark(head).startswith(b"\0")
    begin = len(head) - len(_without_mark(head)) if starts_with_hole else 0
    if preset is None and (wide := _wide_without_mark(text)):
        return Nature("text", wide, begin)
    encoding = preset or AS_IT_IS
    return Nature("text" if encoding.unit > 1 else _kind(text), encoding, begin)


def _without_mark(head: bytes) -> bytes:
    """Drop what looks like a mark and was found to be none."""
    return head[2:] if head.startswith((b"\xff\xfe", b"\xfe\xff")) else head


def _kind(text: bytes) -> Kind:
    text = _HOLE.sub(b"", text.lstrip(b"\0"))
    controls = len(text) - len(text.translate(None, delete=_CONTROLS))
    return "binary" if controls * 32 > len(text) else "text"


def _after_zeros(head: bytes) -> bytes:
    """Drop the zero bytes of a hole, in steps of the widest unit."""
    zeros = len(head) - len(head.lstrip(b"\0"))
    return head[zeros - zeros % 4 :][:HEAD] if zeros < len(head) else b""


def _is_wide_text(raw: bytes, encoding: Encoding) -> bool:
    """Whether bytes behind a mark are text of that encoding, and not bytes of another."""
    raw = raw[: encoding.floor(len(raw))]
    if b"\n" in raw and not encoding.first_line_end(raw, 0, len(raw)):
        return False
    text = raw.decode(encoding.name, "replace")
    if encoding.unit == 2:
        text = text.removesuffix("\ufffd")  # half a pair
    bad = sum(character in _BAD or unicodedata.category(character) in _NO_TEXT for character in text)
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in raw)
    return bad * 32 <= len(text) and printable * 10 < max(len(raw), 1) * 9


def _wide_without_mark(text: bytes) -> Encoding | None:
    """Return UTF-16 where every other byte is mostly zero, as in Western text."""
    text = text[: len(text) // 2 * 2]
    zeros = text[::2].count(0), text[1::2].count(0)
    most, least = max(zeros), min(zeros)
    if len(text) < 8 or most * 20 < len(text) * 6 or least * 10 > most:
        return None
    encoding = _MARKS[b"\xff\xfe" if zeros[1] == most else b"\xfe\xff"]
    return encoding if _is_wide_text(text, encoding) else None
