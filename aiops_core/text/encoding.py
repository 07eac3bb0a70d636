"""Source files as text: found out how they are encoded, so that they can be written back alike."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Decoded(NamedTuple):
    """A file's text; ``bom`` and the text in ``encoding`` are again its bytes."""

    text: str
    encoding: str
    bom: bytes


def decode_source(content: bytes) -> Decoded:
    """Return a file's text: by its byte order mark, as UTF-8, by its coding line, else as Latin-1."""
    bom, encoding = next(((bom, name) for bom, name in _BOMS if content.startswith(bom)), (b"", "utf-8"))
    body = content[len(bom) :]
    for name in (encoding, *_cookies(content)):
        text = _decoded(body, name)
        if text is not None:
            return Decoded(text, name, bom)
    return Decoded(body.decode("latin-1"), "latin-1", bom)


def _cookies(content: bytes) -> list[str]:
    found = map(_COOKIE.match, content.split(b"\n", 2)[:2])
    return [cookie[1].decode() for cookie in found if cookie]


def _decoded(content: bytes, encoding: str) -> str | None:
    """Return the text, None where it would not give these very bytes again."""
    try:
        text = content.decode(encoding)
        return text if text.encode(encoding) == content else None
    except (LookupError, UnicodeError):
        return None
