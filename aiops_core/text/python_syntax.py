"""Parse Python source in whatever thread."""

from __future__ import annotations

import ast
import threading

_ONE_AT_A_TIME = threading.Lock()
"""CPython counts the depth of the trees it builds for all threads together, and raises SystemError where two
are built at once: https://github.com/python/cpython/issues/106905"""


def parse_python(text: str) -> ast.Module | None:
    """Return the tree of a source text; None where it is no Python, or that of a newer version."""
    try:
        with _ONE_AT_A_TIME:
            return ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
