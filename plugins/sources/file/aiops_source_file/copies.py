"""Recognise the copies that copytruncate makes before it empties a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal

from aiops_source_file.content import Content, peek
from aiops_source_file.discovery import Candidate, Key
from aiops_source_file.generation import PREFIX, TAIL, Generation

COPY_WAIT = 5.0

OpenFile = Callable[[Key, str], Content | None]
Original = Generation | Candidate
Verdict = Literal["other", "wait", "copy"]


class Copies:
    """Hold back copies of files that are being read until their purpose is known."""

    def __init__(self, open_file: OpenFile, now: Callable[[], float] = time.monotonic) -> None:
        self._open = open_file
        self._now = now
        self._held: dict[Key, tuple[int, float]] = {}

    def judge(self, candidate: Candidate, original: Original) -> Verdict:
        """Say whether a new file is a ``copy`` of one that is being read, or an ``other``.

        ``wait`` while it may still be written, and a moment longer: either the original is
        truncated then, and the copy holds its unread rest, or it stays, and the copy holds
        nothing new.
        """
        size = candidate.status.st_size
        copy, source = self._open(candidate.key, candidate.path), self._open(original.key, original.path)
        if copy is None:
            return "wait"
        is_earlier = isinstance(original, Generation) and _holds(copy, original, size)
        if source is None or not (is_earlier or _is_alike(copy, source, size)):
            return "other"
        held = self._held.get(candidate.key)
        if held is None or held[0] != size:
            held = self._held[candidate.key] = (size, self._now())
        if self._now() - held[1] < COPY_WAIT:
            return "wait"
        del self._held[candidate.key]
        return "copy" if _is_alike(copy, source, size, max(0, size - TAIL)) else "other"

    def is_copy(self, candidate: Candidate, original: Generation) -> bool:
        """Say at once whether a file holds what was, or is to be, read of a generation."""
        copy = self._open(candidate.key, candidate.path)
        if copy is None or (original.tail.length and original.was_in(copy, candidate.status.st_size)):
            return True
        source, size = self._open(original.key, original.path), candidate.status.st_size
        return source is not None and all(
            _is_alike(copy, source, size, start) for start in (0, max(0, size - TAIL))
        )

    def find(
        self, generation: Generation, rotated: Sequence[Candidate], is_known: Callable[[Candidate], bool]
    ) -> Candidate | None:
        """Return the latest sibling that is a copy of a generation's file.

        One that is shorter than what was read is a copy made before the last bytes were written.
        """
        shorter = None
        for sibling in reversed(rotated if generation.prefix.length else ()):
            content = None if is_known(sibling) else self._open(sibling.key, sibling.path)
            size = sibling.status.st_size
            if content is None or not generation.was_in(content, size):
                continue
            if size >= generation.tail.end:
                return sibling
            shorter = shorter or sibling
        return shorter


def _is_alike(copy: Content, source: Content, size: int, start: int = 0) -> bool:
    """Whether two files hold the same from ``start`` on, as far as is looked at."""
    length = min(size - start, PREFIX)
    return peek(copy, start, length) == peek(source, start, length)


def _holds(copy: Content, original: Generation, size: int) -> bool:
    return 0 < original.prefix.length <= size and original.prefix.holds(copy)
