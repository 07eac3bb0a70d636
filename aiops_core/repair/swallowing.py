"""Python's handlers of every error that let nobody know of one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from aiops_core.text.python_syntax import parse_python

_BROAD = frozenset({"Exception", "BaseException"})
_EMPTY = frozenset({"dict", "list", "set", "tuple", "str", "int", "float", "bool", "bytes"})


def swallowed(text: str) -> int:
    """Return how many handlers catch every error and neither raise, call nor use it.

    A ``return`` in a ``finally`` block is one of them.
    """
    if "except" not in text and "finally" not in text:
        return 0
    tree = parse_python(text)
    return 0 if tree is None else sum(map(_is_swallowing, ast.walk(tree)))


def _is_swallowing(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        return _is_broad(node.type) and not any(map(_tells, _within(node, node.name)))
    if isinstance(node, ast.Try):
        return any(isinstance(line, ast.Return) for line in node.finalbody)
    return False


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(map(_is_broad, caught.elts))
    return caught is None or (isinstance(caught, ast.Name) and caught.id in _BROAD)


def _within(handler: ast.ExceptHandler, name: str | None) -> Iterator[ast.AST | None]:
    """Yield what a handler holds; None where it uses the error itself."""
    for line in handler.body:
        for node in ast.walk(line):
            yield None if isinstance(node, ast.Name) and node.id == name else node


def _tells(node: ast.AST | None) -> bool:
    if node is None or isinstance(node, ast.Raise):
        return True
    return isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _EMPTY)
