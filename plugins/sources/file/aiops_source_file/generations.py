"""Tell which file is which: after renames, truncations, copies, deletions and restarts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from aiops_core import Position
from aiops_source_file.content import Content
from aiops_source_file.copies import Copies
from aiops_source_file.discovery import Candidate, Key
from aiops_source_file.files import Files
from aiops_source_file.generation import Generation
from aiops_source_file.live import Live
from aiops_source_file.siblings import Siblings, originals
from aiops_source_file.troubles import Troubles

_CLOCK_SLACK = 0.02
_ROTATION_TIME = 3.0
"""How many seconds after a rotation its siblings are looked at again."""


class _Rotation(NamedTuple):
    """A path at which files came and went after ``since``, and how long they are looked for."""

    since: float
    until: float
    is_seen: bool = True
    """False when it only may have happened."""


class Generations:
    """Match files with generations; ``from_end`` names the files of which only the end is wanted."""

    def __init__(
        self,
        files: Files,
        troubles: Troubles,
        *,
        holds_copies: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.live = Live(files, now)
        self.from_end: set[Key] = set()
        self._files = files
        self._troubles = troubles
        self._holds_copies = holds_copies
        self._now = now
        self._memory = self.live.memory
        self._copies = Copies(files.open, now)
        self._rotations: dict[str, _Rotation] = {}
        self._siblings = Siblings()
        self._search_until = 0.0
        self._is_searching = False

    def restore(self, positions: Mapping[str, Position]) -> None:
        """Take over what an earlier run committed."""
        until = self._now() + _ROTATION_TIME
        for generation in self._memory.restore(positions, self._troubles):
            self.live.at_path[generation.path] = generation
            self._expect_siblings(generation.path, generation.seen_at, until)
            # One that was read under a rotated name tells of its place only that what came after
            # it is younger; a stop in the middle of a backlog leaves nothing else to go by.
            last_change = _last_change(generation)
            for path in originals(generation.path) if last_change else ():
                self._expect_siblings(path, last_change, until)
        self._is_searching, self._search_until = True, until

    def _expect_siblings(self, path: str, since: float, until: float) -> None:
        known = self._rotations.get(path)
        since = min(since, known.since) if known else since
        self._rotations[path] = _Rotation(since, until, is_seen=False)

    def update(self, found: Sequence[Candidate], now: float) -> None:
        """Take note of the files that were there at ``now``, in seconds since the epoch."""
        self.live.seen_at = now
        self._siblings = Siblings()
        fresh = [candidate for candidate in found if not self._resume(candidate)]
        self._find_dormant()
        fresh_at = {candidate.path: candidate for candidate in fresh}
        for candidate in fresh:
            if candidate.key not in self.live.by_key and not self._is_copy(candidate, fresh_at):
                self._begin(candidate)
        self._look_again()
        self.from_end.difference_update(self.live.by_key)
        self.live.mark_astray({candidate.key for candidate in found}, self._siblings)

    def replace(self, generation: Generation) -> bool:
        """Begin anew with a file that was truncated or rewritten.

        False when the old generation goes on in a copy of what the file held before.
        """
        path, key, astray_since = generation.path, generation.key, generation.astray_since
        status = self._files.status(key, path)
        self._siblings = Siblings()
        is_moved = self._move_to_copy(generation)
        if not is_moved:
            self.live.ready.pop(generation, None)
            self._memory.note(generation)
        at_path = self.live.at_path.get(path)
        successor = self.live.begin(path, key)
        if at_path is not generation and at_path is not None:
            self.live.at_path[path] = at_path
        successor.explicit, successor.astray_since = generation.explicit, astray_since
        if status is not None:
            successor.look(status)
        self._queue_behind(generation, successor)
        return not is_moved

    def _resume(self, candidate: Candidate) -> bool:
        generation = self.live.by_key.get(candidate.key)
        if generation is not None:
            self.live.see(generation, candidate)
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
            self.live.add(generation)
            self.live.see(generation, candidate)
        return True

    def _begin(self, candidate: Candidate) -> None:
        is_from_end = candidate.key in self.from_end
        content = self._files.open(candidate.key, candidate.path) if is_from_end else None
        if is_from_end and content is None:
            return
        before = self.live.at_path.get(candidate.path)
        generation = self.live.begin(candidate.path, candidate.key)
        generation.explicit = candidate.explicit
        generation.look(candidate.status)
        if before is not None:
            self._queue_behind(before, generation)
        if content is not None and generation.go_to_end(content, candidate.status.st_size):
            self.live.begun.append(generation)

    def _queue_behind(self, before: Generation, generation: Generation) -> None:
        """Put what was at the same path before, and files that came and went since, first."""
        if before in self.live:
            generation.predecessor = before
            self.live.add(before, first=True)
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
        present = self.live.at_path.get(path)
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
                generation = self.live.begin(sibling.path, sibling.key)
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
        if sibling.key in self.live.by_key or not self._memory.knows(sibling.key):
            return sibling.key in self.live.by_key
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
        if sibling is None or sibling.key in self.live.by_key:
            return False
        content = self._files.open(sibling.key, sibling.path)
        return content is not None and generation.is_in(content) and self._attach(sibling, content)

    def _give_up(self, generation: Generation) -> None:
        """End what is gone for certain: another file has its name."""
        if self.live.at_path.get(generation.path) is not generation:
            self._memory.forget(generation)
            self.live.lost.append(generation)

    def _move_to_copy(self, generation: Generation) -> bool:
        """Go on in the copy that a rotation made before it truncated the file."""
        copy = self._copies.find(generation, self._siblings.rotated(generation.path), self._is_known)
        if copy is None:
            return False
        if copy.status.st_size < generation.offset:
            self.live.begin_after(copy, generation)
            return False
        self._memory.forget(generation)
        generation.device, generation.inode = copy.key
        generation.path, generation.astray_since = copy.path, self._now()
        generation.look(copy.status)
        generation.is_final = generation.is_checked = True
        self.live.add(generation, first=True)
        return True

    def _is_copy(self, candidate: Candidate, fresh_at: Mapping[str, Candidate]) -> bool:
        """Whether to hold a file back: it is, or may become, the copy of one that is being read."""
        for path in originals(candidate.path):
            generation = self.live.at_path.get(path)
            original = generation if generation in self.live else fresh_at.get(path)
            may_wait = original is not None and self._holds_copies
            verdict = self._copies.judge(candidate, original) if original and may_wait else "other"
            if verdict == "copy":
                self.live.begin_after(candidate)
            if verdict != "other" or self._was_read(candidate):
                return True
        return False

    def _was_read(self, sibling: Candidate) -> bool:
        """Whether a file is a copy of one that was read before; then only its rest is read."""
        content = self._files.open(sibling.key, sibling.path)
        original = self._memory.original(sibling, content) if content is not None else None
        if original is not None:
            self.live.begin_after(sibling, original)
        return original is not None


def _last_change(generation: Generation) -> float:
    """Return when the file of a generation was last written, 0 when it is not at its path any more."""
    with suppress(OSError):
        status = Path(generation.path).stat()
        if status.st_ino == generation.inode:
            return status.st_mtime
    return 0.0
