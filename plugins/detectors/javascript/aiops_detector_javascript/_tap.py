"""Read a failed test as the Test Anything Protocol tells of it: a line, and under it fields in YAML.

Node's own runner, tape, tap and AVA write it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from textwrap import dedent

from aiops_core import lazy_pattern
from aiops_detector_javascript._frames import read_at
from aiops_detector_javascript._heads import read_head

TRIGGER = r"^ {0,40}not ok \d+ "
TEST = lazy_pattern(r"(?P<indent> {0,40})not ok \d+ (?:- )?(?P<title>.*?)\s*$")
_EXPECTED = lazy_pattern(r".*# (?i:TODO|SKIP)\b")
_FIELD = lazy_pattern(r"(?P<name>\w+): ?(?P<value>.*)$")
_BLOCK = frozenset({"|", "|-", ">", ">-"})
_PLACE = lazy_pattern(r"\.[cm]?[jt]sx?:\d+:\d+")
_OF_OTHERS = "failureType: 'subtestsFailed'"
"""What Node says of a test that failed for those inside it, which were told of before."""
_MOST_LINES = 400


def extent_of_test(get: Callable[[int], str | None], hit: int) -> tuple[int, int] | None:
    """Return the line of a test and the one after its fields; None where they name no place in a script."""
    found = TEST.match(get(hit) or "")
    if found is None or _EXPECTED.match(found["title"]) or (get(hit + 1) or "").strip() != "---":
        return None
    has_place = False
    for index in range(hit + 2, hit + _MOST_LINES):
        line = get(index)
        if line is None or line.strip() == _OF_OTHERS:
            return None
        if line == f"{found['indent']}  ...":
            return (hit, index + 1) if has_place else None
        has_place = has_place or _PLACE.search(line) is not None
    return None


def as_stack(lines: Sequence[str]) -> Sequence[str]:
    """Return what failed as Node prints an error; other lines as they are."""
    found = TEST.match(lines[0])
    if found is None:
        return lines
    fields = _fields(lines[2:-1])
    stack = [line for line in fields.get("stack", fields.get("at", "")).split("\n") if line.strip()]
    if stack and read_head(stack[0]) is not None:
        return stack
    message = fields.get("error") or fields.get("message") or found["title"]
    calls = [line.strip().removeprefix("at ") for line in stack]
    frames = [at for call in calls if read_at(at := f"    at {call}") is not None]
    return [*f"{fields.get('name') or 'AssertionError'}: {message}".split("\n"), *frames]


def _fields(lines: Sequence[str]) -> Mapping[str, str]:
    """Read the outermost fields; a text of several lines is indented below its name."""
    fields: dict[str, list[str]] = {}
    below: list[str] = []
    for line in dedent("\n".join(lines)).split("\n"):
        if (found := _FIELD.match(line)) is not None:
            value = found["value"].strip()
            below = fields[found["name"]] = [] if value in _BLOCK else [_unquoted(value)]
        else:
            below.append(line)
    return {name: dedent("\n".join(value)).strip() for name, value in fields.items()}


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1].replace("''", "'") if is_quoted else value
