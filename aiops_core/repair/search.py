"""Find the one place an edit speaks of; refuse none and several, in words a model can use."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from aiops_core.errors import Refused

_SHOWN = 12
_COUNTED = 10
_SHIFTED = 1_000
_SHIFTS = 50


def replace_once(text: str, search: str, replace: str, *, where: str) -> str:
    """Return the text with the one occurrence of ``search`` replaced.

    All three have newlines as line ends. A search that is nowhere as written may still be the
    one place that differs by a uniform indentation and by trailing blanks; the replacement is
    then indented alike. Raise Refused (rule ``search``) for no match and for several.
    """
    if search == text:
        return replace
    if not search.strip():
        raise _refused(where, "the search text is empty", "Quote the lines to change as they are in the file")
    places = list(islice(_occurrences(text, search), _COUNTED + 1))
    if len(places) > 1:
        raise _several(where, [text.count("\n", 0, place) + 1 for place in places])
    if places:
        if _lacks_indent(text, places[0], search):
            with suppress(Refused):
                return _replace_shifted(text, search, replace, where)
        return text[: places[0]] + replace + text[places[0] + len(search) :]
    if search.endswith("\n") and not text.endswith("\n") and text.endswith(search[:-1]):
        return replace_once(text, search[:-1], replace.removesuffix("\n"), where=where)
    return _replace_shifted(text, search, replace, where)


def has_match(text: str, search: str) -> bool:
    """Return whether ``replace_once`` would find its one place."""
    try:
        replace_once(text, search, "", where="")
    except Refused:
        return False
    return True


def _occurrences(text: str, search: str) -> Iterator[int]:
    start = text.find(search)
    while start >= 0:
        yield start
        start = text.find(search, start + 1)


def _lacks_indent(text: str, place: int, search: str) -> bool:
    """Return whether whole lines were quoted, but for the blanks the first one begins with."""
    end = place + len(search)
    is_whole = search.endswith("\n") or text[end : end + 1] in ("", "\n")
    before = text[text.rfind("\n", 0, place) + 1 : place]
    return is_whole and bool(before) and not before.strip()


def _replace_shifted(text: str, search: str, replace: str, where: str) -> str:
    lines, wanted = text.split("\n"), _trimmed(search)
    found = [
        (start, shift)
        for start in _alike(lines, wanted)
        if (shift := _shift(lines[start : start + len(wanted)], wanted)) is not None
    ]
    if len(found) > 1:
        raise _several(where, [start + 1 for start, _ in found])
    if not found:
        raise _missing(where, lines, wanted)
    start, (add, drop) = found[0]
    end = start + len(wanted)
    new = _carried(lines[start:end], wanted, _trimmed(replace), add, drop)
    if new is None:
        raise _missing(where, lines, wanted)
    return "\n".join([*lines[:start], *new, *lines[end:]])


def _alike(lines: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return where lines equal the wanted ones but for blanks at their ends; none for very long ones."""
    if len(wanted) > _SHIFTED:
        return []
    text = "\n".join(["", *(line.strip() for line in lines), ""])
    places = islice(_occurrences(text, "\n".join(["", *(want.strip() for want in wanted), ""])), _SHIFTS)
    return [text.count("\n", 0, place) for place in places]


def _trimmed(text: str) -> list[str]:
    lines = text.split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _shift(lines: Sequence[str], wanted: Sequence[str]) -> tuple[str, str] | None:
    """Return what to add before and to drop from the wanted lines to get these; None: not these."""
    shift: tuple[str, str] | None = None
    for line, want in zip(lines, wanted, strict=True):
        if not line.strip() and not want.strip():
            continue
        if line.strip() != want.strip():
            return None
        one = _step(_indent(line), _indent(want))
        if one is None or (shift is not None and one != shift):
            return None
        shift = one
    return shift


def _step(have: str, want: str) -> tuple[str, str] | None:
    if have.endswith(want):
        return have[: len(have) - len(want)], ""
    return ("", want[: len(want) - len(have)]) if want.endswith(have) else None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _carried(
    lines: Sequence[str], wanted: Sequence[str], new: Sequence[str], add: str, drop: str
) -> list[str] | None:
    """Return the new lines, shifted; those the edit leaves alone as they are in the file."""
    carried: list[str] = []
    matcher = difflib.SequenceMatcher(None, wanted, new)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            carried += lines[i1:i2]
            continue
        for line in new[j1:j2]:
            if line.strip() and not line.startswith(drop):
                return None
            carried.append(add + line.removeprefix(drop) if line.strip() else "")
    return carried


def _several(where: str, numbers: Sequence[int]) -> Refused:
    count = f"{_COUNTED} times or more" if len(numbers) > _COUNTED else f"{len(numbers)} times"
    listed = ", ".join(map(str, dict.fromkeys(numbers[:_COUNTED])))
    return _refused(
        where, f"the search text occurs {count}, at lines {listed}", "Quote more lines, so that it is unique"
    )


def _missing(where: str, lines: Sequence[str], wanted: Sequence[str]) -> Refused:
    start = _nearest(lines, wanted)
    if start is None:
        return _refused(where, "the search text is not in the file", "Quote the lines exactly as they are")
    end = min(start + min(len(wanted), _SHOWN), len(lines))
    shown = "\n".join(lines[start:end])
    return _refused(
        where,
        "the search text is not in the file",
        f"The nearest is at lines {start + 1} to {end}; quote it exactly as it is:\n{shown}",
        end="",
    )


def _nearest(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    at: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        at.setdefault(line.strip(), []).append(number)
    votes: Counter[int] = Counter()
    for offset, want in enumerate(wanted):
        if want.strip():
            votes.update(max(number - offset, 0) for number in at.get(want.strip(), [])[:50])
    if votes:
        return votes.most_common(1)[0][0]
    close = difflib.get_close_matches(wanted[0].strip(), list(at)[:5000], n=1) if wanted else []
    return at[close[0]][0] if close else None


def _refused(where: str, what: str, remedy: str, end: str = ".") -> Refused:
    return Refused(f"{where}: {what}. {remedy}{end}", rule="search")
