"""Tell which of many known things stands at a place, by what never changes in it, part by part.

What it costs grows with the number of parts, hardly with how many things are known or how long they are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Generic, TypeVar

from msgspec import Struct, field

from aiops_core.text.block_patterns import Match, Parts, number_match

T = TypeVar("T")

_MOST_NESTED = 4
"""How many texts that come before a place in order are looked at: one may be the beginning of another."""


class _After(Struct, Generic[T]):
    """What comes after a text: an item ends with it, or a number follows, and more after that."""

    item: T | None = None
    numbers: dict[bytes, tuple[Match, Branches[T]]] = field(default_factory=dict)


class Branches(Generic[T]):
    """The items whose parts begin alike; their texts are in ascending order."""

    __slots__ = ("_afters", "_longest", "_texts")

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._afters: list[_After[T]] = []
        self._longest = 0

    def put(self, parts: Parts, item: T) -> None:
        """Let an item stand where its parts lead."""
        self._end(parts).item = item

    def take_back(self, parts: Parts, item: T) -> None:
        """Let nothing stand there, unless another item has taken the place."""
        end = self._end(parts)
        if end.item is item:
            end.item = None

    def find(self, data: bytes, at: int) -> T | None:
        """Return what stands at a place, the longest where several may."""
        texts = self._texts
        # What the data begin with is not after them in order, and hardly ever far before.
        index = bisect_right(texts, data[at : at + self._longest])
        lowest = max(index - _MOST_NESTED, 0)
        while index > lowest:
            index -= 1
            text = texts[index]
            if data.startswith(text, at):
                end, after = at + len(text), self._afters[index]
                for match, branches in after.numbers.values():
                    number = match(data, end)
                    if number is not None and (found := branches.find(data, number.end())) is not None:
                        return found
                if after.item is not None:
                    return after.item
        return None

    def _end(self, parts: Parts) -> _After[T]:
        branches = self
        for text, number in zip(parts.texts[:-1], parts.numbers, strict=True):
            numbers = branches._after(text).numbers
            if number not in numbers:
                numbers[number] = (number_match(number), Branches())
            branches = numbers[number][1]
        return branches._after(parts.texts[-1])

    def _after(self, text: bytes) -> _After[T]:
        """Return what comes after a text, which is put in its place if need be."""
        index = bisect_left(self._texts, text)
        if index == len(self._texts) or self._texts[index] != text:
            self._texts.insert(index, text)
            self._afters.insert(index, _After())
            self._longest = max(self._longest, len(text))
        return self._afters[index]
