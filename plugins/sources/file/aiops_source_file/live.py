"""The generations that are being read now."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable

from aiops_source_file.discovery import Candidate, Key
from aiops_source_file.files import Files
from aiops_source_file.generation import Generation
from aiops_source_file.memory import Memory
from aiops_source_file.nature import HEAD, UNJUDGED
from aiops_source_file.siblings import Siblings

_MANY_ASTRAY = 100
_MANY_GONE = 5_000


class Live:
    """The generations that are being read: by file, and by the path where one was seen last.

    ``ready`` holds, in turn, what may have something to read; ``lost`` what ended without a
    trace of its file; ``begun`` what is read from another place than its beginning; ``gone``
    when the files that were deleted were last seen, by their place.
    """

    def __init__(
        self, files: Files, now: Callable[[], float] = time.monotonic, *, is_hidden: Callable[[str], bool]
    ) -> None:
        self.memory = Memory()
        self.by_key: dict[Key, Generation] = {}
        self.at_path: dict[str, Generation] = {}
        self.ready: OrderedDict[Generation, None] = OrderedDict()
        self.astray: set[Generation] = set()
        self.lost: list[Generation] = []
        self.begun: list[Generation] = []
        self.gone: dict[str, float] = {}
        self.seen_at = time.time()
        self._files = files
        self._now = now
        self._is_hidden = is_hidden

    def __contains__(self, generation: Generation | None) -> bool:
        return generation is not None and self.by_key.get(generation.key) is generation

    def follows(self, path: str) -> bool:
        """Whether the file at ``path`` is being read."""
        generation = self.at_path.get(path)
        return generation is not None and generation in self and not generation.is_ignored

    def notice(self, path: str) -> None:
        """Look at the file at ``path`` soon, if it is followed."""
        generation = self.at_path.get(path)
        if generation is not None and generation in self:
            generation.is_checked = False
            self.ready[generation] = None

    def begin(self, path: str, key: Key) -> Generation:
        """Begin a generation that was never seen before."""
        generation = self.at_path[path] = self.memory.begin(path, key, self.seen_at)
        self.add(generation)
        return generation

    def begin_after(self, candidate: Candidate, original: Generation | None = None) -> None:
        """Begin a copy after what was read of its original, all of it unless that is given."""
        content = self._files.open(candidate.key, candidate.path)
        if content is not None:
            generation, size = self.begin(candidate.path, candidate.key), candidate.status.st_size
            generation.offset = min(size, original.tail.end) if original else size
            generation.remember(content)
            generation.look(candidate.status)
            self.begun.append(generation)

    def add(self, generation: Generation, *, first: bool = False) -> None:
        """Read a generation to its end, in its turn or first of all; of a file there is but one."""
        known = self.by_key.get(generation.key)
        if known is not None and known is not generation:
            self.drop(known)
        generation.is_drained = False
        self.by_key[generation.key] = generation
        self.ready[generation] = None
        if first:
            self.ready.move_to_end(generation, last=False)

    def see(self, generation: Generation, candidate: Candidate) -> None:
        """Take note of where and how the file of a generation is now."""
        is_same = generation.path == candidate.path and HEAD <= generation.seen[0] <= candidate.status.st_size
        if generation.is_ignored and not is_same and generation.seen != candidate.seen:
            generation.nature = UNJUDGED
        if generation.path == candidate.path:
            generation.seen_at = self.seen_at
        generation.path, generation.real = candidate.path, candidate.real
        generation.explicit = candidate.explicit
        self.at_path[candidate.path] = generation
        if generation.astray_since is not None:
            generation.astray_since = None
            self.astray.discard(generation)
            self._files.pinned.discard(generation.key)
        if generation.look(candidate.status) and not generation.is_ignored:
            self.ready[generation] = None

    def mark_astray(self, found: set[Key], siblings: Siblings) -> None:
        """Take note of the files that no setting names any more, and follow them still."""
        for generation in [g for key, g in self.by_key.items() if key not in found]:
            if self._is_hidden(generation.path):  # maybe it is still there
                self._look_at(generation)
                continue
            if generation.is_ignored:
                self.end(generation)
                continue
            if generation.astray_since is None:
                self.go_astray(generation, self._now())
                generation.path, generation.real = generation.place, ""  # the link may lead elsewhere
            self._files.pinned.add(generation.key)
            status = self._files.status(generation.key, generation.place) or _find(generation, siblings)
            if status is not None and generation.look(status):
                self.ready[generation] = None

    def go_astray(self, generation: Generation, since: float) -> None:
        """Take note that no setting names the file of a generation any more."""
        generation.astray_since = since
        self.astray.add(generation)

    def look_astray(self) -> None:
        """See whether files that no setting names any more have grown."""
        for generation in self.astray:
            self._look_at(generation)

    def _look_at(self, generation: Generation) -> None:
        status = self._files.status(generation.key, generation.place)
        if status is not None and generation.look(status):
            self.ready[generation] = None

    def expired(self, wait: float) -> list[Generation]:
        """Return what nobody names, has nothing to read and was not written to for ``wait`` seconds."""
        read = [g for g in self.astray if g.is_drained and g not in self.ready]
        read = [g for g in read if not self._is_hidden(g.path)]
        astray = sorted(read, key=lambda g: g.serial)
        excess, before = len(astray) - _MANY_ASTRAY, self._now() - wait
        return [
            g for i, g in enumerate(astray) if i < excess or g.is_final or (g.astray_since or 0) <= before
        ]

    def orphan(self, generation: Generation) -> None:
        """Take note that another file has the inode of a generation whose file is gone."""
        self.drop(generation)
        generation.inode = -generation.serial  # which no file has
        self.add(generation)
        self.go_astray(generation, self._now())

    def drop(self, generation: Generation) -> None:
        """Read no more of a generation."""
        self.ready.pop(generation, None)
        self.astray.discard(generation)
        if generation in self:
            del self.by_key[generation.key]

    def end(self, generation: Generation) -> None:
        """Let go of a generation; remember it while its file may exist."""
        is_live = generation in self
        self.drop(generation)
        if not is_live:
            return
        content = self._files.held(generation.key)
        if content is None or os.fstat(content.fd).st_nlink:
            self.memory.keep(generation)
            self._files.close(generation.key)
            return
        self.memory.note(generation)
        if self.at_path.get(generation.path) is generation:
            del self.at_path[generation.path]
            self.gone[generation.place] = generation.seen_at
            if len(self.gone) > _MANY_GONE:
                del self.gone[next(iter(self.gone))]
        self._files.close(generation.key)


def _find(generation: Generation, siblings: Siblings) -> os.stat_result | None:
    sibling = siblings.with_inode(generation.place, generation.inode)
    if sibling is None or sibling.key != generation.key:
        return None
    generation.path, generation.real = sibling.path, ""
    return sibling.status
