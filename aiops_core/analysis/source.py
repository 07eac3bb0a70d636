"""The part of a source file that an analysis should read: a function round a line, with numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from aiops_core.analysis.grammar import parse_function
from aiops_core.text.lazy import lazy_pattern
from aiops_core.text.python_syntax import parse_python

WHOLE_FILE = 150
"""Lines up to which a file is shown whole."""
_LONGEST_FUNCTION = 120
_WINDOW = 30
_NEAR = 10

_BRACES = lazy_pattern(
    r"\.(?:java|kts?|scala|groovy|[mc]?js|jsx|[mc]?ts|tsx|vue|svelte|go|c|h|cc|cpp|cxx|hpp|cs|rs|swift|php|dart|mm?)"
)
_CONTROL = lazy_pattern(
    r"^\W*(?:if|else|for|foreach|while|do|switch|case|default|try|catch|finally|with|select|using|lock|synchronized"
    r"|match|loop|unsafe|defer|guard|return|class|interface|struct|enum|namespace|impl|trait|object|extension)\b"
)
_LITERAL = lazy_pattern(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`|//.*|/\*.*?\*/")
_DEFINITION = lazy_pattern(
    r"^\s*(?:async\s+)?(?:def|defp|func|function|fn|sub|proc|fun|method|local function)\b"
)


class Excerpt(Struct, frozen=True):
    """Lines ``start`` to ``end`` (from 1, included) of a file."""

    start: int
    end: int

    def __contains__(self, line: int) -> bool:
        return self.start <= line <= self.end


def enclosing(path: str, lines: Sequence[str], line: int) -> Excerpt:
    """Return the function round a line, the whole of a small file, or a window where none is found."""
    line = min(max(line, 1), max(len(lines), 1))
    if len(lines) <= WHOLE_FILE:
        return Excerpt(1, len(lines))
    found = _function(path, lines, line)
    if found is None:
        return Excerpt(max(1, line - _WINDOW), min(len(lines), line + _WINDOW))
    if found.end - found.start >= _LONGEST_FUNCTION:
        start = max(found.start, line - 2 * _WINDOW)
        return Excerpt(start, min(found.end, start + _LONGEST_FUNCTION))
    return Excerpt(max(1, min(found.start, line - _NEAR)), min(len(lines), max(found.end, line + _NEAR)))


def numbered(lines: Sequence[str], excerpt: Excerpt, suspects: Iterable[int] = ()) -> str:
    """Return the excerpt with line numbers, ``>`` before the suspect lines."""
    marked, width = set(suspects), len(str(excerpt.end))
    rows = enumerate(lines[excerpt.start - 1 : excerpt.end], excerpt.start)
    return "\n".join(
        f"{'>' if number in marked else ' '} {number:>{width}} | {text}" for number, text in rows
    )


def _function(path: str, lines: Sequence[str], line: int) -> Excerpt | None:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in (".py", ".pyi"):
        found = _python_function("\n".join(lines), line)
        return found or _indented_function(lines, line)
    if parsed := parse_function(suffix, "\n".join(lines), line):
        return Excerpt(*parsed)
    return _braced_function(lines, line) if _BRACES.fullmatch(suffix) else _indented_function(lines, line)


def _python_function(text: str, line: int) -> Excerpt | None:
    tree = parse_python(text)
    if tree is None:
        return None
    best: Excerpt | None = None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found = Excerpt(start, node.end_lineno or node.lineno)
            if line in found and (best is None or found.start >= best.start):
                best = found
    return best


def _braced_function(lines: Sequence[str], line: int) -> Excerpt | None:
    """Find the innermost block round the line whose header is no control statement or type."""
    opened: list[int] = []
    blocks: list[Excerpt] = []
    for number, text in enumerate(lines, 1):
        for char in _LITERAL.sub("", text):
            if char == "{":
                opened.append(number)
            elif char == "}" and opened:
                block = Excerpt(opened.pop(), number)
                if line in block or _is_header(lines, block, line):
                    blocks.append(block)
    for block in blocks:  # closed first = innermost first
        start = _header(lines, block.start)
        if "(" in "".join(lines[start - 1 : block.start]) and not _CONTROL.match(lines[start - 1]):
            return Excerpt(start, block.end)
    return None


def _is_header(lines: Sequence[str], block: Excerpt, line: int) -> bool:
    return _header(lines, block.start) <= line < block.start


def _header(lines: Sequence[str], opening: int) -> int:
    """Return the first line of the statement that opens a block at line ``opening``."""
    start = opening
    while start > 1 and opening - start < 8:
        before = _LITERAL.sub("", lines[start - 2]).strip()
        if not before or before[-1] in ";{}" or before.startswith(("*", "/*")) or before.endswith("*/"):
            break
        start -= 1
    return start


def _indented_function(lines: Sequence[str], line: int) -> Excerpt | None:
    """Find the nearest definition above that stands further out than everything after it."""
    limit, start = _indent(lines[line - 1]), 0
    for number in range(line, 0, -1):
        text = lines[number - 1]
        if _DEFINITION.match(text) and (number == line or _indent(text) < limit):
            start = number
            break
        limit = min(limit, _indent(text)) if text.strip() else limit
    return Excerpt(start, _end_of_block(lines, start)) if start else None


def _end_of_block(lines: Sequence[str], start: int) -> int:
    margin, end = _indent(lines[start - 1]), start
    for number, text in enumerate(lines[start:], start + 1):
        if text.strip() and _indent(text) <= margin:
            return number if text.strip() in ("end", "}") else end
        end = number if text.strip() else end
    return end


def _indent(text: str) -> int:
    return len(text.expandtabs(4)) - len(text.expandtabs(4).lstrip())
