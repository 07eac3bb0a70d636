"""Read tracebacks that are drawn for people: rich's boxes, and those of IPython and notebooks.

Both say above an exception ``Traceback (most recent call last)`` in a line of their own making, list the
calls with their source, and close with the type and the message as Python does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from aiops_core import Frame, RaisedException, lazy_pattern, replace
from aiops_detector_python._lines import (
    COLOURS,
    CONNECTORS,
    RULE,
    is_indented,
    match_exception,
    starts_log_line,
)
from aiops_detector_python._paths import module_of

GetLine = Callable[[int], str | None]
IsOurs = Callable[[str], bool]

TRIGGERS = (
    rf"Traceback {COLOURS}\(most recent call last\){COLOURS} {COLOURS}(?:─|---|\\u2500)",
    r"^[A-Za-z_][\w.]* {2,}Traceback \(most recent call last\)$",
)
_BOX = lazy_pattern(r"(?P<margin>.*?)[╭┌+][─-]+ Traceback \(most recent call last\) [─-]+[╮┐+]\s*$")
_BOX_END = lazy_pattern(r"[╰└+][─-]+[╯┘+]\s*$")
_BOX_LINE = lazy_pattern(r"[│|] (?P<text>.*?)\s*[│|]?\s*$")
_BOX_CALL = lazy_pattern(r"(?P<file>[^\s│|].*?):(?P<line>\d+) in (?P<function>\S.*)$")
_CELL = lazy_pattern(r"(?P<type>[A-Za-z_][\w.]*) {2,}Traceback \(most recent call last\)\s*$")
_CELL_CALL = lazy_pattern(
    r"(?:File )?(?P<file>(?:Cell|Input) In ?\[\d+\]|\S.*?)(?::(?P<line>\d+)|, line (?P<number>\d+))?(?:,? in (?P<function>.*))?$"
)
_ARROW = lazy_pattern(r"(?:-+>|❱|>)\s*(?P<line>\d+)(?: *[│|])? ?(?P<code>.*)$")
_TITLE = "Traceback (most recent call last)"
_MOST_LINES = 3_000
_MOST_MESSAGE = 40
_DETAILS = ("  ", "\t", "[", "(", "DETAIL:", "HINT:", "LINE ")


def is_drawn(line: str) -> bool:
    """Tell whether a traceback is drawn under a line."""
    return _TITLE in line and (_BOX.match(line) is not None or _CELL.match(line) is not None)


def extent_of_drawn(get: GetLine, hit: int) -> tuple[int, int | None]:
    """Return where a drawn traceback begins and the line after it, None where it says no exception."""
    head, end = hit, None
    margin = _margin(get(hit) or "")
    start = hit - (_CELL.match(get(hit) or "") is not None and RULE.match(get(hit - 1) or "") is not None)
    while (closed := _end_of_exception(get, head, margin)) is not None:
        end = closed
        following = _next_head(get, end, margin)
        if following is None:
            break
        head = following
    return start, end


def read_drawn(lines: Sequence[str], is_ours: IsOurs) -> tuple[RaisedException, ...]:
    """Return the exceptions of a block, the one that surfaced first; none where nothing is drawn."""
    heads = [index for index, line in enumerate(lines) if is_drawn(line)]
    if not heads:
        return ()
    margin = _margin(lines[heads[0]])
    texts = [_clean(line, margin) for line in lines]
    raised: list[RaisedException] = []
    for head, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        part = texts[head:end]
        below = [replace(one, parent=one.parent + 1) for one in raised]
        raised = [RaisedException(*_said(part), tuple(_frames(part, is_ours))), *below]
        link = next((CONNECTORS[line.strip()] for line in part if line.strip() in CONNECTORS), None)
        if link:
            raised[0] = replace(raised[0], link=link)
    return (replace(raised[0], link="raised"), *raised[1:])


def _margin(line: str) -> int:
    found = _BOX.match(line)
    return len(found["margin"]) if found and not found["margin"].strip() else 0


def _clean(line: str, margin: int) -> str:
    return line[margin:] if not line[:margin].strip() else line


def _end_of_exception(get: GetLine, head: int, margin: int) -> int | None:
    """Return the line after the message of the exception that is drawn under a line."""
    line = get(head) or ""
    cell = _CELL.match(line)
    is_open = cell is None
    for index in range(head + 1, head + _MOST_LINES):
        raw = get(index)
        if raw is None:
            return None
        text = _clean(raw, margin)
        if is_open:
            is_open = _BOX_END.match(text) is None
        elif cell is None or text.partition(":")[0] == cell["type"]:
            return _end_of_message(get, index + 1, margin) if match_exception(text) else None
        elif starts_log_line(text) and not is_indented(text) and not _CELL_CALL.match(text):
            return None
    return None


def _end_of_message(get: GetLine, at: int, margin: int) -> int:
    end = at
    while end < at + _MOST_MESSAGE:
        text = _clean(get(end) or "", margin)
        if not text.startswith(_DETAILS) or (not is_indented(text) and starts_log_line(text)):
            break
        end += 1
    return end


def _next_head(get: GetLine, end: int, margin: int) -> int | None:
    """Return the head of the next exception of the chain."""
    at = _skip_blank(get, end)
    if _clean(get(at) or "", margin).strip() not in CONNECTORS:
        return None
    at = _skip_blank(get, at + 1)
    return at if is_drawn(get(at) or "") else None


def _skip_blank(get: GetLine, at: int) -> int:
    end = at
    while end < at + 3 and (line := get(end)) is not None and not line.strip():
        end += 1
    return end


def _said(part: Sequence[str]) -> tuple[str, str]:
    """Return type and message, which stand under the box or the last call."""
    cell = _CELL.match(part[0])
    closed = next((at for at, line in enumerate(part) if at and _BOX_END.match(line)), 0)
    for index in range(1 if cell else closed + 1, len(part)):
        found = match_exception(part[index])
        if found and (cell is None or found[1] == cell["type"]):
            rest = []
            for line in part[index + 1 :]:
                if not line.strip() or line.strip() in CONNECTORS:
                    break
                rest.append(line)
            return found[1], "\n".join([found[2] or "", *rest]).strip()
    return (cell["type"] if cell else "Traceback"), ""


def _frames(part: Sequence[str], is_ours: IsOurs) -> Iterator[Frame]:
    is_cell = _CELL.match(part[0]) is not None
    texts = part[1:] if is_cell else [found["text"] for line in part if (found := _BOX_LINE.match(line))]
    calls = [(at, found) for at, line in enumerate(texts) if (found := _call(line, is_cell=is_cell))]
    for (at, found), end in zip(calls, [*(at for at, _ in calls[1:]), len(texts)], strict=True):
        arrow = next((mark for line in texts[at + 1 : end] if (mark := _ARROW.match(line.strip()))), None)
        groups = found.groupdict()
        line = groups["line"] or groups.get("number") or (arrow["line"] if arrow else "0")
        file, function = groups["file"], (groups["function"] or "").partition("(")[0].strip()
        if is_cell and arrow is None and not groups["line"] and ".py" not in file:
            continue
        is_own = is_ours(file)
        code = arrow["code"].strip()[:500] if arrow else ""
        yield Frame(file, int(line), function, module_of(file), in_app=is_own, code=code)


def _call(line: str, *, is_cell: bool) -> re.Match[str] | None:
    if not is_cell:
        return _BOX_CALL.match(line)
    is_call = line and not is_indented(line) and not line.startswith("-") and not match_exception(line)
    return _CELL_CALL.match(line) if is_call else None
