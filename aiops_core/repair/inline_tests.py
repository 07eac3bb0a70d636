"""The tests inside program files: Rust's test modules, doctests, vitest in source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_BEGINS = re.compile(
    r"\s*(?:#\[(?:\w+::)*test\b|#\[cfg\(test\)\]|#\[should_panic|(?:async\s+)?def test_\w|@(?:Parameterized)?Test\b"
    r"|if \(import\.meta\.vitest\)|>>> )"
)
_PYTHON = re.compile(r"\s*(?:async\s+)?def ")
_DOCTEST = ">>> "
_ATTRIBUTES = ("#[", "@")
_ENDS_DOCTEST = ("", '"""', "'''", "```", "*/")


def inline_tests(text: str) -> list[str]:
    """Return each test of a program file, as its lines without their indentation.

    A Python function counts that asserts something: others are named test_… for other reasons.
    """
    lines = text.split("\n")
    begins = [number for number, line in enumerate(lines) if _BEGINS.match(line)]
    tests = ["\n".join(_test(lines[number:])) for number in begins]
    return [test for test in tests if not _PYTHON.match(test) or "assert" in test]


def _test(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the test that begins with the first one."""
    first = lines[0].strip()
    yield first
    if first == "#[cfg(test)]":
        yield from (line.strip() for line in lines[1:2])  # its tests are told one by one
    elif first.startswith(_DOCTEST):
        yield from _expected(lines[1:])
    else:
        yield from _body(lines)


def _expected(lines: Sequence[str]) -> Iterator[str]:
    for line in map(str.strip, lines):
        if line in _ENDS_DOCTEST or line.startswith(_DOCTEST):
            return
        yield line


def _body(lines: Sequence[str]) -> Iterator[str]:
    """Yield what is indented deeper than the first line, and the declaration below attributes."""
    depth, is_declared = _depth(lines[0]), not lines[0].strip().startswith(_ATTRIBUTES)
    for line in lines[1:]:
        text = line.strip()
        if text and is_declared and _depth(line) <= depth and text[0] not in ")]":
            if text.startswith("}"):
                yield text
            return
        is_declared = is_declared or not (text == "" or text.startswith(_ATTRIBUTES))
        yield from [text] if text else ()


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
