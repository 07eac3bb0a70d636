"""Parse Python source in whatever thread."""

from __future__ import annotations

import ast

_ATTEMPTS = 10
"""CPython before 3.11.8 and 3.12.2 counts the depth of the trees it builds for all threads together, and raises
SystemError where two are built at once: https://github.com/python/cpython/issues/106905. Libraries build some
as well (pydantic, where it reads signatures of built-in functions), so that a lock of ours would not do."""


def parse_python(text: str) -> ast.Module | None:
    """Return the tree of a source text; None where it is no Python, or that of a newer version."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return ast.parse(text.removeprefix("\ufeff"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        except SystemError:
            if attempt == _ATTEMPTS:
                raise
    return None
