"""The loop of the file source: look for files, read what is new, wait for more."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from aiops_core import Context, LogBatch, Position
from aiops_source_file.content import Content, GzipContent, PlainContent, judge
from aiops_source_file.discovery import Discovery
from aiops_source_file.files import Files
from aiops_source_file.generation import Generation
from aiops_source_file.generations import Generations
from aiops_source_file.reader import Reader
from aiops_source_file.wakeups import Wakeups

RESCAN = 1.0
SOONEST_RESCAN = 0.05
RESCAN_SHARE = 20
"""A scan may take one part in this many of the time, whatever the number of files."""
PAUSE = 0.02
PATHS_STREAM = "paths"
"""A stream without bytes: its position remembers which settings were there at an earlier start."""


class Follower:
    """Read files from their positions on, for one run of the source."""

    def __init__(
        self,
        context: Context,
        discovery: Discovery,
        positions: Mapping[str, Position],
        *,
        from_end: bool,
        rotate_wait: float,
    ) -> None:
        self._context = context
        self._discovery = discovery
        self._from_end = from_end and not context.once
        self._rotate_wait = rotate_wait
        self._troubles = discovery.troubles
        self._files = Files(self._troubles, _handle_limit())
        self._generations = Generations(self._files, self._troubles, holds_copies=not context.once)
        self._live = self._generations.live
        self._reader = Reader(self._troubles, context.clock)
        self._wakeups = Wakeups(self._troubles, self._live.follows)
        positions = dict(positions)
        told = positions.pop(PATHS_STREAM, {"paths": discovery.paths if positions else ()})
        self._known_paths = set(map(str, told.get("paths", ())))
        self._generations.restore(positions)
        self._next_scan = 0.0
        self._last_scan = 0.0

    def run(self) -> Iterator[LogBatch]:
        """Yield batches until the source is stopped, or has read all when it runs once."""
        try:
            if not self._context.once:
                self._wakeups.watch(self._discovery.watched())
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

    def _follow(self) -> Iterator[LogBatch]:
        stopping: threading.Event = self._context.stopping
        while not stopping.is_set():
            for path in self._wakeups.take():
                self._live.notice(path)
            if not self._until_scan():
                yield from self._scan()
            yield from self._turn()
            if not self._live.ready:
                self._wakeups.wait(min(0.5, self._until_scan()))
                stopping.wait(PAUSE)  # lets events gather

    def _read_all(self) -> Iterator[LogBatch]:
        for generation in self._live.by_key.values():
            generation.until = generation.seen[0]
        while self._live.ready and not self._context.stopping.is_set():
            yield from self._turn()

    def _first_scan(self) -> Iterator[LogBatch]:
        candidates = self._discovery.scan()
        if not candidates:
            self._context.logger.warning(
                "%s: no file found yet. Check the paths setting if that is unexpected.", self._context.name
            )
        new = {c.key for c in candidates if c.pattern not in self._known_paths}
        self._generations.from_end = new if self._from_end else set()
        self._update()
        for generation in self._live.by_key.values():
            is_wanted = self._context.once or (not self._from_end and generation.key in new)
            generation.may_unpack = is_wanted or generation.offset > 0
        yield from self._announce()
        if not set(self._discovery.paths) <= self._known_paths:
            yield self._paths_batch()

    def _paths_batch(self) -> LogBatch:
        """Tell the store, after the first positions, that these paths are no news any more."""
        paths = sorted(self._known_paths | set(self._discovery.paths))
        return LogBatch(PATHS_STREAM, b"", ((0, {"paths": paths}),), read_at=self._context.clock())

    def _until_scan(self) -> float:
        """Return the seconds until files are looked for again; soon when some came or went."""
        due = self._next_scan
        if self._wakeups.is_rescan_due:
            due = self._last_scan + max(SOONEST_RESCAN, (self._next_scan - self._last_scan - RESCAN) / 2)
        return max(0.0, due - time.monotonic())

    def _scan(self) -> Iterator[LogBatch]:
        self._wakeups.watch(self._discovery.watched())
        self._update()
        yield from self._announce()
        for generation in self._live.expired(self._rotate_wait):
            yield from self._finish(generation)

    def _update(self) -> None:
        began, now = time.monotonic(), time.time()
        self._wakeups.is_rescan_due = False
        self._generations.update(self._discovery.scan(), now)
        self._last_scan = time.monotonic()
        self._next_scan = self._last_scan + max(RESCAN, RESCAN_SHARE * (self._last_scan - began))

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
            return True
        generation.predecessor = None
        return False

    def _read(self, generation: Generation) -> Iterator[LogBatch]:
        """Read the next chunk; a trouble with the file is told and tried again at a later scan."""
        generation.is_drained = True
        try:
            content = self._content(generation)
            if content is None:
                return
            if not generation.is_checked and self._is_replaced(generation, content):
                if self._generations.replace(generation):
                    yield self._reader.last(generation, self._reader.rest(generation, None), finished=True)
                yield from self._announce()
                return
            batch = self._reader.read(generation, content)
            self._troubles.clear(generation.path)
        except OSError as error:
            generation.seen = (-1, -1)
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

    def _content(self, generation: Generation) -> Content | None:
        """Open the file, and find out how it is to be read; None when it cannot be read now."""
        content = self._files.open(generation.key, generation.path)
        if content is None:
            generation.seen = (-1, -1)
            return None
        if generation.nature.kind == "unknown":
            generation.nature = judge(content)
            if generation.nature.kind == "gzip" and not generation.may_unpack:
                self._skip_compressed(generation)
        if generation.is_ignored:
            self._files.close(generation.key)
            return None
        if generation.nature.kind == "gzip" and isinstance(content, PlainContent):
            self._files.close(generation.key)
            content = self._files.get(generation.key, generation.path, gzip=True)
        return None if generation.nature.kind == "unknown" else content

    def _skip_compressed(self, generation: Generation) -> None:
        generation.nature = replace(generation.nature, kind="skipped")
        if generation.explicit:
            self._troubles.tell(
                generation.path,
                "is compressed and not followed. `aiops scan` and `run --once` read such files.",
            )

    @staticmethod
    def _is_replaced(generation: Generation, content: Content) -> bool:
        generation.is_checked = True
        return not generation.is_in(content)

    def _finish_run(self, generation: Generation, content: Content) -> Iterator[LogBatch]:
        """Yield the unterminated last line of a file that nobody waits for."""
        is_gzip = generation.nature.kind == "gzip"
        rest = self._reader.rest(generation, content)
        if rest or is_gzip:
            yield self._reader.last(generation, rest, finished=is_gzip, content=content)
        if is_gzip:
            if isinstance(content, GzipContent) and content.is_broken:
                self._troubles.tell(
                    generation.path, f"is damaged; it was read up to byte {generation.offset} of its content."
                )
            self._live.end(generation)
        else:
            self._files.close(generation.key)

    def _finish(self, generation: Generation) -> Iterator[LogBatch]:
        """End a generation that nobody writes to any more."""
        content, rest = self._files.held(generation.key), generation.partial
        try:
            if content is not None and generation.look(os.fstat(content.fd)):
                self._live.ready[generation] = None
                return
            rest = self._reader.rest(generation, content)
        except OSError as error:
            self._troubles.report(generation.path, error)
        yield self._reader.last(generation, rest, finished=True, content=content)
        self._live.end(generation)


def _handle_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(4096, soft // 2))
