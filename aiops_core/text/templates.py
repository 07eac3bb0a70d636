"""Turn a message into its template: what varies from one occurrence to the next becomes ``<*>``.

Three passes, each linear: quoted values, then word by word, then values that stand together become
one. All placeholders are alike: whether an id happens to be all digits is chance, not identity.
`mask` of a template is that template again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

ANY = "<*>"
"""The placeholder."""

_LONGEST = 400
_CONSTANTS = frozenset({"true", "false", "True", "False", "TRUE", "FALSE", "null", "nil", "NULL"})
_OWNERS = frozenset({"user", "User", "username", "account"})
_DATES = "Mon Tue Wed Thu Fri Sat Sun Mon, Tue, Wed, Thu, Fri, Sat, Sun, Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_CALENDAR = frozenset(_DATES.split())
_CREDENTIALS = frozenset({"password", "publickey", "login", "logon", "failure", "failures", "authentication"})
_PROSE = (
    "not is was has had are were and or with in for from does did do can cannot could may must should will would name id "
    "account data to of on at by the this that unknown defined level mode input space agent interface session group "
    "exists already invalid illegal authentication authorization"
)
_NO_NAME = frozenset(_PROSE.split())
"""Words after `user` or `password for` that are no name."""

_QUOTED = re.compile(
    rf"(?<![\w<>])[bruf]?(?:'[^'\n]{{1,{_LONGEST}}}'|\"[^\"\n]{{1,{_LONGEST}}}\"|`[^`\n]{{1,{_LONGEST}}}`)(?![\w<>])"
)
_REQUEST = re.compile(r"(?:GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS|CONNECT|TRACE) (?=\S)")

_SOURCES = (
    "c|cc|cpp|cxx|h|hpp|m|mm|go|rs|py|rb|js|jsx|mjs|cjs|ts|tsx|java|kt|kts|scala|php|cs|swift|ex|exs|pl|sh"
)
_NETWORKS = "com|net|org|edu|gov|mil|info|biz|io|dev|app|cloud|local|localdomain|internal|intranet|lan|corp|home|example"
_COUNTRIES = (
    "ar|au|br|ca|ch|cn|cz|de|dk|es|eu|fi|fr|gr|hk|hu|ie|il|jp|kr|mx|nl|nz|pt|ro|ru|se|sg|th|tr|tw|ua|uk|vn|za"
)
_PACKAGES = "com|org|net|io|edu|gov|java|javax|jakarta|android|androidx|kotlin|kotlinx|scala"
_CAUSES = "(?i:errors?|err|errno|reason|cause|exception|stat|status)"
_SENTENCE = re.compile(r"(?:[A-Za-z',;:.!?-]+|<\*>)(?: (?:[A-Za-z',;:.!?-]+|<\*>)){2,}|.*<\*>.+|.+<\*>.*")
_KEY = re.compile(rf"(?!{_CAUSES}$)[A-Za-z_][\w.-]*")
_LETTERS = r"[\w~#$+%-]"

# What a word may hold that varies; the first that fits where two begin at the same letter.
_RULES = {
    "done": r"<\*>",
    "product": r"(?<![\w.~#$+%<>-])[A-Z]{1,5}\d(?![\w~#$+%<>-]|\.\w)",
    "code": r"(?<![^\s(\['\"`])[A-Z]{1,6}-?\d{3,6}(?=:$)",
    "bound": r"^[<>~]\d[\w.,%]*(?<![.,])",
    "url": r"[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s'\"<>`]*[^\s'\"<>`.,;:!?)\]}]",
    "email": r"(?<![\w.+<>-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",
    "path": r"(?<![\w<>.\\/-])(?:(?:~|\.{1,2}|[A-Za-z]:)?/+[\w.%+@~$#\[{-]|[A-Za-z]:\\|\\\\\w)"
    r"[\w.%+@~$#:/\\{}\[\]=?&,*!-]*(?<![.:=?&,!{\[])",
    "pair": rf"(?<![\w.<>])(?!{_CAUSES}=)[A-Za-z_][\w.-]*=[^\s,;()\[\]{{}}\"'`<>=]"
    r"[^\s,;()\[\]{}\"'`<>]*(?:\{[^{}\s<>]*\}|\[[^\[\]\s<>]*\])*",
    "key": r"(?<![\w.<>])[A-Za-z_][\w.-]*=(?=<\*>)",
    "address": r"(?<![\w:<>])(?:(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{2}:){8,31}[0-9a-fA-F]{2})(?![\w:<>]|\.\w)"
    r"|(?<![\w<>])\[(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}(?:%\w{1,15})?\]:\d{1,5}(?!\w)",
    "peer": rf"(?<![\w.<>-])[\w-]+(?:\.[\w-]+)*\.(?!(?:{_SOURCES}):)[a-z]{{2,}}:\d{{2,5}}(?![\w.<>])",
    "host": rf"(?<![\w.<>-])[\w-]+(?:\.[\w-]+)*\.(?:{_NETWORKS}|{_COUNTRIES})(?![\w.<>(-])",
    "package": rf"(?<![\w.<>-])(?:{_PACKAGES})(?:\.[\w$-]+){{2,}}(?![\w$-]|\.\w)(?<!Exception)(?<!Error)(?<!Failure)",
    "constant": rf"(?<![\w.<>-])(?:{'|'.join(sorted(_CONSTANTS))})(?![\w.<>-])",
    "word": rf"{_LETTERS}+(?:\.{_LETTERS}+)*",
}
_KEPT = frozenset({"product", "code", "key"})
_VARIABLE = re.compile("|".join(f"(?P<{name}>{rule})" for name, rule in _RULES.items()))
_HEX = re.compile(r"[a-fA-F]{8,}")
_VALUE = re.compile(r"[\w/+-][^\s,;()\[\]{}\"'`<>]*?([.:,;)\]}]*)")

_UNITS = r"[KMGTPE]?i?B|[KMGT]?[Bb]ytes?|bits?|secs?|UTC|GMT|[ECMP][SD]T|AM|PM"
_UNIT = rf" (?:{_UNITS})(?![.-]?\w)"
_NEXT = rf"[ ,;:/|.@#*-]{{1,3}}<\*>|{_UNIT}"
_AGAIN = rf" \((?:<\*>(?:{_NEXT})*)?\)(?!\w)"
_TOGETHER = re.compile(rf"<\*>(?:(?<!\(<\*>)(?:{_NEXT}|{_AGAIN})+|(?:{_NEXT})+)")
"""Values that stand side by side, their units, and one said again in brackets: 12288 bytes (12 KB)."""

_SHORT = 64


def mask(text: str) -> str:
    """Return the template of a message; masking a template changes nothing."""
    text = " ".join(text.split())
    if "'" in text or '"' in text or "`" in text:
        text = _QUOTED.sub(_mask_quoted, text)
    words = text.split(" ")
    masked = [word if word.isalpha() and len(word) < 8 else _mask_word(word) for word in words]
    for at in _values(words):
        if found := _VALUE.fullmatch(words[at]):
            masked[at] = f"{ANY}{found[1]}"
    if not _CALENDAR.isdisjoint(words):
        _mask_dates(masked)
    return _TOGETHER.sub(ANY, " ".join(masked))


def _mask_quoted(found: re.Match[str]) -> str:
    text, whole = found[0], found.string
    mark = text[-1]
    first = text.index(mark) + 1
    if whole.startswith(":", found.end()) and whole[: found.start()].endswith(("{", ",")):
        return text  # the name of a member of an object
    if _SENTENCE.fullmatch(text, first, len(text) - 1):
        return text
    request = _REQUEST.match(text, first)
    return f"{text[:first]}{request[0] if request else ''}{ANY}{mark}"


def _mask_word(word: str) -> str:
    return _mask_short(word) if len(word) <= _SHORT else _VARIABLE.sub(_replacement, word)


@lru_cache(maxsize=4096)
def _mask_short(word: str) -> str:
    return _VARIABLE.sub(_replacement, word)


def _replacement(found: re.Match[str]) -> str:
    name, text = found.lastgroup, found[0]
    if name in _KEPT:
        return text
    if name == "pair":
        return f"{text[: text.index('=')]}={ANY}"
    if name == "address" or (name == "word" and not _HEX.fullmatch(text)):
        return ANY if any(letter.isdigit() for letter in text) else text
    return ANY


def _values(words: Sequence[str]) -> Iterator[int]:
    """Yield where a word is a value for what it is or for the words before it."""
    before = ""
    for at, word in enumerate(words):
        follows = before in _OWNERS or (before == "for" and at > 1 and words[at - 2] in _CREDENTIALS)
        is_named = follows and word not in _NO_NAME and word not in _OWNERS
        is_set = before == "=" and at > 1 and _KEY.fullmatch(words[at - 2])
        if word in _CONSTANTS or is_named or is_set:
            yield at
        before = word


def _mask_dates(words: list[str]) -> None:
    """Let the names of days and months join the number that follows them."""
    for at in range(len(words) - 2, -1, -1):
        if words[at] in _CALENDAR and words[at + 1].startswith(ANY):
            words[at] = ANY
