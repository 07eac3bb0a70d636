"""Unified diffs of whole files, as git prints them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

from aiops_core.records import ChangedFile
from aiops_core.text.encoding import decode_source

_CONTEXT = 3
_HUNK = re.compile(r"(?<= )([-+])(\d+)((?:,\d+)?)(?= )")
_NO_NEWLINE = "\\ No newline at end of file\n"


def unified_diff(before: Mapping[str, bytes | None], after: Sequence[ChangedFile]) -> str:
    """Return the diff from the contents ``before`` (None or absent: no such file) to ``after``."""
    return "".join(_file_diff(before.get(file.path), file) for file in after)


def count_lines(diff: str, path: str = "") -> tuple[int, int]:
    """Return how many lines a diff adds and removes, in all or in one file."""
    added = removed = 0
    in_file, in_hunk = not path, False
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            in_file, in_hunk = not path or line == f"diff --git a/{path} b/{path}", False
        elif line.startswith("@@ "):
            in_hunk = True
        elif in_file and in_hunk:
            added += line.startswith("+")
            removed += line.startswith("-")
    return added, removed


def added_text(diff: str, path: str) -> str:
    """Return the lines a diff adds to one file."""
    lines: list[str] = []
    in_file = in_hunk = False
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            in_file, in_hunk = line == f"diff --git a/{path} b/{path}", False
        elif line.startswith("@@ "):
            in_hunk = True
        elif in_file and in_hunk and line.startswith("+"):
            lines.append(line[1:])
    return "\n".join(lines)


def _file_diff(old: bytes | None, file: ChangedFile) -> str:
    new = file.content
    if old == new:
        return ""
    head = f"diff --git a/{file.path} b/{file.path}\n"
    if old is None:
        head += f"new file mode {file.mode}\n"
    if new is None:
        head += f"deleted file mode {file.mode}\n"
    names = (
        "/dev/null" if old is None else f"a/{file.path}",
        "/dev/null" if new is None else f"b/{file.path}",
    )
    lines = _hunks(split_lines(source_text(old)), split_lines(source_text(new)), *names)
    return head + "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def source_text(content: bytes | None) -> str:
    """Return what a file says, whatever its encoding; a byte order mark stays visible."""
    decoded = decode_source(content or b"")
    return f"\ufeff{decoded.text}" if decoded.bom else decoded.text


def split_lines(text: str) -> list[str]:
    """Return the lines with their newlines; only a newline ends a line."""
    *whole, last = text.split("\n")
    return [*(line + "\n" for line in whole), *([last] if last else [])]


def common_start(one: Sequence[str], two: Sequence[str]) -> int:
    """Return how many lines two texts have in common from their start."""
    pairs = zip(one, two, strict=False)
    return next(
        (count for count, (left, right) in enumerate(pairs) if left != right), min(len(one), len(two))
    )


def _hunks(old: list[str], new: list[str], source: str, target: str) -> Iterator[str]:
    """Yield the diff; what is equal at both ends is cut off first, as difflib is slow on long files."""
    skip = max(common_start(old, new) - _CONTEXT, 0)
    tail = common_start(old[skip:][::-1], new[skip:][::-1])
    drop = max(tail - _CONTEXT, 0)
    old, new = old[skip : len(old) - drop], new[skip : len(new) - drop]
    for line in difflib.unified_diff(old, new, source, target, n=_CONTEXT):
        yield _HUNK.sub(lambda match: _moved(match, skip), line) if line.startswith("@@ ") else line


def _moved(match: re.Match[str], by: int) -> str:
    sign, start, rest = match.groups()
    return f"{sign}{int(start) + by}{rest}"
