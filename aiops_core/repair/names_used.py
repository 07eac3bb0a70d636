"""The whole names that Python code uses: ``os.system``, also under other names."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from aiops_core.text.python_syntax import parse_python

_BUILTINS = frozenset(dir(builtins)) | {"__builtins__"}


def names_used(text: str) -> set[str] | None:
    """Return the names of modules, of what is taken from them, and of functions that are called.

    ``from os import system as run`` uses ``os`` and ``os.system``. None where the text is no Python.
    """
    tree = parse_python(text)
    if tree is None:
        return None
    aliases = dict(_aliases(tree))
    return {*aliases.values(), *_names(tree, aliases)}


def _aliases(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what names stand for: modules, and what is imported from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or whole, whole
                yield alias.name, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.module
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _names(tree: ast.AST, aliases: dict[str, str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (whole := _whole(node, aliases)):
            yield whole
        elif isinstance(node, ast.Name) and (node.id in aliases or node.id in _BUILTINS):
            yield aliases.get(node.id, node.id)
        if isinstance(node, ast.Call):
            yield from _reached(node, aliases)


def _whole(node: ast.expr, aliases: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return aliases.get(node.id, node.id if node.id in _BUILTINS else "")
    if isinstance(node, ast.Attribute) and (owner := _whole(node.value, aliases)):
        return f"{owner}.{node.attr}"
    return ""


def _reached(call: ast.Call, aliases: dict[str, str]) -> Iterator[str]:
    """Yield what ``getattr`` takes from a module, and what is imported by a name in quotes."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in ("getattr", "vars", "setattr") and call.args and isinstance(call.args[0], ast.Name):
        module = aliases.get(call.args[0].id, "")
        if module and module == module.lower():
            yield "getattr of a module"
    if name == "__import__" and call.args and isinstance(call.args[0], ast.Constant):
        yield str(call.args[0].value)
