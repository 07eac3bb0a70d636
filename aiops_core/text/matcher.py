"""Find the lines that hit any trigger, a whole chunk at a time.

Hyperscan scans a chunk for all triggers in one pass and releases the GIL; without it, one
alternation of the standard library's ``re`` does the same, slower. Both run over raw bytes with
the leading anchor dropped, which finds a superset; `Trigger.confirm` decides on the unwrapped line.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from aiops_core.errors import UserError
from aiops_core.text.compiled import cache_path, load, save
from aiops_core.text.envelope import can_precede

MIN_LITERAL = 3
_SURE = 18
"""Characters of a match that no sentence has by chance: ``Exception in thread``."""
_MOST_TRIES = 4
"""Places in a line where a pattern is tried that is for the start of a line."""
_RULES_VERSION = 2
"""Changes with the rules that triggers are checked and compiled by: what was kept is made again."""
_parser: Any = re._parser  # type: ignore[attr-defined]  # the only parser that agrees with re


class Trigger(Struct, frozen=True):
    """One pattern of one detector, for the unwrapped line."""

    owner: int
    """Index of the detector, in YAML order."""
    source: str
    """The pattern without its leading anchor."""
    is_anchored: bool
    raw: bytes
    """The pattern for the raw scan: UTF-8, without anchors."""

    def search(self, text: str) -> re.Match[str] | None:
        """Look for the pattern anywhere in a text of any number of lines."""
        return _compiled(_without_end(self.source)).search(text)

    def find(self, line: str) -> int:
        """Return the first column where the pattern matches, wherever it should; -1 when it does not."""
        return next((match.start() for match in self._matches(line)), -1)

    def confirm(self, line: str, *, is_bare: bool = False) -> int:
        """Return the column where the trigger holds in an unwrapped line, -1 when it does not.

        An anchored trigger holds at the start or after the envelope of a log line, which one that
        ``is_bare`` has not.
        """
        pattern = _compiled(self.source)
        if self.is_anchored and (is_bare or pattern.match(line)):
            return -1 if pattern.match(line) is None else 0
        for match in self._matches(line):
            start = match.start()
            if self.is_anchored and not can_precede(line[:start], is_sure=_is_sure(match)):
                continue
            is_parted = self.is_anchored and line[start] == " " and line[:start] == line[:start].rstrip()
            # The first space closes what stands before the line, unless the pattern needs it.
            return start + 1 if is_parted and pattern.match(line, start + 1) else start
        return -1

    def _matches(self, line: str) -> Iterator[re.Match[str]]:
        """Yield where the pattern matches; one for the start of a line is not looked for within a word."""
        pattern, start = _compiled(self.source), 0
        for _ in range(_MOST_TRIES if self.is_anchored else 1):
            match = pattern.search(line, start)
            if match is None:
                return
            at = match.start()
            if not (self.is_anchored and at and line[at - 1].isalnum() and line[at].isalnum()):
                yield match
            start = at + 1


def _is_sure(match: re.Match[str]) -> bool:
    """Tell whether a match is no prose: it is long, or indented by more than the space that closes what stands before."""
    return len(match[0]) >= _SURE or match.string.startswith(("\t", " \t", "   "), match.start())


@lru_cache(maxsize=4096)
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)  # on first use: most triggers of a run never hit


def compile_trigger(owner: int, pattern: str) -> Trigger:
    """Check one trigger; raise UserError for one that cannot be scanned for."""
    if fault := _fault_of(pattern):
        raise UserError(f"trigger {pattern!r}: {fault}")
    return _unchecked(owner, pattern)


@lru_cache(maxsize=4096)  # pipelines share detectors, and a start asks twice: for the check, and to compile
def _fault_of(pattern: str) -> str:
    """Return why a pattern cannot be scanned for, and what to do; "" where it can."""
    try:
        re.compile(pattern)
    except re.error as error:
        return f"{error}. Write a valid regular expression"
    trigger = _unchecked(0, pattern)
    parsed = _parser.parse(_without_end(trigger.source))
    if _has_anchor(parsed) or (trigger.is_anchored and _is_alternation(parsed)):
        return "an anchor inside. Put ^ first and $ last, alternatives in parentheses"
    if _longest_literal(parsed) < MIN_LITERAL:
        return (
            f"no run of {MIN_LITERAL} literal characters that every match has. "
            "Add some, or the whole log would be looked at line by line"
        )
    return ""


def _unchecked(owner: int, pattern: str) -> Trigger:
    is_anchored = pattern.startswith("^")
    body = pattern[1:] if is_anchored else pattern
    return Trigger(owner, body, is_anchored, _escapable(_without_end(body)).encode())


def _without_end(body: str) -> str:
    return body[:-1] if body.endswith("$") and not body.endswith("\\$") else body


def compile_triggers(
    patterns: Sequence[tuple[int, str]], *, engine: str = ""
) -> tuple[tuple[Trigger, ...], Matcher]:
    """Check and compile the triggers of a pipeline, given as (owner, pattern).

    Those that an earlier start compiled are taken from the cache, checked as they were then.
    """
    triggers = tuple(_unchecked(owner, pattern) for owner, pattern in patterns)
    if engine != "re" and (kept := _kept(triggers)) is not None:
        return triggers, kept
    for owner, pattern in patterns:
        compile_trigger(owner, pattern)
    return triggers, build_matcher(triggers, engine=engine)


def is_compiled(patterns: Sequence[str]) -> bool:
    """Tell whether an earlier start checked and compiled exactly these triggers."""
    path = _kept_at([_unchecked(0, pattern) for pattern in patterns])
    return path is not None and path.exists()


def _kept(triggers: Sequence[Trigger]) -> Matcher | None:
    try:
        import hyperscan
    except ImportError:
        return None
    path = _kept_at(triggers)
    data = load(path) if path is not None else None
    if data is None:
        return None
    try:
        return _Hyperscan(hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK))
    except hyperscan.HyperscanError:
        return None  # of another processor or version


def _kept_at(triggers: Sequence[Trigger]) -> Path | None:
    engine = f"{_RULES_VERSION} {_engine_version()} {platform.machine()}"
    return cache_path(engine, [b"%d" % trigger.is_anchored + trigger.raw for trigger in triggers])


@cache
def _engine_version() -> str:
    try:
        return version("hyperscan")
    except PackageNotFoundError:
        return "none"


_QUOTE = re.compile(r"(\[\^?\]?(?:[^\]\\]|\\.)*\])|\\?\"|\\[^\"]|\t|\\t|[^\x00-\x7f]")


@lru_cache(maxsize=1024)  # a start asks twice: whether all are compiled already, and to search for them
def _escapable(raw: str) -> str:
    """Let quotes, tabs and what is not ASCII match as JSON writes them too, also inside another JSON."""

    def either(found: re.Match[str]) -> str:
        if found[0] in {'"', '\\"'}:
            return r"\\{0,3}\""
        if "\x7f" < found[0] <= "\uffff" and not found[1]:
            digits = "".join(f"[{one}{one.upper()}]" if one > "9" else one for one in f"{ord(found[0]):04x}")
            return rf"(?:{found[0]}|\\{{1,2}}u{digits})"
        return r"(?:\t|\\{1,2}t)" if found[0] in {"\t", r"\t"} else found[0]

    return _QUOTE.sub(either, raw)


def _is_alternation(parsed: Any) -> bool:  # Any: the parser's own tree
    return len(parsed) == 1 and str(parsed[0][0]) == "BRANCH"


def _has_anchor(parsed: Any) -> bool:  # Any: the parser's own tree
    if isinstance(parsed, tuple) and len(parsed) == 2 and str(parsed[0]) == "AT":
        return "BOUNDARY" not in str(parsed[1])
    if isinstance(parsed, _parser.SubPattern):
        return any(_has_anchor(part) for part in parsed.data)
    return isinstance(parsed, list | tuple) and any(_has_anchor(part) for part in parsed)


def _longest_literal(parsed: Any) -> int:  # Any: the parser's own tree
    longest = run = 0
    for operation, argument in parsed:
        name = str(operation)
        if name == "LITERAL":
            run += len(chr(argument).encode("utf-8", "surrogatepass"))
            longest = max(longest, run)
            continue
        run = 0 if name != "AT" else run
        longest = max(longest, _guaranteed(name, argument))
    return longest


def _guaranteed(name: str, argument: Any) -> int:  # Any: the parser's own tree
    if name == "SUBPATTERN":
        return _longest_literal(argument[3])
    if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"} and argument[0] > 0:
        return _longest_literal(argument[2])
    if name == "ATOMIC_GROUP":
        return _longest_literal(argument)
    if name == "BRANCH":
        return min(_longest_literal(branch) for branch in argument[1])
    return 0


Scanned = tuple[list[int], list[int]]
"""The place of the last byte of each match, ascending, and the number of its trigger."""


class Matcher(Protocol):
    """Scan chunks; one per thread."""

    engine: str

    def scan(self, data: bytes, offset: int = 0) -> Scanned:
        """Return the hits of one chunk, whose first byte is at ``offset``.

        Of triggers that are looked for alike, see `alike`, only the first hits.
        """


def alike(triggers: Sequence[Trigger]) -> Mapping[int, tuple[int, ...]]:
    """Return which triggers the raw scan looks for alike, by the first of them."""
    first: dict[bytes, int] = {}
    found: dict[int, tuple[int, ...]] = {}
    for index, trigger in enumerate(triggers):
        one = first.setdefault(trigger.raw, index)
        found[one] = (*found.get(one, ()), index)
    return found


class _Hyperscan:
    """One compiled database; block mode only (its stream mode loses its handler and crashes)."""

    engine = "hyperscan"

    def __init__(self, database: Any) -> None:  # Any: hyperscan has no types and may not be there
        import hyperscan

        self._database = database
        if database.scratch is None:
            database.scratch = hyperscan.Scratch(database)

    @classmethod
    def of(cls, triggers: Sequence[Trigger]) -> _Hyperscan:
        """Compile the triggers, and keep the result for the next start."""
        import hyperscan

        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        distinct = list(alike(triggers))
        database.compile(
            expressions=[triggers[index].raw for index in distinct],
            ids=distinct,
            elements=len(distinct),
            flags=[0] * len(distinct),
        )
        if (path := _kept_at(triggers)) is not None:
            save(path, hyperscan.dumpb(database))
        return cls(database)

    def scan(self, data: bytes, offset: int = 0) -> Scanned:
        places: list[int] = []
        triggers: list[int] = []
        add_place, add_trigger, before = places.append, triggers.append, offset - 1

        def hit(trigger: int, start: int, end: int, flags: int, context: object) -> None:
            add_place(before + end)
            add_trigger(trigger)

        self._database.scan(data, match_event_handler=hit)
        return places, triggers


class _Regex:
    """The standard library's fallback: an alternation with one named group per trigger."""

    engine = "re"

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        self._patterns = [(index, re.compile(triggers[index].raw)) for index in alike(triggers)]
        self._any = re.compile(b"|".join(b"(?:%s)" % pattern.pattern for _, pattern in self._patterns))

    def scan(self, data: bytes, offset: int = 0) -> Scanned:
        places: list[int] = []
        triggers: list[int] = []
        for place, trigger in self._hits(data):
            places.append(place + offset)
            triggers.append(trigger)
        return places, triggers

    def _hits(self, data: bytes) -> Iterator[tuple[int, int]]:
        position = 0
        while (found := self._any.search(data, position)) is not None:
            start = data.rfind(b"\n", 0, max(found.end() - 1, 0)) + 1
            end = data.find(b"\n", found.end() - 1)
            end = len(data) if end < 0 else end
            for index, pattern in self._patterns:
                if (match := pattern.search(data, start, end)) is not None:
                    yield max(match.end() - 1, start), index
            position = end + 1


def build_matcher(triggers: Sequence[Trigger], *, engine: str = "") -> Matcher:
    """Compile the triggers for the best engine here; ``engine`` ``re`` or ``hyperscan`` insists."""
    if engine != "re":
        try:
            return _Hyperscan.of(triggers)
        except ImportError:
            if engine:
                raise
        except Exception as error:
            # hyperscan.error is only importable where hyperscan is; a trigger it cannot take
            # (look-around, back-reference) moves the whole pipeline to re, where all agree.
            if engine or type(error).__module__.split(".")[0] not in {"hyperscan", "_hs_ext"}:
                raise
    return _Regex(triggers)
