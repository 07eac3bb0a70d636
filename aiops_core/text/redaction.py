"""Secrets taken out of text before it leaves the process."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets as randomness
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import TypeAlias, cast
from urllib.parse import quote

from aiops_core.errors import AiopsError
from aiops_core.text._secret_rules import CUSTOM, PERSONAL, RULES, Found, Personal, Rule, looks_random

Finder: TypeAlias = Callable[[str], Iterator[re.Match[str]]]

PLACEHOLDER = re.compile(r"\[redacted:[a-z-]+:[0-9a-f]{8}\]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PASSES = 10
_REMEMBERED = 200
_ENDS = 100
_SHORTEST = 4
"""A configured secret shorter than this would take ordinary words with it."""


class Redactor:
    """Replace secrets by placeholders: the same secret by the same one for the process's life.

    ``secrets`` are values known to be secret: they go wherever they stand, in JSON, URL and
    base64 spelling too, from four characters on. ``also`` names what is no secret and goes all the
    same, ``email`` and ``ip``; ``patterns`` are people's own. Threads may share one redactor.
    """

    def __init__(
        self, secrets: Iterable[str] = (), *, also: Iterable[str] = (), patterns: Iterable[str] = ()
    ) -> None:
        spellings = {spelling for value in secrets for spelling in _spellings(value)}
        longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
        known = "|".join([PLACEHOLDER.pattern, *map(re.escape, longest_first)])
        self._known = re.compile(known) if spellings else None
        self._also = [PERSONAL[name] for name in also]
        self._own = [(CUSTOM, _custom(pattern)) for pattern in patterns]
        self._remembered = lru_cache(maxsize=4096)(self._settled)

    def __repr__(self) -> str:
        return "Redactor()"

    def redact(self, text: str, *, code: bool = False) -> str:
        """Return the text without secrets; redacting twice changes nothing more.

        ``code`` says that it is a program: ``token = read()`` stays, a quoted value goes. Raise
        when it cannot be done: then the text must not be sent.
        """
        if len(text) <= _REMEMBERED:  # files, functions and lines of code come again and again
            return self._remembered(text, code)
        return self._settled(text, code)

    def is_clean(self, text: str) -> bool:
        """Tell whether nothing in a text, nor in any line of it, is like a secret: there is nothing to redact.

        False where that would have to be looked at more closely.
        """
        if self._also or self._own or _has_surrogates(text):
            return False
        is_known = self._known is not None and self._known.search(text) is not None
        return not is_known and not _hinted_rules()(text.lower())

    def originals(self, text: str, *, code: bool = False) -> Mapping[str, str]:
        """Return what each placeholder of the redacted text stands for, as far as that is certain."""
        pieces = re.split(f"({PLACEHOLDER.pattern})", self.redact(text, code=code))
        found: dict[str, str] = {}
        at = len(pieces[0])
        for placeholder, after in zip(pieces[1::2], pieces[2::2], strict=True):
            secret = _secret_at(text, at, placeholder, after)
            if secret is None:
                break
            found[placeholder] = secret
            at += len(secret) + len(after)
        return found

    def _settled(self, text: str, code: bool) -> str:
        text = _without_surrogates(text)
        for _ in range(_PASSES):
            before, text = text, self._once(text, code)
            if text == before:
                return text
        raise AiopsError("redaction: the text does not settle. It was not sent; report this text's shape.")

    def _once(self, text: str, code: bool) -> str:
        if self._known is not None:
            text = self._known.sub(_replace_known, text)
        for rule, find in _hinted(_without_placeholders(text).lower()):
            if rule.in_code or not code:
                text = _replace(text, rule, find)
        for personal in self._also:
            text = personal.pattern.sub(partial(_without, personal), text)
        for rule, find in self._own:
            text = _replace(text, rule, find)
        return text


def check_pattern(pattern: str) -> str:
    """Return a pattern of people's own; raise ValueError for what is none, or where it could take for ever."""
    try:
        import re2  # type: ignore[import-untyped]
    except ImportError:
        raise ValueError(
            "needs google-re2, which is not installed here. Remove it, or install that"
        ) from None
    try:
        _custom(pattern)
    except re2.error as error:
        hint = " (look-around and back-references are not known here)" if "(?" in pattern else ""
        raise ValueError(f"{pattern!r} is no regular expression{hint}") from error
    return pattern


def contains_secret(text: str) -> str | None:
    """Return the name of the rule by which this piece of code holds a secret, None without one."""
    text = _without_surrogates(text)
    for rule, find in _hinted(text.lower()):
        if rule.in_code:
            for found in _accepted(text, rule, find):
                if rule.is_proof or looks_random(found.secret):
                    return rule.name
    return None


def placeholders(text: str) -> frozenset[str]:
    """Return the placeholders of this text: what was redacted in it."""
    return frozenset(match[0] for match in PLACEHOLDER.finditer(text))


def _has_surrogates(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None


def _without_surrogates(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text) if _has_surrogates(text) else text


def _without_placeholders(text: str) -> str:
    """Return the text in which a rule's hint may stand: none does inside a placeholder, some reach over it."""
    return PLACEHOLDER.sub("\0", text) if "[redacted:" in text else text


def _secret_at(text: str, start: int, placeholder: str, after: str) -> str | None:
    """Return the secret that begins here and that ``after`` follows; its placeholder proves it."""
    name = placeholder.split(":")[1]
    end = start
    for _ in range(_ENDS):
        end = text.find(after, end + 1) if after else len(text)
        if end < 0:
            return None
        if _placeholder(name, text[start:end]) == placeholder:
            return text[start:end]
    return None


def _replace_known(match: re.Match[str]) -> str:
    return match[0] if PLACEHOLDER.fullmatch(match[0]) else _placeholder("configured", match[0])


def _replace(text: str, rule: Rule, find: Finder) -> str:
    pieces, done = [], 0
    for found in _accepted(text, rule, find):
        pieces += [text[done : found.start], _placeholder(rule.name, found.secret)]
        done = found.end
    return "".join([*pieces, text[done:]]) if pieces else text


def _without(personal: Personal, match: re.Match[str]) -> str:
    return _placeholder(personal.name, match[0]) if personal.accepts(match) else match[0]


def _accepted(text: str, rule: Rule, find: Finder) -> Iterator[Found]:
    for match in find(text):
        if PLACEHOLDER.fullmatch(match[0]):
            continue
        found = _found(match)
        if found and not PLACEHOLDER.fullmatch(found.secret) and rule.accepts(found):
            yield found


def _found(match: re.Match[str]) -> Found | None:
    """Read a match of either engine; None where a placeholder stands, which every pattern skips."""
    groups, numbers = match.groupdict(""), match.re.groupindex
    name = next((name for name in ("s", "s2", "s3", "s4") if groups.get(name)), "")
    if not name:
        return None
    start, end = match.span(numbers[name])
    end -= _closers(match.string[start:end])
    return Found(match.string, start, end, match.end(), groups.get("k", ""), groups.get("sep", ""))


def _closers(value: str) -> int:
    """Return how many brackets at the end of a value close something that opened before it."""
    surplus = {closer: value.count(closer) - value.count(opener) for opener, closer in ("()", "[]", "{}")}
    length = len(value)
    while length > 1 and surplus.get(value[length - 1], 0) > 0:
        length -= 1
        surplus[value[length]] -= 1
    return len(value) - length


def _placeholder(name: str, secret: str) -> str:
    digest = hashlib.blake2b(secret.encode(), key=_KEY, digest_size=4)
    return f"[redacted:{name}:{digest.hexdigest()}]"


_KEY = randomness.token_bytes(32)
"""Made before there are threads: one secret has one placeholder as long as the process lives."""


def _finder(rule: Rule) -> Finder:
    return _engine()(rule.pattern if rule.is_apart else f"{PLACEHOLDER.pattern}|{rule.pattern}")


def _custom(pattern: str) -> Finder:
    """Compile what people wrote, on the engine that takes linear time or not at all."""
    import re2

    options = re2.Options()
    options.log_errors = False
    whole = f"{PLACEHOLDER.pattern}|(?P<s>{pattern})"
    return cast("Finder", re2.compile(whole, options=options).finditer)


@cache
def _compiled_rules() -> tuple[tuple[Rule, Finder], ...]:
    return tuple((rule, _finder(rule)) for rule in RULES)


def _hinted(lowered: str) -> Iterator[tuple[Rule, Finder]]:
    """Yield the rules of which a hint or the shape stands in a lower-cased text, in their order."""
    rules = _compiled_rules()
    for index in _hinted_rules()(lowered):
        yield rules[index]


@cache
def _hinted_rules() -> Callable[[str], Sequence[int]]:
    """Return what finds the indexes of rules by hints and shapes, in one pass where RE2 has a wheel."""
    hints = [(hint, index) for index, rule in enumerate(RULES) for hint in rule.hints]
    shapes = [(rule.shape, index) for index, rule in enumerate(RULES) if rule.shape]
    try:
        import re2
    except ImportError:
        compiled = [(re.compile(shape, re.ASCII), index) for shape, index in shapes]
        return lambda lowered: sorted(
            {index for hint, index in hints if hint in lowered}
            | {index for shape, index in compiled if shape.search(lowered)}
        )
    together, owners = re2.Set.SearchSet(), [index for _, index in (*hints, *shapes)]
    for pattern in (*(re2.escape(hint) for hint, _ in hints), *(shape for shape, _ in shapes)):
        together.Add(pattern)
    together.Compile()
    return lambda lowered: sorted({owners[at] for at in together.Match(lowered) or ()})


def _engine() -> Callable[[str], Finder]:
    """Return how a pattern becomes a finder: in linear time where RE2 has a wheel."""
    try:
        import re2
    except ImportError:
        return lambda pattern: re.compile(pattern, re.ASCII).finditer
    options = re2.Options()
    options.log_errors = False
    return lambda pattern: cast("Finder", re2.compile(pattern, options=options).finditer)


def _spellings(value: str) -> set[str]:
    """Return the ways a known secret is written in logs, JSON, URLs and headers."""
    if len(value) < _SHORTEST:
        return set()
    found = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    for safe in ("", "/"):
        quoted = quote(value, safe=safe)
        found |= {quoted, re.sub("%..", lambda match: match[0].lower(), quoted)}
    return found | (_base64_cores(value) if len(value) >= 2 * _SHORTEST else set())


def _base64_cores(value: str) -> set[str]:
    """Return the part that base64 of any text round the value must contain."""
    raw, cores = value.encode("utf-8", "replace"), set()
    for before in range(3):
        whole = len(raw) + before - (len(raw) + before) % 3
        core = base64.b64encode((b"\0" * before + raw)[:whole]).decode()[4 if before else 0 :]
        cores |= {core, core.replace("+", "-").replace("/", "_")}
    return {core for core in cores if len(core) >= 2 * _SHORTEST}
