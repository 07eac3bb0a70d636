"""What a Java stack trace says: the chain of exceptions with their frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct, field

from aiops_core import Frame, RaisedException, lazy_pattern
from aiops_detector_java._extent import after_message, has_body, leads_over
from aiops_detector_java._lines import Head, read_class, read_head, read_head_within, read_mark, split_frame

MAX_FRAMES = 200
"""Frames kept of one exception: those next to the raise and the outermost, half each."""
_LOADER = lazy_pattern(r"(?:[\w.@-]*/){1,2}(?=[\w$]+[.$])")
_GENERATED = lazy_pattern(r"\$\$(?:Lambda|EnhancerBy\w+|FastClassBy\w+|SpringCGLIB)")
"""Classes made at run time; what follows differs from run to run."""
_OUTWARD = frozenset({"Wrapped by", "Caused"})
"""Marks of traces that print the root first."""
Link = Literal["raised", "cause", "suppressed"]


class _Part(Struct):
    """One exception as its lines are read."""

    head: Head
    indent: int = 0
    word: str = ""
    parent: int = -1
    frames: list[str] = field(default_factory=list)


def read_exceptions(
    lines: Sequence[str], is_ours: Callable[[str], bool]
) -> tuple[Head, tuple[RaisedException, ...]]:
    """Return the head of the trace and its exceptions, the one that surfaced first."""
    parts = _read_parts(lines)
    exceptions = tuple(
        RaisedException(
            part.head.type, part.head.message, _frames(part.frames, is_ours), _link(part), part.parent
        )
        for part in _surfaced_first(parts)
    )
    return parts[0].head, exceptions


def _read_parts(lines: Sequence[str]) -> list[_Part]:
    def get(index: int) -> str | None:
        return lines[index] if 0 <= index < len(lines) else None

    start = _head_index(lines)
    index = after_message(get, start)
    parts = [_Part(_head(lines[start:index]))]
    while index < len(lines):
        line = lines[index]
        if line.lstrip().startswith("at "):
            parts[-1].frames.append(line)
            index += 1
            continue
        mark = read_mark(line)
        if mark is None:
            index += 1
            continue
        end = after_message(get, index)
        head = _head([mark.rest, *lines[index + 1 : end]], is_marked=True)
        parts.append(_Part(head, mark.indent, mark.word))
        parts[-1].parent = _parent(parts)
        index = end
    return parts


def _head_index(lines: Sequence[str]) -> int:
    """Return the nearest line above the first frame that names an exception, else the first line."""
    body = next((index for index, line in enumerate(lines) if has_body(line)), len(lines))
    heads = [(index, head) for index in range(body) if (head := read_head(lines[index])) is not None]
    named = [(index, head) for index, head in heads if head.is_known]
    if named:
        return next((index for index, head in named if head.thread), _outer(lines, named[0][0]))
    return next((index for index in range(body) if _names(lines[index])), 0)


def _outer(lines: Sequence[str], head: int) -> int:
    """Return the line whose message only leads over to a head, as with ``nested exception is:``, else the head."""
    above = head - 1
    while above >= 0 and leads_over(lines[above]):
        head = above if _names(lines[above]) else head
        above -= 1
    return head


def _names(line: str) -> bool:
    return read_head(line) is not None or read_head_within(line) is not None


def _head(message: Sequence[str], *, is_marked: bool = False) -> Head:
    first = message[0].strip("[] ") if "[CIRCULAR" in message[0] else message[0]
    first = first.removeprefix("CIRCULAR REFERENCE:").lstrip()
    head = read_head(first) or read_head_within(first) or (read_class(first) if is_marked else None)
    head = head or Head("Exception", first.strip())
    rest = "\n".join(message[1:]).rstrip()
    return head._replace(message=f"{head.message}\n{rest}" if rest else head.message)


def _parent(parts: Sequence[_Part]) -> int:
    """Return what the last part hangs on, by the indentation Java prints: one tab a suppressed."""
    last = parts[-1]
    for index in range(len(parts) - 2, -1, -1):
        indent = parts[index].indent
        if indent < last.indent or (indent == last.indent and last.word != "Suppressed"):
            return index
    return 0


def _link(part: _Part) -> Link:
    if part.parent < 0:
        return "raised"
    return "suppressed" if part.word in {"Suppressed", "Also"} else "cause"


def _surfaced_first(parts: list[_Part]) -> list[_Part]:
    """Turn a trace that prints the root first, and each wrapper after it, round."""
    if not any(part.word in _OUTWARD for part in parts):
        return parts
    chain = [part for part in parts if part.word in {"", *_OUTWARD}]
    others = [part for part in parts if part.word not in {"", *_OUTWARD}]
    ordered = chain[::-1] + others
    for index, part in enumerate(ordered):
        part.parent = index - 1 if index < len(chain) else 0
    return ordered


def _frames(lines: Sequence[str], is_ours: Callable[[str], bool]) -> tuple[Frame, ...]:
    if len(lines) > MAX_FRAMES:
        lines = [*lines[: MAX_FRAMES // 2], *lines[-MAX_FRAMES // 2 :]]
    calls = (split_frame(line) for line in reversed(lines))
    return tuple(_frame(*call, is_ours) for call in calls if call is not None)


def _frame(call: str, file: str, line: int, is_ours: Callable[[str], bool]) -> Frame:
    if "/" in call and (loader := _LOADER.match(call)) is not None:
        call = call[loader.end() :]
    module, _, function = call.rpartition(".")
    generated = _GENERATED.search(module) if "$$" in module else None
    if generated is not None:
        module = module[: generated.end()]
    return Frame(file, max(line, 0), function, module, in_app=generated is None and is_ours(module))
