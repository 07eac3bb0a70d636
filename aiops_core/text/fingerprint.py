"""Say which events are the same problem, and name the problem in one line.

The fingerprint is a pure function of what stays the same from one occurrence to the next. Its
version is part of it: whatever changes here for existing events needs a new version.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from aiops_core.records import Event, Frame
from aiops_core.text.phrases import headed
from aiops_core.text.templates import mask

VERSION = 2

_MOST_FRAMES = 30
_TOP_FRAMES = 5
_DEEP = 5
_MOST_TYPES = 20
_MOST_MESSAGE = 500
_TITLE = 200
_LONG = 300

_ADDRESS = re.compile(r"(?:/|@|\+|\b)0x[0-9a-fA-F]+|::h[0-9a-f]{16}\b|(?<=@)[0-9a-f]{6,16}\b")
# What compilers and proxies put into names, by who writes it.
_GENERATED = re.compile(
    r"(?<=\$\$)(?:Lambda(?:\$\w+)?|(?:FastClass|Enhancer)By\w+?\$\$\w+|SpringCGLIB\$\$\w+)"
    r"|\$(?:HibernateProxy|HibernateBasicProxy|ByteBuddy|MockitoMock)\$\w+|_\$\$_\w+"  # Java
    r"|(?<=\$Proxy)\d+|(?<=\bproxy)\d+(?=\.)|(?<=Accessor)\d+|(?<=\$)\d+"
    r"|(?<=_closure)\d+|(?<=\bScript)\d+|(?<=lambda-)\d+|(?<=fn__)\d+|(?<=\beval)\d+"  # Groovy, Kotlin, Clojure
    r"|(?<=\bfunc)\d+(?:\.\d+)*|(?<=anonymous)[_$]?\d+|(?<=_invoke)_\d+|(?<=#)\d+"  # Go, JavaScript, Rust, Swift
    r"|(?<=block )\(\d+ levels\)|(?<=__)\d{5,}(?:_\d+)?"  # Ruby, templates
    r"|(?<=>b__)\d+(?:_\d+)*|(?<=>d__)\d+|(?<=DisplayClass)\d+(?:_\d+)*|(?<=\|)\d+_\d+"  # .NET
    r"|\.(?:constprop|isra|part|cold|llvm|lto_priv)(?:\.\d+)*(?!\w)"  # C and C++
    r"|(?<=fun-)\d+(?=-)|(?<=closure:)[^}]*[/\\]|(?<=\.php)(?::\d+|\(\d+\)(?= : ))|(?<=class@anonymous)[^\s:]*(?::\d+\$\w+)?"
    r"|(?<=eval at )[^()]*\([^()]*\)"
)
_HASHED_NAME = re.compile(
    r"(?:(?<=[.-])(?=[0-9a-zA-Z_]*\d)[0-9a-zA-Z_]{6,}|(?<=[.-])(?:[A-Z2-7]{8}|[0-9a-f]{8,})|^\d+"
    r"|(?<=-)(?=[\w-]*[a-z])(?=\w[\w-]*[A-Z0-9])[\w-]{8}(?=\.))(?=(?:\.\w+)*\.(?:[cm]?js|css|wasm)$)"
    r"|^[0-9a-f]{16,}(?=\.\w+$)"
)
_RELEASE = re.compile(
    r"[-_@]v?\d+(?:\.\d+)+(?:[-+]\w+)*|(?<![^/])(?:releases|versions|deploys?)/(?=[\w.-]*\d)[\w.-]+/"
)
_SPACE = re.compile(r"\s+")
_DIGITS = tuple("0123456789")

Kind: TypeAlias = Literal["detector", "type", "own frame", "frame", "message", "rule"]


class Part(NamedTuple):
    """One thing a fingerprint is made of: how it stood in the event, and what of it counts."""

    kind: Kind
    before: str
    after: str


def fingerprint(event: Event, template: Callable[[str], str] = mask) -> str:
    """Return the identity of the event's problem: ``v2:`` and 32 hexadecimal digits."""
    return digest(parts(event, template))


def parts(event: Event, template: Callable[[str], str] = mask) -> list[Part]:
    """Return what the fingerprint of an event is made of; ``template`` masks its message."""
    owner = event.language or event.detector
    return [Part("detector", owner, owner), *_types(event), *_place(event, template)]


def digest(identity: Iterable[Part]) -> str:
    """Return the fingerprint that these parts make."""
    text = "\n".join(part.after if part.kind == "type" else f"{part.kind}:{part.after}" for part in identity)
    return f"v{VERSION}:{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def title(event: Event) -> str:
    """Return one line for people, ``ValueError: text · function``, of at most 200 characters."""
    kind = _plain(event.type)[:80].rpartition(".")[2] or "error"
    function = _plain(_blamed(event))[:60]
    closing = f" · {function}" if function else ""
    message = _plain(event.message)
    text = headed(kind, message)
    room = _TITLE - len(closing)
    return (text if len(text) <= room else f"{text[: room - 1]}…") + closing


def _types(event: Event) -> Iterator[Part]:
    names = [raised.type for raised in event.exceptions[:_MOST_TYPES]] or [event.type]
    previous = None
    for name in names:
        normal = _normal(name)
        if normal != previous:  # a group of a thousand equal members is the group of one
            yield Part("type", name, normal)
        previous = normal


def _place(event: Event, template: Callable[[str], str]) -> list[Part]:
    """Return what tells problems of one type apart: own frames, any frames, or the message."""
    own = [frame for raised in event.exceptions for frame in raised.frames if frame.in_app]
    if own:
        return _folded("own frame", own)[-_MOST_FRAMES:]
    stacks = (raised.frames for raised in event.exceptions if raised.frames)
    if stack := next(stacks, ()):
        return _folded("frame", stack)[-_TOP_FRAMES:]
    first_line = event.message[:_MOST_MESSAGE].partition("\n")[0]
    return [Part("message", first_line, template(first_line))]


def _folded(kind: Kind, frames: Iterable[Frame]) -> list[Part]:
    """Name each frame once, however often it recurs, in the order of first calls.

    Where a deep recursion was cut is chance: its frames stand in the order of their names.
    """
    named = [(_frame(frame), frame) for frame in frames]
    first = dict(reversed(named))
    names = list(dict.fromkeys(name for name, _ in named))
    if len(named) - len(names) >= _DEEP:
        counts = Counter(name for name, _ in named)
        deep = iter(sorted(name for name in names if counts[name] >= _DEEP))
        names = [next(deep) if counts[name] >= _DEEP else name for name in names]
    return [Part(kind, _written(first[name]), name) for name in names]


def _frame(frame: Frame) -> str:
    place, function = frame.module or frame.file, frame.function
    name = _long_name if len(place) + len(function) > _LONG else _name
    return name(frame.module, frame.file, function)


def _long_name(module: str, file: str, function: str) -> str:
    place = _RELEASE.sub("", module) or re.split(r"[/\\]", file.partition("?")[0])[-1]
    return f"{_HASHED_NAME.sub('*', _normal(place))}:{_normal(function)}"


_name = lru_cache(maxsize=8192)(_long_name)


def _written(frame: Frame) -> str:
    is_path = "/" in frame.file or "\\" in frame.file
    place = frame.file if is_path else frame.module or frame.file
    return f"{place}:{frame.function}"


def _normal(name: str) -> str:
    """Take addresses, hashes and the numbers of generated names out of a name."""
    if name.isidentifier() and "$" not in name and not name.endswith(_DIGITS):
        return name
    return _GENERATED.sub("", _ADDRESS.sub("", name))


def _blamed(event: Event) -> str:
    for frame in reversed(event.own_frames or event.frames):
        if frame.function:
            return frame.function
    return ""


def _plain(text: str) -> str:
    """Return the text on one line, without control and invisible characters."""
    short = text[: 4 * _TITLE]
    if not (short.isascii() and short.isprintable()):
        short = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in short)
    return _SPACE.sub(" ", short).strip()
