"""Functions found by the grammar of a language, where its parser is installed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tree_sitter

_GRAMMARS: Mapping[str, tuple[str, str]] = {
    ".js": ("tree_sitter_javascript", "language"),
    ".mjs": ("tree_sitter_javascript", "language"),
    ".cjs": ("tree_sitter_javascript", "language"),
    ".jsx": ("tree_sitter_javascript", "language"),
    ".ts": ("tree_sitter_typescript", "language_typescript"),
    ".mts": ("tree_sitter_typescript", "language_typescript"),
    ".cts": ("tree_sitter_typescript", "language_typescript"),
    ".tsx": ("tree_sitter_typescript", "language_tsx"),
    ".java": ("tree_sitter_java", "language"),
    ".go": ("tree_sitter_go", "language"),
}
_FUNCTIONS = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "generator_function",
        "arrow_function",
        "method_definition",
        "method_declaration",
        "constructor_declaration",
        "compact_constructor_declaration",
        "lambda_expression",
        "func_literal",
        "static_initializer",
    }
)
_NESTED = frozenset({"arrow_function", "function_expression", "lambda_expression", "func_literal"})
_STATEMENTS = frozenset(
    {
        "lexical_declaration",
        "variable_declaration",
        "expression_statement",
        "export_statement",
        "public_field_definition",
        "field_definition",
        "field_declaration",
        "pair",
    }
)
_LARGEST = 1 << 20
_LONGEST = 80
"""Lines up to which the function round a callback is taken for it."""


def parse_function(suffix: str, text: str, line: int) -> tuple[int, int] | None:
    """Return first and last line of the function round a line; None where no grammar finds one.

    A callback gives the function it is in, where that is not long.
    """
    language = _language(suffix)
    source = text.encode("utf-8", "replace")
    if language is None or len(source) > _LARGEST:
        return None
    import tree_sitter

    root = tree_sitter.Parser(language).parse(source).root_node  # a parser is for one thread
    place = (line - 1, _column(text, line))
    return _function(root.descendant_for_point_range(place, place))


def _function(node: tree_sitter.Node | None) -> tuple[int, int] | None:
    found: tuple[int, int] | None = None
    while node is not None:
        if node.type in _FUNCTIONS and not node.has_error:
            start, end = _lines(node)
            if found is not None and end - start > _LONGEST:
                break
            found = start, end
            if node.type not in _NESTED:
                break
        node = node.parent
    return found


def _column(text: str, line: int) -> int:
    """Return where the words of a line begin, in bytes: there, and not in the blanks, is its node."""
    rows = text.split("\n")
    row = rows[line - 1] if line <= len(rows) else ""
    return len(row) - len(row.lstrip())


def _lines(node: tree_sitter.Node) -> tuple[int, int]:
    """Return the lines of a function, with the statement that names it."""
    while node.parent is not None and node.parent.type in _STATEMENTS | {"variable_declarator"}:
        node = node.parent
    return node.start_point[0] + 1, node.end_point[0] + 1


@cache
def _language(suffix: str) -> tree_sitter.Language | None:
    module, function = _GRAMMARS.get(suffix, ("", ""))
    if not module:
        return None
    try:
        import tree_sitter

        made: Any = getattr(importlib.import_module(module), function)()  # Any: a capsule of C
        return tree_sitter.Language(made)
    except (ImportError, AttributeError, ValueError):  # not installed, or of another version
        return None
