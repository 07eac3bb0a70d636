"""Find the literal text every match of a pattern contains."""

from __future__ import annotations

import re
from typing import Any

_parser: Any = re._parser  # type: ignore[attr-defined]  # the only parser that agrees with re
MIN_BYTES = 3
Literals = frozenset[str]
_NONE: Literals = frozenset()


def triggers_of(regex: str) -> tuple[str, ...]:
    """Return escaped literals of which every match contains one; empty where there are none.

    Raises re.error for a pattern that is none.
    """
    parsed = _parser.parse(regex)
    literals = _best(parsed)
    if _worth(literals) < MIN_BYTES:
        return ()
    ignores_case = bool(parsed.state.flags & re.IGNORECASE) or "(?i" in regex
    if not ignores_case:
        return tuple(sorted(map(re.escape, literals)))
    if not all(map(str.isascii, literals)):
        return ()
    return tuple(sorted(f"(?i:{re.escape(literal)})" for literal in literals))


def _worth(literals: Literals) -> int:
    return min((len(literal.encode("utf-8", "surrogatepass")) for literal in literals), default=0)


def _best(parsed: Any) -> Literals:  # Any: the parser's own tree
    """Return the literal, or the set with one literal for each alternative, that says most."""
    best, run = _NONE, ""
    for operation, argument in parsed:
        name = str(operation)
        if name == "LITERAL":
            run += chr(argument)
            continue
        best, run = _better(best, frozenset({run}) if run else _NONE), ""
        best = _better(best, _within(name, argument))
    return _better(best, frozenset({run}) if run else _NONE)


def _better(one: Literals, other: Literals) -> Literals:
    return other if _worth(other) > _worth(one) else one


def _within(name: str, argument: Any) -> Literals:  # Any: the parser's own tree
    if name == "SUBPATTERN":
        return _best(argument[3])
    if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"} and argument[0] > 0:
        return _best(argument[2])
    if name == "ATOMIC_GROUP":
        return _best(argument)
    if name == "BRANCH":
        branches = [_best(branch) for branch in argument[1]]
        return frozenset().union(*branches) if all(branches) else _NONE
    return _NONE
