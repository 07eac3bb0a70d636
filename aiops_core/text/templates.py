"""Turn a message into its template: what varies from one occurrence to the next becomes a placeholder.

One pass from left to right with one alternation. `mask` of a template is that template again: a
placeholder is recognised first, leaves no digit behind, and its angle brackets count as a part of
the word wherever a rule looks at its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

_BEFORE = r"(?<![\w<>])"
_AFTER = r"(?![\w<>])"
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLOCK = r"\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?"

_RULES: Mapping[str, str] = {
    "done": r"<(?:uuid|hex|ip|num|time|email|str|id|query|tmp)>",
    "str": rf"{_BEFORE}[bruf]?(?:'[^'\n]{{1,400}}'|\"[^\"\n]{{1,400}}\"|`[^`\n]{{1,400}}`){_AFTER}",
    "query": r"\?[\w.%+~-]{1,80}=[^\s'\"<>`]*",
    "uuid": rf"{_BEFORE}[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}{_AFTER}",
    "time": rf"{_BEFORE}(?:\d{{4}}[-/.]\d\d[-/.]\d\d(?:[T ,]{{1,2}}{_CLOCK}(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?"
    rf"|(?:{_MONTHS}) {{1,2}}\d{{1,2}} {_CLOCK}|{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?){_AFTER}",
    "email": r"(?<![\w.+<>-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",
    "ip": r"(?<![\w.<>])(?:\d{1,3}\.){3}\d{1,3}(?![\w<>]|\.\d)"
    r"|(?<![\w:<>])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}(?![\w:<>])",
    "hex": rf"{_BEFORE}0[xX][0-9a-fA-F]+|{_BEFORE}[0-9a-fA-F]{{8,}}{_AFTER}",
    "tmp": r"(?<=/tmp/)[^\s/:?'\"<>`,;)\]]+",
    "id": rf"{_BEFORE}[A-Za-z0-9]{{16,}}{_AFTER}",
    "code": r"(?<![\w<>-])[A-Z]{1,6}-?\d{3,6}(?=:\s)",
    "num": r"(?<![A-Za-z0-9)<>])[-+]?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*",
}
_ANY = re.compile("|".join(f"(?P<{name}>{rule})" for name, rule in _RULES.items()))


def mask(text: str) -> str:
    """Return the template of a message; masking a template changes nothing."""
    return _ANY.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    name = found.lastgroup or ""
    replace = _REPLACEMENTS.get(name)
    return replace(found[0]) if replace else f"<{name}>"


def _same(text: str) -> str:
    return text


def _quoted(text: str) -> str:
    return f"{text[: text.index(text[-1])]}{text[-1]}<str>{text[-1]}"


def _hex(text: str) -> str:
    if text[1] in "xX":
        return "<hex>"
    if text.isdecimal():
        return "<num>"
    return "<hex>" if any(letter.isdigit() for letter in text) else text


def _ip(text: str) -> str:
    return "<ip>" if any(letter.isdigit() for letter in text) else text


def _id(text: str) -> str:
    """Mask what no word or name looks like: digits and letters taking turns often."""
    turns = sum(a.isdigit() != b.isdigit() for a, b in pairwise(text))
    return "<id>" if turns >= 4 else _DIGITS.sub("<num>", text)


_DIGITS = re.compile(r"\d+")
_REPLACEMENTS: Mapping[str, Callable[[str], str]] = {
    "done": _same,
    "code": _same,
    "str": _quoted,
    "query": lambda _: "?<query>",
    "hex": _hex,
    "ip": _ip,
    "id": _id,
}
