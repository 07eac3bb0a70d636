"""Match people's patterns against untrusted lines in linear time."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_FALLBACK = 4096
MAX_LINE = 64 * 1024
Search = Callable[[str], Mapping[str, str] | None]


def compile_search(regex: str, *, engine: str = "") -> Search:
    """Return a function that finds the pattern in a line and returns its named groups.

    Uses google-re2; where it has no wheel, or ``engine`` is ``re``, the standard library on the
    first 4 KiB of a line. Raises ValueError for a pattern the engine cannot take.
    """
    if engine != "re":
        try:
            re2: Any = importlib.import_module("re2")  # Any: it comes without types
        except ImportError:
            pass
        else:
            return _searcher(_compile_re2(re2, regex), MAX_LINE)
    try:
        return _searcher(re.compile(regex), MAX_FALLBACK)
    except re.error as error:
        raise ValueError(str(error)) from None


def _compile_re2(re2: Any, regex: str) -> Any:  # Any: as above
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(regex, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None


def _searcher(pattern: Any, reach: int) -> Search:  # Any: a pattern of either engine
    def search(line: str) -> Mapping[str, str] | None:
        found = pattern.search(line[:reach])
        if found is None:
            return None
        return {name: value for name, value in found.groupdict().items() if value is not None}

    return search
