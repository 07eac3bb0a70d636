"""Tell which file is which: after renames, truncations, copies, deletions and restarts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from aiops_core import Position, failpoint
from aiops_source_file.content import Content
from aiops_source_file.copies import Copies
from aiops_source_file.discovery import Candidate, Key
from aiops_source_file.encoding import Encoding
from aiops_source_file.files import Files
from aiops_source_file.gaps import Gaps
from aiops_source_file.generation import Generation
from aiops_source_file.live import Live
from aiops_source_file.nature import Nature, judge
from aiops_source_file.packed import Packed
from aiops_source_file.siblings import Siblings, originals, unpacked
from aiops_source_file.troubles import Troubles, printable

_CLOCK_SLACK = 0.02
_ROTATION_TIME = 3.0
"""How many seconds after a rotation its siblings are looked at again."""


class _Rotation(NamedTuple):
    """A path at which files came and went after ``since``, and how long they are looked for."""

    path: str
    since: float
    until: float


class Generations:
    """Match files with generations.

    ``from_end`` names the files of which only the end is wanted, ``watched_since`` says of each
    setting when it was looked at first: what was written there since is wanted. ``is_hidden`` tells
    of a path whether nobody can look there now.
    """

    def __init__(
        self,
        files: Files,
        troubles: Troubles,
        gaps: Gaps,
        *,
        preset: Encoding | None,
        oldest: float | None,
        holds_copies: bool,
        rotated_to: Sequence[str] = (),
        is_hidden: Callable[[str], bool] = lambda path: False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rotated_to = rotated_to
        self.live = Live(files, now, is_hidden=is_hidden)
        self._is_hidden = is_hidden
        self.from_end: set[Key] = set()
        self.watched_since: dict[str, float] = {}
        self._files = files
        self._troubles = troubles
        self._gaps = gaps
        self.unpacks = not holds_copies
        self._preset = preset
        self._oldest = oldest
        self._holds_copies = holds_copies
        self._now = now
        self._memory = self.live.memory
        self._copies = Copies(files.open, now)
        self._packed = Packed(files, self.live)
        self._rotations: dict[str, _Rotation] = {}
        self._siblings = self._look_beside()
        self._search_until = 0.0
        self._is_searching = False

    def restore(self, positions: Mapping[str, Position]) -> None:
        """Take over what an earlier run committed."""
        until = self._now() + _ROTATION_TIME
        for generation in self._memory.restore(positions, self._troubles):
            self.live.at_path[generation.path] = generation
            self._expect_siblings(generation.place, generation.path, generation.seen_at, until)
            # One that was read under a rotated name tells of its place only that what came after
            # it is younger; a stop in the middle of a backlog leaves nothing else to go by.
            for path in unpacked(generation.path) or originals(generation.path):
                self._expect_siblings(path, path, generation.written_at, until)
        self._is_searching, self._search_until = True, until

    def _look_beside(self) -> Siblings:
        return Siblings(self._rotated_to)

    def _expect_siblings(self, place: str, path: str, since: float, until: float) -> None:
        known = self._rotations.get(place)
        since = min(since, known.since) if known else since
        self._rotations[place] = _Rotation(path, since, until)

    def update(self, found: Sequence[Candidate], now: float) -> None:
        """Take note of the files that were there at ``now``, in seconds since the epoch."""
        self.live.seen_at = now
        self._siblings = self._look_beside()
        fresh = [candidate for candidate in found if not self._resume(candidate)]
        self._find_dormant()
        fresh_at = {candidate.path: candidate for candidate in fresh}
        for candidate in fresh:
            if candidate.key in self.live.by_key or self._is_copy(candidate, fresh_at):
                continue
            if not (self.unpacks and self._packed.go_on(candidate)):
                self._begin(candidate)
        self._look_again()
        self.from_end.difference_update(self.live.by_key)
        self.live.mark_astray({candidate.key for candidate in found}, self._siblings)

    def replace(self, generation: Generation) -> bool:
        """Begin anew with a file that was truncated or rewritten.

        False when the old generation goes on in a copy of what the file held before.
        """
        path, real, key = generation.path, generation.real, generation.key
        astray_since = generation.astray_since
        status = self._files.status(key, path)
        self._siblings = self._look_beside()
        is_moved = self._move_to_copy(generation) or self._move_to_compressed(generation)
        if not is_moved:
            self.live.drop(generation)
            self._memory.note(generation)
            told = len(generation.partial)
            self._tell_lost(generation, 0, "it was truncated before they were read.", told=told)
        at_path = self.live.at_path.get(path)
        successor = self.live.begin(path, key)
        if at_path is not generation and at_path is not None:
            self.live.at_path[path] = at_path
        successor.explicit, successor.real = generation.explicit, real
        if astray_since is not None:
            self.live.go_astray(successor, astray_since)
        if status is not None:
            successor.look(status)
        self.recognise(successor)
        self._queue_behind(generation, successor)
        return not is_moved

    def recognise(self, generation: Generation) -> None:
        """Look at how a file begins that is not read yet, to know it again when its turn comes."""
        content = None if generation.prefix.length else self._files.open(generation.key, generation.path)
        if content is not None:
            generation.recognise(content)
        if not (generation.prefix.length or generation.seen[0] or generation.unread_since):
            generation.unread_since = max(generation.written_at, self.live.seen_at)

    def queue_behind_copies(self, generation: Generation, *, is_empty: bool) -> bool:
        """Put first what was written to the same file, copied and truncated before anybody looked.

        Asked once the first bytes are taken in: what came before them was copied by then. False when nothing did.
        """
        since = generation.unread_since
        status = self._files.status(generation.key, generation.path)
        if status is None or (is_empty and status.st_mtime <= since):
            return False
        self._siblings = self._look_beside()
        copies = self._no_copies(self._between(generation.place, since), generation.path)
        generation.predecessor = self._chain(copies, None)
        if is_empty:
            generation.unread_since = status.st_mtime
        return generation.predecessor is not None

    def _resume(self, candidate: Candidate) -> bool:
        generation = self._reader_of(candidate)
        if generation is not None:
            self.live.see(generation, candidate)
            return True
        if self._memory.is_done(candidate):
            return True
        if not self._memory.knows(candidate.key):
            return False
        content = self._files.open(candidate.key, candidate.path)
        return content is None or self._attach(candidate, content)

    def _reader_of(self, candidate: Candidate) -> Generation | None:
        """Return the generation that is read from a file; an inode alone may have come to another file."""
        known = self.live.by_key.get(candidate.key)
        if known is None or known.path == candidate.path or self._files.held(candidate.key) is not None:
            return known
        content = self._files.open(candidate.key, candidate.path)
        if content is None or known.is_now(candidate, content):
            return known
        self.live.orphan(known)
        return None

    def _is_there(self, candidate: Candidate) -> bool:
        """Open a file when it is found: while it is open it can be read, and nothing gets its inode."""
        if self._files.open(candidate.key, candidate.path) is not None:
            return True
        return self._files.status(candidate.key, candidate.path) is not None

    def _attach(self, candidate: Candidate, content: Content) -> bool:
        """Go on with the generation whose file was found again."""
        generation = self._memory.wake(candidate, content)
        if generation is None:
            return False
        if not generation.is_ended:
            self.live.add(generation)
            self.live.see(generation, candidate)
            self.recognise(generation)
        return True

    def _begin(self, candidate: Candidate) -> None:
        is_old = self._is_old(candidate)
        is_from_end = is_old or candidate.key in self.from_end
        if not self._is_there(candidate):
            return
        content = self._files.open(candidate.key, candidate.path) if is_from_end else None
        if is_from_end and content is None:
            return
        before = self.live.at_path.get(candidate.path)
        generation = self.live.begin(candidate.path, candidate.key)
        generation.explicit, generation.real = candidate.explicit, candidate.real
        generation.look(candidate.status)
        self.recognise(generation)
        if before is not None:
            self._queue_behind(before, generation)
        elif content is None and candidate.pattern in self.watched_since:
            self._queue_behind_unseen(generation, self.watched_since[candidate.pattern])
        if content is not None:
            self._begin_at_end(generation, content, candidate, is_old=is_old)

    def _begin_at_end(
        self, generation: Generation, content: Content, candidate: Candidate, *, is_old: bool
    ) -> None:
        generation.nature = judge(content, self._preset)
        if generation.nature.kind != "gzip" and not generation.is_ignored:
            generation.go_to_end(content, candidate.status.st_size)
            self.live.begun.append(generation)
        elif is_old:
            generation.nature = Nature("skipped")

    def _is_old(self, candidate: Candidate) -> bool:
        """Whether nobody wrote to a file for so long that what it holds is of no interest."""
        return self._oldest is not None and candidate.status.st_mtime < self.live.seen_at - self._oldest

    def _queue_behind(self, before: Generation, generation: Generation) -> None:
        """Put what was at the same path before, and files that came and went since, first."""
        generation.predecessor = before.predecessor
        if before in self.live:
            generation.predecessor = before
            self.live.add(before, first=True)
        place, chain = generation.place, generation.predecessor
        if before.inode != generation.inode and not before.is_final:  # renamed
            known = self._rotations.get(place)
            since = min(before.seen_at, known.since) if known else before.seen_at
            self._rotations[place] = _Rotation(generation.path, since, self._now() + _ROTATION_TIME)
            generation.predecessor = self._chain(self._between(place, since), chain)
        elif before.is_final or before.unread_since:  # truncated, and what was written since perhaps too
            since = generation.unread_since = _unread_since(before)
            unseen = self._no_copies(self._between(place, since), generation.path)
            generation.predecessor = self._chain(unseen, chain)
        failpoint("in_rotation")

    def _queue_behind_unseen(self, generation: Generation, since: float) -> None:
        """Put first what was written at the same path and rotated before anybody looked there."""
        place = generation.place
        since = max(since, self.live.gone.get(place, 0.0))
        if self._oldest is not None:
            since = max(since, self.live.seen_at - self._oldest)
        self._expect_siblings(place, generation.path, since, self._now() + _ROTATION_TIME)
        unseen = self._no_copies(self._between(place, since), generation.path)
        generation.predecessor = self._chain(unseen, None)

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
            is_packed = bool(unpacked(sibling.path))
            if self._is_packed_of(sibling) if is_packed else self._was_read(sibling):
                continue
            if not self._is_there(sibling):
                continue
            generation = self.live.begin(sibling.path, sibling.key)
            generation.may_unpack = is_packed
            generation.look(sibling.status)
            generation.predecessor, before = before, generation
            failpoint("in_rotation")
        return before

    def _is_packed_of(self, sibling: Candidate) -> bool:
        """Whether a compressed file holds what is, or was, read from elsewhere."""
        return self._packed.is_read_elsewhere(sibling, self._siblings) or self._packed.go_on(sibling)

    def _look_again(self) -> None:
        """Find siblings that a listing missed because they were being renamed."""
        for place, rotation in list(self._rotations.items()):
            siblings = self._no_copies(self._between(place, rotation.since), rotation.path)
            self._chain(siblings, None)
            if self._now() > rotation.until and not self._is_hidden(place):
                del self._rotations[place]

    def _is_known(self, sibling: Candidate) -> bool:
        """Whether a file is, or was, read: of those that a setting names a compressed one is mostly but seen."""
        reader = self._reader_of(sibling)
        if reader is not None:
            return reader.may_unpack or reader.offset > 0 or not unpacked(sibling.path)
        if not self._memory.knows(sibling.key):
            return False
        content = self._files.open(sibling.key, sibling.path)
        return content is None or self._memory.recall(sibling, content) is not None

    def _find_dormant(self) -> None:
        """Find the unread rest of files that were renamed or copied while nobody looked."""
        is_over, is_in_the_dark = self._now() > self._search_until, False
        for generation in self._memory.dormant() if self._is_searching else ():
            is_found = (
                self._find_by_inode(generation)
                or self._move_to_copy(generation)
                or self._move_to_compressed(generation)
            )
            if not is_found and self._is_in_the_dark(generation):
                is_in_the_dark = True
            elif is_over and not is_found:
                self._give_up(generation)
        self._is_searching = is_in_the_dark or not is_over

    def _is_in_the_dark(self, generation: Generation) -> bool:
        """Whether its file may not be read now, or nobody may look where it was."""
        sibling = self._siblings.with_inode(generation.place, generation.inode)
        is_forbidden = sibling is not None and self._troubles.is_waiting(sibling.path)
        return is_forbidden or self._is_hidden(generation.place)

    def _find_by_inode(self, generation: Generation) -> bool:
        sibling = self._siblings.with_inode(generation.place, generation.inode)
        if sibling is None or self._reader_of(sibling) is not None:
            return False
        content = self._files.open(sibling.key, sibling.path)
        return content is not None and generation.is_in(content) and self._attach(sibling, content)

    def _give_up(self, generation: Generation) -> None:
        """End what is gone for certain: another file has its name."""
        if self.live.at_path.get(generation.path) is not generation:
            self._memory.forget(generation)
            self.live.lost.append(generation)
            looked = " or ".join(map(printable, self._siblings.directories(generation.place)))
            cause = f"it vanished while nobody looked, and is not in {looked}. If it was moved, name where in rotated_to."
            self._tell_lost(generation, 0, cause)

    def _move_to_copy(self, generation: Generation) -> bool:
        """Go on in the copy that a rotation made before it truncated the file."""
        copy = self._copies.find(generation, self._siblings.rotated(generation.place), self._is_known)
        if copy is None:
            return False
        if copy.status.st_size < generation.offset:
            self.live.begin_after(copy, generation)
            return False
        cause = "they were written after it was copied and before it was truncated."
        self._tell_lost(generation, copy.status.st_size, cause)
        self._move(generation, copy)
        generation.is_checked = True
        return True

    def _tell_lost(self, generation: Generation, saved: int, cause: str, *, told: int = 0) -> None:
        """Report what a generation is known to have held beyond the byte up to which it can be read."""
        start = max(saved, generation.offset) + told
        if generation.lost(start - generation.offset):
            self._gaps.tell(generation.path, start, generation.lost(start - generation.offset), cause)

    def forget_gone(self, age: float) -> list[Generation]:
        """Forget what ended this long ago and has no file any more, nor an unread copy."""
        siblings = self._look_beside()
        return self._memory.forget_gone(
            self.live.seen_at - age, lambda g: siblings.are_without(g.place, g.inode)
        )

    def find_compressed(self, generation: Generation) -> bool:
        """Go on in the compressed copy of a file that is gone and was not read to its end."""
        self._siblings = self._look_beside()
        return generation.seen[0] > generation.offset and self._move_to_compressed(generation)

    def tell_vanished(self, generation: Generation) -> None:
        """Report what is lost with a file that was gone before it could be opened again."""
        generation.known_size = max(generation.known_size, generation.seen[0])
        self._tell_lost(generation, 0, "it was deleted before they were read.", told=len(generation.partial))

    def _move_to_compressed(self, generation: Generation) -> bool:
        """Go on in the compressed copy of a file that is gone."""
        copy = self._packed.find(generation, self._siblings, self._is_known)
        if copy is None:
            return False
        self._move(generation, copy)
        self._packed.move_into(generation, copy)
        return True

    def _move(self, generation: Generation, sibling: Candidate) -> None:
        self._memory.forget(generation)
        self.live.drop(generation)
        generation.device, generation.inode = sibling.key
        generation.path, generation.real = sibling.path, ""
        self.live.go_astray(generation, self._now())
        generation.look(sibling.status)
        generation.is_final = True
        self.live.add(generation, first=True)
        failpoint("in_rotation")

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


def _unread_since(before: Generation) -> float:
    """Return when the last was written that is read of a truncated file."""
    written = before.seen[1] / 1e9
    if before.may_unpack:  # when it was compressed: others may be older
        written = min(written, before.seen_at)
    return min(written, before.unread_since or written)
