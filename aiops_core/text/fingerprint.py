"""Say which events are the same problem, and name the problem in one line.

The fingerprint is a pure function of what stays the same from one occurrence to the next. Its
version is part of it: whatever changes here for existing events needs a new version.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator

from aiops_core.records import Event, Frame
from aiops_core.text.templates import mask

VERSION = 1

_MOST_FRAMES = 30
_TOP_FRAMES = 5
_MOST_TYPES = 20
_MOST_MESSAGE = 500
_TITLE = 200

_ADDRESS = re.compile(r"(?:/|@|\+|\b)0x[0-9a-fA-F]+|::h[0-9a-f]{16}\b|(?<=@)[0-9a-f]{6,16}\b")
_GENERATED = re.compile(
    r"(?<=\$\$)(?:Lambda(?:\$\w+)?|FastClassBy\w+?\$\$\w+|EnhancerBy\w+?\$\$\w+|SpringCGLIB\$\$\w+)|(?<=\$Proxy)\d+|(?<=Accessor)\d+"
    r"|(?<=\$)\d+|(?<=lambda\$)\d+|(?<=\bfunc)\d+(?:\.\d+)*|(?<=anonymous)[_$]?\d+|(?<=_invoke)_\d+"
    r"|(?<=#)\d+|(?<=block )\(\d+ levels\)"
)
_HASHED_NAME = re.compile(
    r"(?<=[.-])(?=[0-9a-zA-Z_]*\d)[0-9a-zA-Z_]{6,}(?=(?:\.\w+)*\.(?:[cm]?js|css|wasm)$)"
)
_CONTROL = re.compile(r"\s+")


def fingerprint(event: Event) -> str:
    """Return the identity of the event's problem: ``v1:`` and 32 hexadecimal digits."""
    parts = (event.language or event.detector, *_types(event), "", *_place(event))
    digest = hashlib.blake2b("\n".join(parts).encode("utf-8", "replace"), digest_size=16)
    return f"v{VERSION}:{digest.hexdigest()}"


def title(event: Event) -> str:
    """Return one line for people, ``ValueError: text · function``, of at most 200 characters."""
    kind = _plain(event.type)[:80].rpartition(".")[2] or "error"
    function = _plain(_blamed(event))[:60]
    closing = f" · {function}" if function else ""
    message = _plain(event.message)
    text = f"{kind}: {message}" if message else kind
    room = _TITLE - len(closing)
    return (text if len(text) <= room else f"{text[: room - 1]}…") + closing


def _types(event: Event) -> Iterator[str]:
    names = [raised.type for raised in event.exceptions[:_MOST_TYPES]] or [event.type]
    previous = ""
    for name in map(_normal, names):
        if name != previous:  # a group of a thousand equal members is the group of one
            yield name
        previous = name


def _place(event: Event) -> Iterable[str]:
    """Return what tells problems of one type apart: own frames, any frames, or the message."""
    own = [frame for raised in event.exceptions for frame in raised.frames if frame.in_app]
    if own:
        return _folded(own)[-_MOST_FRAMES:]
    stacks = (raised.frames for raised in event.exceptions if raised.frames)
    if stack := next(stacks, ()):
        return _folded(stack)[-_TOP_FRAMES:]
    return (mask(event.message[:_MOST_MESSAGE].partition("\n")[0]),)


def _folded(frames: Iterable[Frame]) -> list[str]:
    """Name each frame once, however often it recurs, in the order of first calls."""
    return list(dict.fromkeys(map(_frame, frames)))


def _frame(frame: Frame) -> str:
    place = frame.module or re.split(r"[/\\]", frame.file.partition("?")[0])[-1]
    return f"{_HASHED_NAME.sub('*', _normal(place))}:{_normal(frame.function)}"


def _normal(name: str) -> str:
    """Take addresses, hashes and the numbers of generated names out of a name."""
    if name.isidentifier() and "$" not in name and not name.endswith(tuple("0123456789")):
        return name
    return _GENERATED.sub("", _ADDRESS.sub("", name))


def _blamed(event: Event) -> str:
    frames = event.frames
    own = [frame for frame in frames if frame.in_app]
    for frame in (own or list(frames))[::-1]:
        if frame.function:
            return frame.function
    return ""


def _plain(text: str) -> str:
    """Return the text on one line, without control and invisible characters."""
    short = text[: 4 * _TITLE]
    if not (short.isascii() and short.isprintable()):
        short = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in short)
    return _CONTROL.sub(" ", short).strip()
