"""Tell which file is which: after renames, truncations, copies, deletions and restarts."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from aiops_core import Position
from aiops_source_file.content import Content
from aiops_source_file.copies import Copies
from aiops_source_file.discovery import Candidate, Key
from aiops_source_file.files import Files
from aiops_source_file.generation import UNJUDGED, Generation
from aiops_source_file.memory import Memory
from aiops_source_file.siblings import Siblings, originals
from aiops_source_file.troubles import Troubles

_CLOCK_SLACK = 0.02
_MANY_ASTRAY = 100
_ROTATION_TIME = 3.0
"""How many seconds after a rotation its siblings are looked at again."""


class _Rotation(NamedTuple):
    """A path at which files came and went after ``since``, and how long they are looked for."""

    since: float
    until: float
    is_seen: bool = True
    """False when it only may have happened."""


class Generations:
    """The generations that are being read, by file.

    ``ready`` holds, in turn, what may have something to read; ``lost`` what ended without a
    trace of its file; ``begun`` what is read from another place than its beginning; ``from_end``
    the files of which only the end is wanted.
    """

    def __init__(
        self,
        files: Files,
        troubles: Troubles,
        *,
        holds_copies: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.live: dict[Key, Generation] = {}
        self.ready: OrderedDict[Generation, None] = OrderedDict()
        self.lost: list[Generation] = []
        self.begun: list[Generation] = []
        self.from_end: set[Key] = set()
        self._files = files
        self._troubles = troubles
        self._holds_copies = holds_copies
        self._now = now
        self._memory = Memory()
        self._copies = Copies(files.open, now)
        self._at_path: dict[str, Generation] = {}
        self._rotations: dict[str, _Rotation] = {}
        self._siblings = Siblings()
        self._seen_at = time.time()
        self._search_until = 0.0
        self._is_searching = False

    def restore(self, positions: Mapping[str, Position]) -> None:
        """Take over what an earlier run committed."""
        until = self._now() + _ROTATION_TIME
        for generation in self._memory.restore(positions, self._troubles):
            self._at_path[generation.path] = generation
            self._rotations[generation.path] = _Rotation(generation.seen_at, until, is_seen=False)
        self._is_searching, self._search_until = True, until

    def update(self, found: Sequence[Candidate], now: float) -> None:
        """Take note of the files that were there at ``now``, in seconds since the epoch."""
        self._seen_at = now
        self._siblings = Siblings()
        fresh = [candidate for candidate in found if not self._resume(candidate)]
        self._find_dormant()
        fresh_at = {candidate.path: candidate for candidate in fresh}
        for candidate in fresh:
            if candidate.key not in self.live and not self._is_copy(candidate, fresh_at):
                self._begin(candidate)
        self._look_again()
        self.from_end.difference_update(self.live)
        self._mark_astray({candidate.key for candidate in found})

    def follows(self, path: str) -> bool:
        """Whether the file at ``path`` is being read."""
        generation = self._at_path.get(path)
        return generation is not None and generation.key in self.live and not generation.is_ignored

    def notice(self, path: str) -> None:
        """Look at the file at ``path`` soon, if it is followed."""
        generation = self._at_path.get(path)
        if generation is not None and self.live.get(generation.key) is generation:
            generation.is_checked = False
            self.ready[generation] = None

    def replace(self, generation: Generation) -> bool:
        """Begin anew with a file that was truncated or rewritten.

        False when the old generation goes on in a copy of what the file held before.
        """
        path, key, astray_since = generation.path, generation.key, generation.astray_since
        status = self._files.status(key, path)
        self._siblings = Siblings()
        is_moved = self._move_to_copy(generation)
        if not is_moved:
            self.ready.pop(generation, None)
            self._memory.note(generation)
        at_path = self._at_path.get(path)
        successor = self._new(path, key)
        if at_path is not generation and at_path is not None:
            self._at_path[path] = at_path
        successor.explicit, successor.astray_since = generation.explicit, astray_since
        if status is not None:
            successor.look(status)
        self._queue_behind(generation, successor)
        return not is_moved

    def expired(self, wait: float) -> list[Generation]:
        """Return what nobody names and nobody wrote to for ``wait`` seconds."""
        astray = [g for g in self.live.values() if g.astray_since is not None and g.is_drained]
        astray.sort(key=lambda g: g.serial)
        excess, before = len(astray) - _MANY_ASTRAY, self._now() - wait
        return [
            g for i, g in enumerate(astray) if i < excess or g.is_final or (g.astray_since or 0) <= before
        ]

    def end(self, generation: Generation) -> None:
        """Let go of a generation; remember it while its file may exist."""
        self.ready.pop(generation, None)
        if self.live.get(generation.key) is not generation:
            return
        del self.live[generation.key]
        content = self._files.held(generation.key)
        if content is None or os.fstat(content.fd).st_nlink:
            self._memory.keep(generation)
        elif self._at_path.get(generation.path) is generation:
            del self._at_path[generation.path]
        self._files.close(generation.key)

    def _resume(self, candidate: Candidate) -> bool:
        generation = self.live.get(candidate.key)
        if generation is not None:
            self._see(generation, candidate)
            return True
        if self._memory.is_done(candidate):
            return True
        if not self._memory.knows(candidate.key):
            return False
        content = self._files.open(candidate.key, candidate.path)
        return content is None or self._attach(candidate, content)

    def _attach(self, candidate: Candidate, content: Content) -> bool:
        """Go on with the generation whose file was found again."""
        generation = self._memory.wake(candidate, content)
        if generation is None:
            return False
        if not generation.is_ended:
            self.live[candidate.key] = generation
            self._see(generation, candidate)
            self.ready[generation] = None
        return True

    def _see(self, generation: Generation, candidate: Candidate) -> None:
        is_same = generation.path == candidate.path and candidate.status.st_size >= generation.seen[0]
        if generation.is_ignored and not is_same:
            generation.nature = UNJUDGED
        if generation.path == candidate.path:
            generation.seen_at = self._seen_at
        generation.path, generation.explicit = candidate.path, candidate.explicit
        self._at_path[candidate.path] = generation
        if generation.astray_since is not None:
            generation.astray_since = None
            self._files.pinned.discard(generation.key)
        if generation.look(candidate.status) and not generation.is_ignored:
            self.ready[generation] = None

    def _begin(self, candidate: Candidate) -> None:
        is_from_end = candidate.key in self.from_end
        content = self._files.open(candidate.key, candidate.path) if is_from_end else None
        if is_from_end and content is None:
            return
        before = self._at_path.get(candidate.path)
        generation = self._new(candidate.path, candidate.key)
        generation.explicit = candidate.explicit
        generation.look(candidate.status)
        if before is not None:
            self._queue_behind(before, generation)
        if content is not None and generation.go_to_end(content, candidate.status.st_size):
            self.begun.append(generation)

    def _new(self, path: str, key: Key) -> Generation:
        generation = self.live[key] = self._at_path[path] = self._memory.begin(path, key, self._seen_at)
        self.ready[generation] = None
        return generation

    def _queue_behind(self, before: Generation, generation: Generation) -> None:
        """Put what was at the same path before, and files that came and went since, first."""
        if self.live.get(before.key) is before:
            generation.predecessor = before
            before.is_drained = False
            self.ready[before] = None
            self.ready.move_to_end(before, last=False)
        path, chain = generation.path, generation.predecessor
        if before.is_final:  # truncated, and what was written since perhaps too
            between = self._between(path, before.seen[1] / 1e9)
            generation.predecessor = self._chain(self._no_copies(between, path), chain)
        elif before.inode != generation.inode:  # renamed
            known = self._rotations.get(path)
            since = min(before.seen_at, known.since) if known else before.seen_at
            self._rotations[path] = _Rotation(since, self._now() + _ROTATION_TIME)
            generation.predecessor = self._chain(self._between(path, since), chain)

    def _no_copies(self, siblings: Iterable[Candidate], path: str) -> list[Candidate]:
        """Drop the copies of the file that is at ``path`` now."""
        present = self._at_path.get(path)
        return [s for s in siblings if present is None or not self._copies.is_copy(s, present)]

    def _between(self, path: str, since: float) -> list[Candidate]:
        """Return the unknown siblings that were at a path at some time after ``since``."""
        earliest = (since - _CLOCK_SLACK) * 1e9
        rotated = self._siblings.rotated(path)
        return [s for s in rotated if s.status.st_mtime_ns >= earliest and not self._is_known(s)]

    def _chain(self, siblings: Iterable[Candidate], before: Generation | None) -> Generation | None:
        """Begin files in this order, after ``before``; return the last generation."""
        for sibling in siblings:
            if not self._was_read(sibling):
                generation = self._new(sibling.path, sibling.key)
                generation.look(sibling.status)
                generation.predecessor, before = before, generation
        return before

    def _look_again(self) -> None:
        """Find siblings that a listing missed because they were being renamed."""
        for path, rotation in list(self._rotations.items()):
            siblings = self._between(path, rotation.since)
            self._chain(siblings if rotation.is_seen else self._no_copies(siblings, path), None)
            if self._now() > rotation.until:
                del self._rotations[path]

    def _is_known(self, sibling: Candidate) -> bool:
        if sibling.key in self.live or not self._memory.knows(sibling.key):
            return sibling.key in self.live
        content = self._files.open(sibling.key, sibling.path)
        return content is None or self._memory.recall(sibling.key, content) is not None

    def _find_dormant(self) -> None:
        """Find the unread rest of files that were renamed or copied while nobody looked."""
        is_over = self._now() > self._search_until
        for generation in self._memory.dormant() if self._is_searching else ():
            if not self._find_by_inode(generation) and not self._move_to_copy(generation) and is_over:
                self._give_up(generation)
        self._is_searching = not is_over

    def _find_by_inode(self, generation: Generation) -> bool:
        sibling = self._siblings.with_inode(generation.path, generation.inode)
        if sibling is None or sibling.key in self.live:
            return False
        content = self._files.open(sibling.key, sibling.path)
        return content is not None and generation.is_in(content) and self._attach(sibling, content)

    def _give_up(self, generation: Generation) -> None:
        """End what is gone for certain: another file has its name."""
        if self._at_path.get(generation.path) is not generation:
            self._memory.forget(generation)
            self.lost.append(generation)

    def _move_to_copy(self, generation: Generation) -> bool:
        """Go on in the copy that a rotation made before it truncated the file."""
        copy = self._copies.find(generation, self._siblings.rotated(generation.path), self._is_known)
        if copy is None:
            return False
        if copy.status.st_size < generation.offset:
            self._begin_after(copy, generation)
            return False
        self._memory.forget(generation)
        generation.device, generation.inode = copy.key
        generation.path, generation.astray_since = copy.path, self._now()
        generation.is_final, generation.is_drained = True, False
        generation.look(copy.status)
        generation.is_checked = True
        self.live[copy.key] = generation
        self.ready[generation] = None
        self.ready.move_to_end(generation, last=False)
        return True

    def _is_copy(self, candidate: Candidate, fresh_at: Mapping[str, Candidate]) -> bool:
        """Whether to hold a file back: it is, or may become, the copy of one that is being read."""
        for path in originals(candidate.path) if self._holds_copies else ():
            generation = self._at_path.get(path)
            is_live = generation is not None and self.live.get(generation.key) is generation
            original = generation if is_live else fresh_at.get(path)
            verdict = self._copies.judge(candidate, original) if original else "other"
            if verdict == "copy":
                self._begin_after(candidate)
            if verdict != "other" or self._was_read(candidate):
                return True
        return False

    def _was_read(self, sibling: Candidate) -> bool:
        """Whether a file is a copy of one that was read before; then only its rest is read."""
        content = self._files.open(sibling.key, sibling.path)
        original = self._memory.original(sibling, content) if content is not None else None
        if original is not None:
            self._begin_after(sibling, original)
        return original is not None

    def _begin_after(self, candidate: Candidate, original: Generation | None = None) -> None:
        """Begin a copy after what was read of its original, all of it unless that is given."""
        content = self._files.open(candidate.key, candidate.path)
        if content is not None:
            generation, size = self._new(candidate.path, candidate.key), candidate.status.st_size
            generation.offset = min(size, original.tail.end) if original else size
            generation.remember(content)
            generation.look(candidate.status)
            self.begun.append(generation)

    def _mark_astray(self, found: set[Key]) -> None:
        for generation in [g for key, g in self.live.items() if key not in found]:
            if generation.is_ignored:
                self.end(generation)
                continue
            if generation.astray_since is None:
                generation.astray_since = self._now()
            self._files.pinned.add(generation.key)
            status = self._files.status(generation.key, generation.path) or self._find_again(generation)
            if status is not None and generation.look(status):
                self.ready[generation] = None

    def _find_again(self, generation: Generation) -> os.stat_result | None:
        sibling = self._siblings.with_inode(generation.path, generation.inode)
        if sibling is None or sibling.key != generation.key:
            return None
        generation.path = sibling.path
        return sibling.status
