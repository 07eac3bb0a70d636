"""Find the lines that hit any trigger, a whole chunk at a time.

Hyperscan scans a chunk for all triggers in one pass and releases the GIL; without it, one
alternation of the standard library's ``re`` does the same, slower. Both run over raw bytes with
the leading anchor dropped, which finds a superset; `Trigger.confirm` decides on the unwrapped line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiops_core.errors import UserError
from aiops_core.text.envelope import can_precede

MIN_LITERAL = 3
_parser: Any = re._parser  # type: ignore[attr-defined]  # the only parser that agrees with re


@dataclass(frozen=True, slots=True)
class Trigger:
    """One pattern of one detector, checked and compiled for the unwrapped line."""

    owner: int
    """Index of the detector, in YAML order."""
    pattern: re.Pattern[str]
    """The pattern without its leading anchor."""
    is_anchored: bool
    raw: bytes
    """The pattern for the raw scan: UTF-8, without anchors."""

    def confirm(self, line: str) -> int:
        """Return the column where the trigger holds in an unwrapped line, -1 when it does not.

        An anchored trigger holds at the start or after the envelope of a log line.
        """
        if self.is_anchored and self.pattern.match(line):
            return 0
        match = self.pattern.search(line)
        if match is None:
            return -1
        if self.is_anchored and not can_precede(line[: match.start()]):
            return -1
        return match.start()


def compile_trigger(owner: int, pattern: str) -> Trigger:
    """Check one trigger; raise UserError for one that cannot be scanned for."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"trigger {pattern!r}: {error}. Write a valid regular expression") from None
    is_anchored = pattern.startswith("^")
    body = pattern[1:] if is_anchored else pattern
    raw = body[:-1] if body.endswith("$") and not body.endswith("\\$") else body
    parsed = _parser.parse(raw)
    if _has_anchor(parsed) or (is_anchored and _is_alternation(parsed)):
        raise UserError(
            f"trigger {pattern!r}: an anchor inside. Put ^ first and $ last, alternatives in parentheses"
        )
    if _longest_literal(parsed) < MIN_LITERAL:
        raise UserError(
            f"trigger {pattern!r}: no run of {MIN_LITERAL} literal characters that every match has. "
            "Add some, or the whole log would be looked at line by line"
        )
    return Trigger(owner, re.compile(body, compiled.flags), is_anchored, _escapable(raw).encode())


_QUOTE = re.compile(r"(\[\^?\]?(?:[^\]\\]|\\.)*\])|\\?\"|\\[^\"]|\t|\\t")


def _escapable(raw: str) -> str:
    """Let quotes and tabs match as JSON writes them too, also inside another JSON."""

    def either(found: re.Match[str]) -> str:
        if found[0] in {'"', '\\"'}:
            return r"\\{0,3}\""
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


Hit = tuple[int, int]
"""(offset of the last byte of a match, index of the trigger)."""


class Matcher(Protocol):
    """Scan chunks; one per thread."""

    engine: str

    def scan(self, data: bytes) -> list[Hit]:
        """Return the hits of one chunk, in ascending order of place."""


class _Hyperscan:
    """One compiled database; block mode only (its stream mode loses its handler and crashes)."""

    engine = "hyperscan"

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        import hyperscan

        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[trigger.raw for trigger in triggers],
            ids=list(range(len(triggers))),
            elements=len(triggers),
            flags=[0] * len(triggers),
        )
        self._hits: list[Hit] = []
        self._append = self._make_append()

    def _make_append(self) -> Callable[..., None]:
        hits = self._hits

        def append(trigger: int, start: int, end: int, flags: int, context: object) -> None:
            hits.append((end - 1, trigger))

        return append

    def scan(self, data: bytes) -> list[Hit]:
        self._hits.clear()
        self._database.scan(data, match_event_handler=self._append)
        return list(self._hits)


class _Regex:
    """The standard library's fallback: an alternation with one named group per trigger."""

    engine = "re"

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        self._patterns = [re.compile(trigger.raw) for trigger in triggers]
        self._any = re.compile(b"|".join(b"(?:%s)" % trigger.raw for trigger in triggers))

    def scan(self, data: bytes) -> list[Hit]:
        return list(self._hits(data))

    def _hits(self, data: bytes) -> Iterator[Hit]:
        position = 0
        while (found := self._any.search(data, position)) is not None:
            start = data.rfind(b"\n", 0, max(found.end() - 1, 0)) + 1
            end = data.find(b"\n", found.end() - 1)
            end = len(data) if end < 0 else end
            for index, pattern in enumerate(self._patterns):
                if (match := pattern.search(data, start, end)) is not None:
                    yield max(match.end() - 1, start), index
            position = end + 1


def build_matcher(triggers: Sequence[Trigger], *, engine: str = "") -> Matcher:
    """Compile the triggers for the best engine here; ``engine`` ``re`` or ``hyperscan`` insists."""
    if engine != "re":
        try:
            return _Hyperscan(triggers)
        except ImportError:
            if engine:
                raise
        except Exception as error:
            # hyperscan.error is only importable where hyperscan is; a trigger it cannot take
            # (look-around, back-reference) moves the whole pipeline to re, where all agree.
            if engine or type(error).__module__.split(".")[0] not in {"hyperscan", "_hs_ext"}:
                raise
    return _Regex(triggers)
