"""One call of a JavaScript stack, in the forms the engines print.

V8 (Node, Chrome, Deno), JavaScriptCore in Bun and the old Internet Explorer print ``at fn (file:1:2)``;
Firefox, Safari and React Native print ``fn@file:1:2``.
"""

from __future__ import annotations

from typing import NamedTuple

from aiops_core import lazy_pattern

LONGEST = 4096

_POINTED = lazy_pattern(
    r"❯ (?:(?P<function>[^\s:/]{1,200}) )?(?P<file>[^\s:()]+):(?P<line>\d{1,9}):(?P<column>\d{1,9})\s*$"
)
"""How Vitest prints a frame."""
_LOOSE_AT = lazy_pattern(r"\s+(?:eval )?at \S")
_LEFT_OUT = lazy_pattern(r"\s+(?:\.\.\. \d+ (?:lines matching|more)|\[\.\.\. lines matching)\b")
_GECKO_PLACE = lazy_pattern(r"@(?=[\w+.-]+:/|/|[\w.~-]+[./])")
_FILE = lazy_pattern(r"[./:<\[]|eval code")
_FOREIGN = lazy_pattern(
    r"\.(?:rs|java|kt|scala|groovy|clj|go|py|rb|cs|fs|vb|swift|php|c|cc|cpp|cxx|h|hpp|m|dart|exs?|erl|ml|hs|cr|nim|zig)$"
)
"""Files of languages that print ``at file:1:2`` too."""
_BARE = lazy_pattern(
    r"\s*((?:(?:https?|file)://)?\S+\.(?:js|jsx|ts|tsx|mjs|cjs|bundle|html)):(\d+)(?::(\d+))?\s*$"
)
_BARE_NAME = lazy_pattern(r"\s*(?:eval code|global code|module code|[\w$.<>/]+)\s*$")
NAMELESS_CODE = frozenset({"eval code", "global code", "module code"})
_ZONE = lazy_pattern(r"(?<=[\d)]) \[[\w<>-]{1,60}\]$")
"""The zone that zone.js names behind a call."""
_EVAL_LINE = lazy_pattern(r"(\d{1,9}) > ")
_INNERMOST = lazy_pattern(r"\(([^()]+):(\d+):(\d+)\)")
_ALIAS = lazy_pattern(r" \[as [^\]]*\]")
_PLACELESS = ("<anonymous>", "native", "native code", "unknown location", "anonymous", "unknown")
_ADDRESS = "address at "
_SCHEME = lazy_pattern(r"(?:webpack-internal:///|webpack://[^/]*/|file://(?:/(?=[A-Za-z]:))?)(?:\./)?")


class Call(NamedTuple):
    """Where a frame says it is."""

    function: str
    file: str
    line: int
    column: int


def read_at(line: str) -> Call | None:
    """Read ``at fn (file:1:2)``; None for text that only begins like it."""
    if len(line) > LONGEST:
        return None
    text = line.strip().removeprefix("eval ")
    if text.startswith("❯ "):
        found = _POINTED.match(text)
        return found and Call(
            found["function"] or "", found["file"], int(found["line"]), int(found["column"])
        )
    if not text.startswith("at "):
        return None
    text = _ZONE.sub("", text[3:].removesuffix("{").rstrip(" ,")).removeprefix("async ")
    function, place = _split_call(text)
    if place.startswith("index ") and function:
        return Call(function, "", 0, 0)  # Promise.all (index 0)
    is_address = place.startswith(_ADDRESS)  # in the bytecode of Hermes
    call = _locate(function, place.removeprefix(_ADDRESS))
    return call if call.file or is_address or _is_placeless(place, function) else None


def read_gecko(line: str) -> Call | None:
    """Read ``fn@file:1:2``."""
    if "@" not in line or len(line) > LONGEST:
        return Call("", "", 0, 0) if line.strip() == "[native code]" else None
    text = line.strip()
    if text.endswith("@[native code]"):
        return Call(text[: -len("@[native code]")], "", 0, 0)
    place, number, column = split_place(text)
    start = _GECKO_PLACE.search(place)
    if not number or start is None:
        return None
    file = place[start.end() :]
    if not column and "://" not in file:
        return None  # user@host/path:22
    file, _, inner = file.partition(" line ")
    if (outer := _EVAL_LINE.match(inner)) is not None:
        return Call(place[: start.start()], file, int(outer[1]), 0)
    return None if inner or " " in file else Call(place[: start.start()], file, number, column)


def read_bare(line: str) -> Call | None:
    """Read a place without a function, as Safari prints between frames."""
    if len(line) > LONGEST or (match := _BARE.match(line)) is None:
        return None
    return Call("", match[1], int(match[2][:9]), int((match[3] or "0")[:9]))


def follows_frame(line: str) -> bool:
    """Say whether the line can stand below a frame of the V8 form."""
    return (
        len(line) <= LONGEST and (_LOOSE_AT.match(line) or _LEFT_OUT.match(line) or read_at(line)) is not None
    )


def follows_gecko(line: str) -> bool:
    """Say whether the line can stand beside a frame of the Firefox form."""
    return read_gecko(line) is not None or read_bare(line) is not None


def begins_gecko(line: str) -> bool:
    """Say whether a stack of the Firefox form can begin with the line."""
    return follows_gecko(line) or line.strip() in NAMELESS_CODE


def is_bare_name(line: str) -> bool:
    """Say whether the line may be a function without a place, as Safari prints for eval."""
    return len(line) <= LONGEST and _BARE_NAME.match(line) is not None


def path_of(file: str) -> str:
    """Return the file without the scheme and query a bundler or loader put round it."""
    path, count = _SCHEME.subn("", file, count=1) if "://" in file else (file, 0)
    return path.partition("?")[0] if count else path


def _split_call(text: str) -> tuple[str, str]:
    """Split ``fn (place)`` at the parenthesis that the last one closes."""
    if not text.endswith(")"):
        return "", text
    start = text.find("(")
    if text.find("(", start + 1) < 0 <= start:
        return _ALIAS.sub("", text[:start].rstrip()), text[start + 1 : -1]
    depth = 0
    for index in range(len(text) - 1, -1, -1):
        if text[index] == ")":
            depth += 1
        elif text[index] == "(":
            depth -= 1
            if not depth:
                return _ALIAS.sub("", text[:index].rstrip()), text[index + 1 : -1]
    return "", text


def split_place(text: str) -> tuple[str, int, int]:
    """Split ``file:1:2`` or ``file:1``; line 0 where there is none."""
    head, _, last = text.rpartition(":")
    if not last.isdecimal():
        return text, 0, 0
    file, _, middle = head.rpartition(":")
    last = last[:9]
    return (file, int(middle[:9]), int(last)) if middle.isdecimal() and file else (head, int(last), 0)


def _locate(function: str, place: str) -> Call:
    if place.startswith("eval at "):
        return _locate_eval(function, place)
    file, line, column = split_place(place)
    if not line and not place.startswith("wasm:"):
        return Call(function, "", 0, 0)
    is_file = _FILE.search(file) is not None and _FOREIGN.search(file) is None
    return Call(function, file if is_file else "", line, column)


def _locate_eval(function: str, place: str) -> Call:
    match = _INNERMOST.search(place)
    if match is not None:
        return Call(function, match[1], int(match[2][:9]), int(match[3][:9]))
    return _locate(function, place.removeprefix("eval at ").rpartition(", ")[2])


def _is_placeless(place: str, function: str) -> bool:
    return place in _PLACELESS and (function != "" or place == "<anonymous>")
