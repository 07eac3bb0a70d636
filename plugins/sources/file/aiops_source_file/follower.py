"""The loop of the file source: look for files, read what is new, wait for more."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from aiops_core import Context, LogBatch, Position
from aiops_source_file.content import Content, GzipContent
from aiops_source_file.discovery import Candidate, Discovery
from aiops_source_file.encoding import Encoding
from aiops_source_file.files import Files
from aiops_source_file.gaps import Gaps
from aiops_source_file.generation import Generation
from aiops_source_file.generations import Generations
from aiops_source_file.opening import Opener
from aiops_source_file.pace import Pace
from aiops_source_file.reader import Reader
from aiops_source_file.wakeups import Wakeups

PAUSE = 0.02
REMEMBERED = 7 * 86400.0
"""Seconds for which a file that is gone is remembered, to know a compressed copy of it."""
PATHS_STREAM = "paths"
"""A stream without bytes: its position remembers which settings were there at an earlier start."""


class Manner(Struct, frozen=True):
    """How files are read: the settings, ready for use."""

    from_end: bool = True
    rotate_wait: float = 60.0
    debounce: float = 0.0
    preset: Encoding | None = None
    oldest: float | None = None
    backlog: int | None = None
    rotated_to: Sequence[str] = ()


class Follower:
    """Read files from their positions on, for one run of the source."""

    def __init__(
        self,
        context: Context,
        discovery: Discovery,
        positions: Mapping[str, Position],
        manner: Manner,
    ) -> None:
        self._context = context
        self._discovery = discovery
        self._manner = manner
        self._from_end = manner.from_end and not context.once
        self._troubles = discovery.troubles
        self._gaps = Gaps(context)
        self._files = Files(self._troubles, _handle_limit())
        self._generations = Generations(
            self._files,
            self._troubles,
            self._gaps,
            preset=manner.preset,
            oldest=manner.oldest,
            holds_copies=not context.once,
            rotated_to=manner.rotated_to,
            is_hidden=discovery.is_hidden,
        )
        self._live = self._generations.live
        self._opener = Opener(self._files, self._troubles, manner.preset)
        self._reader = Reader(self._troubles, context.clock)
        self._wakeups = Wakeups(
            self._troubles, lambda path: self._live.follows(self._spelled(path)), context.fault
        )
        positions = dict(positions)
        told = positions.pop(PATHS_STREAM, {"paths": discovery.paths if positions else ()})
        self._generations.watched_since = _watched_since(told)
        self._generations.restore(positions)
        self._pace = Pace()

    def run(self) -> Iterator[LogBatch]:
        """Yield batches until the source is stopped, or has read all when it runs once."""
        try:
            if not self._context.once:
                self._wakeups.open()
            yield from self._first_scan()
            if self._context.once:
                yield from self._read_all()
            else:
                yield from self._follow()
        finally:
            self._wakeups.stop()
            self._files.close_all()

    def wake(self) -> None:
        """Look around at once."""
        self._wakeups.wake()

    def _spelled(self, path: str) -> str:
        """Return the path by which the settings name a file that a symbolic link leads to."""
        return path if self._live.follows(path) else self._discovery.links.get(path, path)

    def _follow(self) -> Iterator[LogBatch]:
        stopping: threading.Event = self._context.stopping
        while not stopping.is_set():
            for path in self._wakeups.take():
                self._live.notice(self._spelled(path))
            if not self._until_scan():
                yield from self._scan()
            yield from self._look_astray()
            yield from self._turn()
            if not self._live.ready:
                stopping.wait(PAUSE)  # the first change is read at once, those of the next 20 ms together
                self._wakeups.wait(min(0.5, self._until_scan()))
                stopping.wait(self._manner.debounce)

    def _read_all(self) -> Iterator[LogBatch]:
        for generation in self._live.by_key.values():
            generation.until = generation.seen[0]
        while self._live.ready and not self._context.stopping.is_set():
            yield from self._turn()

    def _first_scan(self) -> Iterator[LogBatch]:
        candidates = self._look_for_files()
        if not candidates:
            self._context.logger.warning(
                "%s: no file found yet. Check the paths setting if that is unexpected.", self._context.name
            )
        watched_since = self._generations.watched_since
        new = {c.key for c in candidates if c.pattern not in watched_since}
        self._generations.from_end = new if self._from_end else set()
        self._generations.unpacks = self._context.once or not self._from_end
        self._take_note(candidates)
        self._generations.unpacks = self._context.once
        for generation in self._live.by_key.values():
            is_wanted = self._context.once or (not self._from_end and generation.key in new)
            generation.may_unpack |= is_wanted or generation.offset > 0
            self._limit_backlog(generation)
        yield from self._announce()
        if not set(self._discovery.paths) <= set(watched_since):
            new_paths = dict.fromkeys(self._discovery.paths, self._pace.began_at)
            self._generations.watched_since = {**new_paths, **watched_since}
            yield self._paths_batch()

    def _limit_backlog(self, generation: Generation) -> None:
        """Skip what is too far behind to be caught up."""
        start, size, limit = generation.offset, generation.seen[0], self._manner.backlog
        if limit is None or generation.nature.kind == "skipped" or size - start <= limit:
            return
        content = self._opener.open(generation)
        if (
            content is None
            or generation.nature.kind == "gzip"
            or not generation.check(content, os.fstat(content.fd))
        ):
            return
        generation.skip_to(content, size - limit)
        self._gaps.tell(
            generation.path,
            start,
            generation.offset - start,
            "they are more than the backlog setting lets be caught up.",
        )
        self._live.begun.append(generation)

    def _paths_batch(self) -> LogBatch:
        """Tell the store, after the first positions, that these paths are no news any more."""
        paths = dict(sorted(self._generations.watched_since.items()))
        return LogBatch(PATHS_STREAM, b"", ((0, {"paths": paths}),), read_at=self._context.clock())

    def _until_scan(self) -> float:
        return self._pace.left(is_due=self._wakeups.is_rescan_due)

    def _scan(self) -> Iterator[LogBatch]:
        self._take_note(self._look_for_files())
        yield from self._announce()

    def _look_for_files(self) -> list[Candidate]:
        self._pace.begin()
        self._wakeups.is_rescan_due = False
        return self._discovery.scan()

    def _take_note(self, candidates: list[Candidate]) -> None:
        self._generations.update(candidates, self._pace.began_at)
        self._wakeups.watch(self._discovery.directories())
        self._pace.end(is_told=self._wakeups.is_complete)

    def _look_astray(self) -> Iterator[LogBatch]:
        """Read what is still written to renamed and deleted files, and end them in time."""
        if self._pace.is_time_to_tidy():
            yield from map(self._reader.farewell, self._generations.forget_gone(REMEMBERED))
        if self._pace.is_time_for_few():
            self._live.look_astray()
            for generation in self._live.expired(self._manner.rotate_wait):
                yield from self._finish(generation)

    def _announce(self) -> Iterator[LogBatch]:
        """Commit where reading begins, and end what was lost while nobody looked."""
        begun, self._live.begun = self._live.begun, []
        lost, self._live.lost = self._live.lost, []
        for generation in begun:
            yield self._reader.mark(generation)
        for generation in lost:
            yield self._reader.last(generation, b"", finished=True)

    def _turn(self) -> Iterator[LogBatch]:
        """Read one chunk of each file that may have one; all of the first when running once."""
        ready = self._live.ready
        for _ in range(1 if self._context.once else len(ready)):
            if not ready or self._context.stopping.is_set():
                return
            generation, _ = ready.popitem(last=False)
            if self._is_blocked(generation):
                ready[generation] = None
                continue
            yield from self._read(generation)
            if not generation.is_drained and generation in self._live:
                ready[generation] = None
                if self._context.once:
                    ready.move_to_end(generation, last=False)

    def _is_blocked(self, generation: Generation) -> bool:
        before = generation.predecessor
        if before is not None and before in self._live and not before.is_drained:
            self._generations.recognise(generation)
            return True
        generation.predecessor = None
        return False

    def _read(self, generation: Generation) -> Iterator[LogBatch]:
        """Read the next chunk; a trouble with the file is told and tried again at a later scan."""
        generation.is_drained = True
        try:
            content = self._opener.open(generation)
            before = os.fstat(content.fd) if content is not None else None
            is_empty = content is None or not self._reader.fetch(generation, content)
            if generation.unread_since and self._generations.queue_behind_copies(
                generation, is_empty=is_empty
            ):
                generation.is_drained = False
                return
            if content is None or before is None:
                return
            if not generation.holds_still(content, before):
                if self._generations.replace(generation):
                    yield self._reader.last(generation, self._reader.rest(generation, None), finished=True)
                yield from self._announce()
                return
            if not is_empty:
                generation.unread_since = 0.0
            batch = self._reader.read(generation, content)
            self._troubles.clear(generation.path)
        except OSError as error:
            generation.seen = (generation.seen[0], -1)  # look again
            self._files.close(generation.key)
            self._troubles.report(generation.path, error)
            return
        if batch is not None:
            if generation.astray_since is not None:
                generation.astray_since = time.monotonic()
            yield batch
        is_gzip = generation.nature.kind == "gzip"
        if generation.until is not None and generation.offset >= generation.until and not is_gzip:
            generation.is_drained = True
        if generation.is_drained and (self._context.once or is_gzip):
            yield from self._finish_run(generation, content)

    def _finish_run(self, generation: Generation, content: Content) -> Iterator[LogBatch]:
        """Yield the unterminated last line of a file that nobody waits for."""
        is_gzip = isinstance(content, GzipContent)
        if isinstance(content, GzipContent) and (content.is_cut or content.is_broken):
            self._tell_cut(generation, content)
            if content.is_cut:
                yield self._reader.mark(generation)
                self._live.drop(generation)
                self._files.close(generation.key)
                return
        rest = self._reader.rest(generation, content)
        if rest or is_gzip:
            yield self._reader.last(generation, rest, finished=is_gzip, content=content)
        if is_gzip:
            self._live.end(generation)
        else:
            self._files.close(generation.key)

    def _tell_cut(self, generation: Generation, content: GzipContent) -> None:
        what = "lacks its end" if content.is_cut else "is damaged"
        more = " A later run goes on there." if content.is_cut else ""
        self._troubles.tell(
            generation.path, f"{what}; it was read up to byte {generation.offset} of its content.{more}"
        )

    def _finish(self, generation: Generation) -> Iterator[LogBatch]:
        """End a generation that nobody writes to any more."""
        content, rest = self._files.held(generation.key), generation.partial
        try:
            if content is not None and generation.look(os.fstat(content.fd)):
                self._live.ready[generation] = None
                return
            if content is None and self._generations.find_compressed(generation):
                return
            if content is not None and generation.nature.kind == "unknown":
                content = self._opener.open(generation, final=True)
            rest = self._reader.rest(generation, content)
        except OSError as error:
            self._troubles.report(generation.path, error)
        if content is None:
            self._generations.tell_vanished(generation)
        yield self._reader.last(generation, rest, finished=True, content=content)
        self._live.end(generation)


def _watched_since(told: Position) -> dict[str, float]:
    """Return when the settings of earlier starts were looked at first; a list of them is older than that."""
    paths = told.get("paths", ())
    if not isinstance(paths, Mapping):
        return dict.fromkeys(map(str, paths), time.time())
    return {str(path): float(since) for path, since in paths.items()}


def _handle_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(4096, soft // 2))
