"""Say how alike two problems are: cheap, pure, and the same whichever is asked about the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from aiops_core.records import Event
from aiops_core.text.fingerprint import Part, parts

NEAR = 0.7
"""From here on two problems are near-identical: one fix, in the end, for most such pairs."""

_TYPES_OF_FRAMES, _TYPES_OF_WORDS = 0.4, 0.2  # lines of one logger share their type for no reason


def similarity(one: Event, other: Event) -> float:
    """Return 0 for nothing in common to 1 for one fingerprint: types, then frames or message."""
    ours, theirs = parts(one), parts(other)
    if ours[0] != theirs[0]:
        return 0.0
    (types, place), (other_types, other_place) = _split(ours), _split(theirs)
    if place[0] != other_place[0]:
        return 0.0
    weight = _TYPES_OF_WORDS if place[0] else _TYPES_OF_FRAMES
    return weight * _shared(types, other_types) + (1 - weight) * _shared(place[1], other_place[1])


def _split(identity: list[Part]) -> tuple[list[str], tuple[bool, list[str]]]:
    types = [part.after for part in identity if part.kind == "type"]
    place = [part for part in identity[1:] if part.kind != "type"]
    is_message = [part.kind for part in place] == ["message"]
    words = place[0].after.split() if is_message else [part.after for part in place]
    return types, (is_message, words)


def _shared(ours: Iterable[str], theirs: Iterable[str]) -> float:
    """Return the share of two lists that is in both, whatever the order."""
    left, right = Counter(ours), Counter(theirs)
    total = (left | right).total()
    return (left & right).total() / total if total else 1.0
