"""Remember the generations that are not read: those of earlier runs, and those that ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from aiops_core import Position
from aiops_source_file.content import Content, GzipContent, read
from aiops_source_file.discovery import Candidate, Key
from aiops_source_file.generation import PREFIX, Generation, new_generation, restore, sample, sample_of
from aiops_source_file.siblings import originals, unpacked
from aiops_source_file.troubles import Troubles

_MOST_ENDED = 5_000
_UNCERTAIN = 3.0
"""What came in the last seconds before a position may have been found, but not committed."""


class Memory:
    """What was read before, found again by inode and content."""

    def __init__(self) -> None:
        self._dormant: dict[int, list[Generation]] = defaultdict(list)
        self._ended: dict[Key, Generation] = {}
        self._noted: dict[str, dict[str, Generation]] = defaultdict(dict)
        self._serial = 0

    def restore(self, positions: Mapping[str, Position], troubles: Troubles) -> Iterator[Generation]:
        """Take over what an earlier run committed and yield it, the oldest first."""
        restored = []
        for stream, position in positions.items():
            if not position:
                continue  # forgotten
            try:
                restored.append(restore(stream, position))
            except ValueError as error:
                troubles.tell(stream, f"{error}; its file is read as if it were new.")
        for generation in sorted(restored, key=lambda g: g.serial):
            self._serial = generation.serial
            generation.seen_at -= _UNCERTAIN
            self._dormant[generation.inode].insert(0, generation)
            self.note(generation)
            yield generation

    def note(self, generation: Generation) -> None:
        """Remember what a file held, to know copies of it."""
        is_known_by_content = generation.prefix.length == PREFIX
        for noted in [generation.prefix.hash] if is_known_by_content else _names(generation):
            self._noted[noted][generation.stream] = generation
        while len(self._noted) > _MOST_ENDED:
            del self._noted[next(iter(self._noted))]

    def original(self, candidate: Candidate, content: Content) -> Generation | None:
        """Return a generation that was read before and of whose file this is a copy."""
        noted = self._noted.get(sample(content, 0, PREFIX).hash, {})
        return next((g for g in noted.values() if g.was_in(content, candidate.status.st_size)), None)

    def packed_original(self, candidate: Candidate, content: GzipContent) -> Generation | None:
        """Return a generation that was read before and of whose file this is the compressed copy.

        Of a file under 1 KiB the name has to say so too.
        """
        noted = list(self._noted.get(sample_of(read(content, 0, PREFIX), 0).hash, {}).values())
        for path in unpacked(candidate.path):
            noted += self._noted.get(path, {}).values()
        return next((g for g in noted if g.was_packed_into(content)), None)

    @property
    def is_noted(self) -> bool:
        """Whether anything was read before."""
        return bool(self._noted)

    def begin(self, path: str, key: Key, now: float) -> Generation:
        """Return a new generation, later than all others."""
        self._serial += 1
        return new_generation(path, key, self._serial, now)

    def dormant(self) -> list[Generation]:
        """Return the generations of earlier runs whose files were not found yet."""
        return [g for g in chain.from_iterable(self._dormant.values()) if not g.is_ended]

    def knows(self, key: Key) -> bool:
        """Whether a file with this inode was read before; another may have the number now."""
        return key in self._ended or self._sleeping(key) is not None

    def recall(self, candidate: Candidate, content: Content) -> Generation | None:
        """Return the generation that was read from this very file."""
        for known in (self._ended.get(candidate.key), self._sleeping(candidate.key)):
            if known is not None and known.is_now(candidate, content):
                return known
        return None

    def is_done(self, candidate: Candidate) -> bool:
        """Whether the stream of a file has ended and the file did not change since."""
        ended = self._ended.get(candidate.key)
        return ended is not None and ended.seen == candidate.seen

    def wake(self, candidate: Candidate, content: Content) -> Generation | None:
        """Return the generation that was read from this file and take it out of memory.

        One that has ended comes back under a new stream if the file has grown, else as it is.
        """
        known = self.recall(candidate, content)
        if known is None:
            self._ended.pop(candidate.key, None)
            return None
        self.forget(known)
        known.device, known.inode = candidate.key
        return self._go_on(known, candidate) if known.is_ended else known

    def forget(self, generation: Generation) -> bool:
        """Take a generation out of memory; False when it was not in there."""
        if self._ended.get(generation.key) is generation:
            del self._ended[generation.key]
            return True
        dormant = self._dormant.get(generation.inode, [])
        if generation not in dormant:
            return False
        dormant.remove(generation)
        return True

    def keep(self, generation: Generation) -> None:
        """Remember a generation that has ended while its file may exist."""
        self.note(generation)
        self._ended[generation.key] = generation
        if len(self._ended) > _MOST_ENDED:
            del self._ended[next(iter(self._ended))]

    def forget_gone(self, before: float, is_gone: Callable[[Generation], bool]) -> list[Generation]:
        """Take out and return what ended, was last seen ``before`` and has no file any more."""
        known = {*self._ended.values(), *chain.from_iterable(self._dormant.values())}
        gone = [g for g in known if g.is_ended and g.seen_at < before and is_gone(g)]
        for generation in gone:
            self.forget(generation)
            for noted in (generation.prefix.hash, *_names(generation)):
                self._noted.get(noted, {}).pop(generation.stream, None)
        return gone

    def _sleeping(self, key: Key) -> Generation | None:
        dormant = self._dormant.get(key[1], ())
        same_device = next((g for g in dormant if g.device == key[0]), None)
        return same_device or next((g for g in dormant if g.prefix.length), None)

    def _go_on(self, ended: Generation, candidate: Candidate) -> Generation:
        ended.seen = candidate.seen
        if candidate.status.st_size <= ended.tail.end:
            self.keep(ended)
            return ended
        successor = self.begin(candidate.path, candidate.key, ended.seen_at)
        successor.offset, successor.prefix, successor.tail = ended.offset, ended.prefix, ended.tail
        return successor


def _names(generation: Generation) -> list[str]:
    """Return the names from which a rotation may make that of a copy."""
    return [generation.place, *originals(generation.place)]
