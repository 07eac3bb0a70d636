"""Compile regular expressions on first use: a start that reads no error needs few of hundreds."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_METHODS = ("match", "search", "fullmatch", "finditer", "findall", "split", "sub", "subn")


class _Lazy:
    """Stands for a pattern until it is asked for; its methods then are the pattern's own."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __getattr__(self, name: str) -> Any:  # Any: whatever a pattern has
        if name.startswith("__"):
            raise AttributeError(name)
        compiled = re.compile(*self._arguments)
        vars(self).update({method: getattr(compiled, method) for method in _METHODS})
        return getattr(compiled, name)


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what ``re.compile`` returns, but compiled on first use.

    For patterns of modules; a wrong one raises ``re.error`` where it is used first. What a match
    has as its ``re`` is the compiled pattern, not this object.
    """
    return cast("re.Pattern[AnyStr]", _Lazy(pattern, flags))
