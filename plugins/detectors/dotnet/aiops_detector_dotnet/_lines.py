"""The forms a line of a .NET stack trace can take.

The framework translates the words of a frame, not its shape: a word, a qualified method with its
parameters in parentheses, then perhaps another word and the file. Every pattern is linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from aiops_core import lazy_pattern, parse_envelope

LONGEST = 8192
Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""

WORDS = (
    "bei",
    "à",
    "в",
    "en",
    "in",
    "em",
    "w",
    "v",
    "bij",
    "vid",
    "ved",
    "konum:",
    "在",
    "於",
    "場所",
    "위치:",
    "a következő helyen:",
)
"""What the framework says for ``at``: German, French, Russian, Spanish, Italian, Portuguese, Polish, Czech,
Dutch, Swedish, Danish and Norwegian, Turkish, Chinese twice, Japanese, Korean, Hungarian."""
_CALLED = r"[^\s().]{1,100}\.[^\s()]{1,400} ?\([^\s():]{0,200}[) ]"
FRAME_TRIGGER = rf" {{0,40}}  at {_CALLED}"
LOCAL_TRIGGERS = tuple(rf"^ {{0,37}}   {word} {_CALLED}" for word in WORDS)
"""One for each word: as one pattern they would share only the spaces, and slow the scan down."""
_ANY = "|".join(WORDS)
_METHOD = r"(?P<method>[^\s()]+(?:\.|::)[^\s()]+?|lambda_method\d*|\(wrapper [\w-]+\) [^\s()]+) ?\((?P<parameters>[^()]*(?:\([^()]*\)[^()]*)*)\)"
_FRAME = lazy_pattern(rf"\s+(?:at|{_ANY}) {_METHOD}(?P<rest>.*)$")
_OTHER_FRAME = lazy_pattern(
    rf"\s{{2,}}(?:[^\s(){{}}\"'=]{{1,24}} ){{1,4}}(?=[^\s()]{{1,400}}\.[^\s()]{{1,400}}\(){_METHOD}(?P<rest>.*)$"
)
MADE_TRIGGERS = (r"  at \(wrapper ", r"  at lambda_method")
"""Calls of what the runtime makes, which have no type: the crash itself when they come first."""
PLACED_TRIGGER = r"  at .{1,300}\) in .{1,300}:line \d"
UNITY_TRIGGER = r"\) \(at [^\s()]{1,300}\.cs:\d+\)"
_CALL = r"(?P<method>[^\s()]+\.[^\s()]+?)\((?P<parameters>[^()]*(?:\([^()]*\)[^()]*)*)\)"
_SIGNED = lazy_pattern(
    rf"\s+at (?:(?:async |static )?(?:void|bool|int|long|string|object|[A-Z][\w.<>\[\],?]{{0,80}}) |async |static ){_CALL}(?P<rest>(?: in .*)?)$"
)
"""A frame with what the method returns, as Ben.Demystifier writes it."""
_UNITY = lazy_pattern(
    r"(?P<method>[\w.`+<>/$\[\],]{1,400}(?::[\w.<>]{1,200})?) ?\([^()]{0,400}\)(?: \(at (?P<file>[^()]{1,400}?):(?P<line>\d+)\))?\s*$"
)
STACK_TITLE = lazy_pattern(r"\s*Stack ?Trace:\s*$")
"""What test runners write between a message and its frames."""
TEST_TITLE = lazy_pattern(r"\s*Error Message:\s*$|\d+\) (?:Failed|Error|Invalid) : \S+\s*$")
"""What they write above the message."""
_PLACE = lazy_pattern(
    r" (?:\[0x[0-9a-f]+\] )?(?:\S{1,20} )?(?P<file>(?:[A-Za-z]:|<)?[^:]+?)(?::\s?(?:[^\s:\d]{1,12} )?(?P<line>\d+)|: ?[^\d]{1,20}(?P<other>\d+))?\.?\s*$"
)
_FOREIGN = lazy_pattern(
    r"[\w$.-]+\.(?:java|kt|scala|groovy|clj|js|ts|mjs|cjs|rb|py|go|rs|php)$|Native Method$|Unknown Source$|native$|<anonymous>$|index \d+$|SourceFile$|<generated>$"
)
_NOTE = lazy_pattern(
    r"\s*(?:--- .{2,200} ---\s*$|-{6,}\s*$|Repeat \d+ times:\s*$|(?:Server stack trace|Exception rethrown at \[\d+\]):\s*$)"
)
_END_OF_INNER = "inner exception"
_CLASS = r"(?:[A-Za-z_][\w`+]*\.)*[A-Za-z_][\w`+]*(?:\[[^\[\]\s]{0,200}\])?"
_CODE = r"(?: \((?:0x[0-9A-Fa-f]+|-?\d+)\))?"
HEAD = lazy_pattern(rf"\s*(?P<type>{_CLASS}){_CODE}(?: ?:(?: (?P<message>.*))?)?$", re.DOTALL)
_HEAD_WITHIN = lazy_pattern(
    rf"(?<![\w.`+$/-])(?P<type>(?:[A-Za-z_][\w`+]*\.)*(?:[A-Z][\w`+]*)?(?:Exception|Error|Fault)){_CODE}(?::(?= |$)|\s*$| --->)"
)
_KNOWN = lazy_pattern(r"(?:Exception|Error|Fault|Failure|Interrupt)(?:`\d+)?(?:\[.*\])?$")
_ANNOUNCED = lazy_pattern(
    r"(?:Unhandled [Ee]xception[.:]|Exception Info:|Fatal error\.|Process terminated\.|Unbehandelte Ausnahme:|Exception non gérée ?:"
    r"|Excepción no controlada:|Необработанное исключение:|未经处理的异常: ?|未處理的例外狀況: ?|ハンドルされていない例外: ?|Eccezione non gestita:"
    r"|Exceção Sem Tratamento:|처리되지 않은 예외: ?|\[ERROR\] FATAL UNHANDLED EXCEPTION:) ?"
)
UNHANDLED_ALONE = lazy_pattern(r"Unhandled Exception:\s*$")
OVERFLOW = lazy_pattern(r"\s?(?:Process is terminating due to )?Stack ?[Oo]verflow(?:Exception)?\.\s*$")
_INNER = lazy_pattern(r"\s*---> ?(?:\((?:[^()]{2,60}?)#(?P<number>\d+)\) ?)?(?P<rest>\S.*)$", re.DOTALL)
INNER_WITHIN = " ---> "
MEMBER_END = "<---"
CATEGORY = lazy_pattern(r"(?:.{0,60} )?(?:fail|crit|warn|info|dbug|trce): [\w.+`<>,\[\]-]{1,200}\[\d+\]\s*$")
_INDENTED = lazy_pattern(r" {6}\S|\s*$")
TRAILER = lazy_pattern(
    r"\s{0,12}(?:ClientConnectionId:|Error Number:|Routing Destination:|Exception data:|WRN: Assembly binding)"
)
_DATA = lazy_pattern(r" {4,12}\w[\w ]*: ")
SERVICE = lazy_pattern(
    r"(?:Application: \S|CoreCLR Version: |\.NET Version: |Framework Version: |Description: )"
)


class Call(NamedTuple):
    """What a frame says."""

    method: str
    file: str
    line: int


class Head(NamedTuple):
    """What the line that names an exception says."""

    type: str
    message: str
    is_known: bool = True
    """Whether the name itself says that it is an exception."""
    start: int = 0
    """Column of the type."""


class Inner(NamedTuple):
    """The line that begins an inner exception."""

    number: int
    """Its number in an aggregate, -1 outside of one."""
    text: str


def read_frame(line: str) -> Call | None:
    """Read ``at Type.Method(parameters) in file:line 1`` in any language."""
    if len(line) > LONGEST or "(" not in line:
        return None
    if line[:1] not in {" ", "\t"}:
        return read_unity(line)
    found = _FRAME.match(line) or _SIGNED.match(line) or _OTHER_FRAME.match(line)
    if found is None or _FOREIGN.match(found["parameters"]):
        return None
    return _call(found["method"], found["rest"])


def read_unity(line: str) -> Call | None:
    """Read ``Type.Method () (at file.cs:1)`` or ``Type:Method()``, as Unity writes them."""
    found = _UNITY.match(line) if line.rstrip().endswith(")") else None
    if found is None or not (found["file"] or ":" in found["method"]):
        return None
    return Call(found["method"].replace(":", "."), found["file"] or "", int((found["line"] or "0")[:9]))


def _call(method: str, rest: str) -> Call | None:
    rest = rest.removesuffix(MEMBER_END)
    if not rest.strip():
        return Call(method, "", 0)
    place = _PLACE.match(rest)
    if place is None:
        return None
    file, number = place["file"], place["line"] or place["other"] or "0"
    if file.startswith("<"):
        return Call(method, "", 0)
    return Call(method, file, int(number[:9]))


def follows_frame(line: str) -> bool:
    """Say whether the line can stand between frames of one trace."""
    return is_note(line) or read_frame(line) is not None


def is_note(line: str) -> bool:
    """Say whether the runtime parts stacks with the line."""
    return len(line) <= LONGEST and _NOTE.match(line) is not None


def ends_inner(line: str, indent: int) -> bool:
    """Say whether the line ends the stack of an inner exception; ``indent`` is that of the whole trace."""
    text = line.lstrip()
    if not text.startswith("--- ") or "previous location" in text:
        return False
    return _END_OF_INNER in text or indent_of(line) > indent


def read_inner(line: str) -> Inner | None:
    """Read ``---> Type: message``."""
    found = _INNER.match(line[:LONGEST])
    if found is None:
        return None
    return Inner(int(found["number"][:6]) if found["number"] else -1, found["rest"] + line[LONGEST:])


def read_head(text: str) -> Head | None:
    """Read a line that begins with the name of a class, and perhaps a message."""
    found = HEAD.match(text[:LONGEST])
    if found is None:
        return None
    is_known = _KNOWN.search(found["type"]) is not None
    if not is_known and found["message"] is None:
        return None
    message = (found["message"] or "") + text[LONGEST:]
    return Head(found["type"], message, is_known, found.start("type"))


def read_head_within(line: str) -> Head | None:
    """Read a logging line that names the exception further on."""
    start = _after_announcement(line)
    if start and (head := read_head(line[start:])) is not None:
        return head._replace(is_known=True, start=head.start + start)
    found = _HEAD_WITHIN.search(line[:LONGEST])
    if found is None:
        return None
    rest = line[found.end() - (5 if found[0].endswith("--->") else 0) :]
    return Head(found["type"], rest.strip(), True, found.start("type"))


def _after_announcement(line: str) -> int:
    found = _ANNOUNCED.search(line[:400])
    return found.end() if found is not None else 0


def announces(line: str) -> bool:
    """Say whether the runtime says in the line that nobody handled an exception."""
    return _ANNOUNCED.search(line[:400]) is not None


def starts_afresh(line: str) -> bool:
    """Say whether the line begins a log record of its own."""
    if line.startswith("["):
        return CATEGORY.match(line) is not None or _has_envelope(line)
    return _has_envelope(line)


def _has_envelope(line: str) -> bool:
    envelope = parse_envelope(line)
    return envelope.severity is not None or envelope.occurred_at is not None


def indent_of(line: str) -> int:
    """Return how far the line is indented."""
    return len(line) - len(line.lstrip())


def is_indented(line: str) -> bool:
    """Say whether the line stands under a category, as the console logger prints it."""
    return _INDENTED.match(line) is not None


def is_data(line: str) -> bool:
    """Say whether the line is of the data printed under a trace."""
    return _DATA.match(line) is not None
