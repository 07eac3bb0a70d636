"""The forms a call takes in the stack of a native program."""

from __future__ import annotations

import re
from typing import NamedTuple

from aiops_core import lazy_pattern

LONGEST = 4096


class Call(NamedTuple):
    """One call, as its line tells it; ``number`` is its place in the stack, -1 where none is told."""

    number: int
    function: str = ""
    module: str = ""
    file: str = ""
    line: int = 0
    column: int = 0


_LOCATION = r"(?P<file>[^\s:()][^:()]*?):(?P<line>\d+)(?::(?P<column>\d+))?"
_NUMBERED = lazy_pattern(r"\s*#(?P<number>\d{1,4}):?\s+(?P<rest>\S.*?)\s*$")
_ADDRESS = lazy_pattern(r"(?:0x)?[0-9a-fA-F`]{6,18}(?: in(?= |$))?\s*|0x[0-9a-z]+(?: in(?= |$))?\s*")
_PC = lazy_pattern(
    r"\s*#(?P<number>\d\d) +pc +[0-9a-fA-F]+ +(?P<module>\S+)(?: \(offset [^)]*\))?"
    r"(?: \((?!BuildId)(?P<function>\S.*?)(?:\+\d+)?\))?(?: \(BuildId: \w+\))?\s*$"
)
_GDB = lazy_pattern(
    rf"(?P<function>[^\s(][^(]*?)(?:@plt)? \((?P<arguments>.*)\)(?: at {_LOCATION}| from (?P<module>\S+))?\s*$"
)
_GLOG = lazy_pattern(r"\s*(?:PC: )?@ +(?:0x[0-9a-fA-F]+|[0-9a-f]{8,16}) +(?:\d+ +)?(?P<function>\S.*?)\s*$")
_SYMBOLS = lazy_pattern(
    r"\s*(?:\d+ *[:#]? +)?(?P<module>(?:postgres: [^()\[\]]{0,200}?)?[^\s()\[\]]+)\((?P<function>[^\s()+]*)(?:\+0x[0-9a-f]+)?\) ?\[0x[0-9a-f]+\]\s*$"
)
_CLICKHOUSE = lazy_pattern(
    r"(?P<number>\d{1,3})\. (?:\S+: )?(?P<function>\S.*?) @ 0x[0-9a-f]+(?: in (?P<module>\S+))?\s*$"
)
_BARE = lazy_pattern(
    r"(?:(?P<number>\d{1,3}): +| +(?P<boost>\d{1,3})# +|(?P<plain>\d{1,3}) {2,}(?:0x[0-9a-f]+ ?))(?P<function>\S.*?)?"
    rf"(?: (?:in|at) (?:{_LOCATION}|(?P<module>\S+)))?\s*$"
)
_APPLE = lazy_pattern(
    r"\s*(?P<number>\d{1,3}) {1,4}(?P<module>\S.*?)\s{2,}0x[0-9a-f]+ (?P<function>\S.*?) \+ \d+(?: \((?P<file>[^\s():]+):(?P<line>\d+)\))?\s*$"
)
_WINDOWS = lazy_pattern(
    r"\s*(?:[0-9a-f]{8}(?:`[0-9a-f]{8})? ){1,3}(?:: (?:[0-9a-f]{8}(?:`[0-9a-f]{8})? )+: )?(?P<module>[\w.]+)!(?P<function>[^\s\[]+?)(?:\+0x[0-9a-f]+)?"
    r"(?: \[(?P<file>[^\]]+?) @ (?P<line>\d+)\])?\s*$"
)
_BREAKPAD = lazy_pattern(
    r"\s*(?P<number>\d{1,3}) {2}(?P<module>[\w.+-]+)(?:!(?P<function>.+?))?(?: \[(?P<file>[^\]]+?) : (?P<line>\d+) \+ 0x[0-9a-f]+\]| \+ 0x[0-9a-f]+)\s*$"
)
_CHROMIUM_WINDOWS = lazy_pattern(
    r"\t(?P<function>\S.*?) \[0x[0-9A-Fa-f]+(?:\+\d+)?\](?: \((?P<file>.+?):(?P<line>\d+)\))?\s*$|(?P<plain>(?=\S[^\[\]]*::)\S[^\[\]]*) \[0x[0-9a-f]+\]\s*$"
)
_VALGRIND = lazy_pattern(
    r"==\d+== {3,}(?P<number>at|by) 0x[0-9A-F]+: (?P<function>\S.*?)(?: \((?:in (?P<module>[^)]+)|(?P<file>[^\s():]+):(?P<line>\d+))\))?\s*$"
)
_OFFSET = lazy_pattern(r"\+0x[0-9a-fA-F]+\)(?: \(BuildId|\s*$)")
_BUILD = lazy_pattern(r" \(BuildId: [0-9a-fA-F]+\)")
_MODULE = lazy_pattern(
    r"(?:^|\s+)(?:\(<?(?P<in>[^()]*?)>?(?P<offset>\+0x[0-9a-fA-F]+)?\)|<{1,2}(?P<angle>[^<>\s]+)>{1,2}\+0x[0-9a-f]+(?: sp 0x[0-9a-f]+)?)$"
)
_PLACE = lazy_pattern(
    r"(?:^|\s)(?P<file>(?:[A-Za-z]:)?[^\s()<>'\"]*[\w+-]\.\w{1,4}|(?:[A-Za-z]:)?/[^\s()<>'\"]+|\S*[/\\][^\s()<>'\"]*?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?$"
)
_PLACE_OF_LIBRARY = lazy_pattern(r"\s+(?P<module>_?\w*rtl_|[\w.+-]+\.(?:so(?:\.\d+)*|dll|dylib|exe))$")


def read_call(line: str) -> Call | None:
    """Return the call a line of a stack tells of."""
    if len(line) > LONGEST:
        return None
    if (found := _PC.match(line)) is not None:
        return _call(found)
    if (found := _NUMBERED.match(line)) is not None:
        return _numbered(int(found["number"]), found["rest"])
    for form in (
        _GLOG,
        _SYMBOLS,
        _APPLE,
        _BREAKPAD,
        _WINDOWS,
        _VALGRIND,
        _CHROMIUM_WINDOWS,
        _CLICKHOUSE,
        _BARE,
    ):
        if (found := form.match(line)) is not None:
            return _call(found)
    return None


def _call(found: re.Match[str]) -> Call:
    parts = {name: value for name, value in found.groupdict().items() if value}
    number = parts.get("number") or parts.get("boost") or parts.get("plain", "-1")
    at = 0 if number == "at" else int(number) if number.isdigit() else -1
    function = parts.get("function") or (
        parts.get("plain", "") if not parts.get("plain", "").isdigit() else ""
    )
    line = int(parts.get("line", "0")[:9])
    return Call(at, plain_name(function), parts.get("module", ""), parts.get("file", ""), line)


def _numbered(number: int, rest: str) -> Call | None:
    """Read what follows ``#n``: the address, a function, and a file or a module after it."""
    address = _ADDRESS.match(rest)
    text = rest[address.end() :] if address is not None else rest
    is_module = _OFFSET.search(text) is not None
    if (
        not is_module
        and (found := _GDB.match(text)) is not None
        and (
            address is None
            or "=" in found["arguments"]
            or found["file"]
            or found["module"]
            or not found["arguments"]
        )
    ):
        line = int((found["line"] or "0")[:9])
        return Call(number, plain_name(found["function"]), found["module"] or "", found["file"] or "", line)
    if address is None and not _MODULE.search(_BUILD.sub("", text)) and not _PLACE.search(text):
        return None
    return _sanitized(number, _BUILD.sub("", text).strip())


def _sanitized(number: int, text: str) -> Call:
    module = ""
    for form in (_MODULE, _PLACE_OF_LIBRARY):
        found = form.search(text)
        if found is not None and (
            form is not _MODULE or found["angle"] or found["offset"] or "module" in (found["in"] or "")
        ):
            module = (
                found.groupdict().get("module")
                or found.groupdict().get("in")
                or found.groupdict().get("angle")
                or ""
            ).strip()
            text = text[: found.start()].rstrip()
            break
    place = _PLACE.search(text)
    if place is None or (_is_function(place, text) and not module):
        return Call(number, plain_name(text), _basename(module))
    function = text[: place.start()]
    if place["line"] is None and re.search(r"\.(?:so|dll|dylib)[\d.]*$", place["file"]):
        return Call(number, plain_name(function), _basename(place["file"]))
    line, column = (int((place[name] or "0")[:9]) for name in ("line", "column"))
    return Call(number, plain_name(function), _basename(module), place["file"], line, column)


def _is_function(place: re.Match[str], text: str) -> bool:
    """Tell a name that is nothing but a function's from that of a file or of a library."""
    is_library = re.search(r"\.(?:so|dll|dylib)(?:\.\d+)*$", text) is not None
    return place["line"] is None and place.start() == 0 and "/" not in text and not is_library


def _basename(module: str) -> str:
    return re.split(r"[/\\]", module)[-1]


_HEX = lazy_pattern(r"\[?0x[0-9a-f]+\]?|")
_TEMPLATE = lazy_pattern(r"<[^<>]*>")
_OPERATOR = lazy_pattern(r"operator\s*(?:<=>|<<=?|>>=?|->\*?|<=|>=|<|>|\(\))")
_QUALIFIERS = lazy_pattern(r"\)\s*(?:const|volatile|noexcept|&|\[[^\]]*\]|\s)*$")
_SUFFIX = lazy_pattern(
    r"(?:\$[0-9a-f]{32}|\.(?:cfi|llvm|isra|part|constprop|cold|lto_priv)(?:\.\d+)*|@@?[A-Z][\w.]*|\+0x[0-9a-f]+)+$"
)


def plain_name(name: str) -> str:
    """Return a function's name without arguments, template arguments and what the compiler added."""
    name = name.strip().partition(" [with ")[0]
    if _HEX.fullmatch(name) or name in {
        "",
        "<unknown>",
        "(unknown)",
        "<null>",
        "<null> <null>",
        "??",
        "(<unknown module>)",
        "<unknown module>",
    }:
        return ""
    name = (
        name.replace("(anonymous namespace)", "{anonymous}")
        .replace("{lambda", "{lambda")
        .replace("'lambda", "{lambda")
    )
    operators = _OPERATOR.findall(name)
    name = _OPERATOR.sub("operator\0", name)
    name = _without_arguments(_without_templates(name))
    for operator in operators:
        name = name.replace("operator\0", operator, 1)
    return _SUFFIX.sub("", name).strip()


def _without_templates(name: str) -> str:
    for _ in range(12):
        shorter = _TEMPLATE.sub("", name)
        if shorter == name:
            break
        name = shorter
    return name


def _without_arguments(name: str) -> str:
    """Cut the arguments, and the type that is returned before the name."""
    start = name.find("(")
    if start > 0:
        name = name[:start]
    words = name.strip().split(" ")
    if len(words) > 1 and "operator" not in name:
        return words[-1] or name
    return name
