"""Follow the streams of one pipeline: cut their blocks, have them read, and hand on what was found."""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Callable, Collection, Iterable

from msgspec.structs import replace

from aiops_core.component import Source
from aiops_core.detection import Detection
from aiops_core.failpoints import failpoint
from aiops_core.ingest.committing import Commits
from aiops_core.ingest.stream import Stream
from aiops_core.pipeline import Pipeline
from aiops_core.records import LogBatch
from aiops_core.text.blocks import Claim, Cutter, Following, Piece
from aiops_core.text.repeats import Repeat
from aiops_core.text.streaks import Streak

SILENCE = 1.0
"""Seconds without a new line after which an open block is complete."""
LONGEST_OPEN = 30.0
"""Seconds after which an open block is closed although lines still come."""


class Streams:
    """The physical streams that the sources of one pipeline read."""

    def __init__(self, pipeline: Pipeline, detection: Detection, commits: Commits) -> None:
        self._pipeline = pipeline
        self._detection = detection
        self._commits = commits
        self._host = platform.node()
        self._open: dict[tuple[str, str], Stream] = {}
        self._unclosed: set[Stream] = set()
        """Those with an open block."""

    @property
    def has_unclosed(self) -> bool:
        """Whether a block is open."""
        return bool(self._unclosed)

    def accept(self, step: str, batch: LogBatch, heard_to: float, done: Collection[str]) -> None:
        """Take what a source step read, ``done`` the keys that an earlier run counted above its start."""
        failpoint("after_read")
        stream = self._open.get((step, batch.stream))
        if stream is not None and stream.batch.offset + len(stream.batch.data) != batch.offset:
            self._close(stream)  # bytes were skipped: what was open cannot go on
            stream = None
        if stream is None:
            stream = self._open[step, batch.stream] = self._begun(step, batch, done)
        stream.take(batch)
        stream.touched = heard_to
        stream.arrivals.append((stream.touched, batch.offset + len(batch.data)))
        self._commits.move(stream)
        self._commits.read(step, len(batch.data))
        stream.places.note(batch, stream.cutter.low_water)
        claims, late = stream.cutter.feed(batch.data)
        self._add_following(stream, late)
        self._add(stream, claims)
        self._note_open(stream)
        if stream.opened is not None:
            failpoint("in_block")
        if batch.ended:
            self._close(stream)
            del self._open[step, batch.stream]

    def forget(self, step: str) -> None:
        """Drop what a source step had open: it is read again."""
        for key in [key for key in self._open if key[0] == step]:
            self._unclosed.discard(self._open.pop(key))

    def close_all(self, is_whole: Callable[[Stream], bool]) -> None:
        """Close the streams of which nothing more comes."""
        for stream in filter(is_whole, self._open.values()):
            self._close(stream)

    def close_silent(self, now: float, since: float = 0.0) -> None:
        """Close the blocks to which nobody added anything for a while, all of it after the moment ``since``."""
        for stream in list(self._unclosed):
            heard = self._heard(stream, now)
            if stream.opened is not None and now - max(stream.opened, since) >= LONGEST_OPEN:
                self._close(stream)
                self._note_open(stream)
            elif stream.arrivals and heard - max(stream.arrivals[0][0], since) >= SILENCE:
                self._close_quiet(stream, heard - SILENCE)

    def _heard(self, stream: Stream, now: float) -> float:
        """Return up to when all was heard that there was: of a source that asks, up to its last question."""
        step = self._pipeline.step("sources", stream.step)
        looked = step.component.looked if step and isinstance(step.component, Source) else None
        if looked is None:
            return now
        return looked[0] if looked[1] <= now else 0.0

    def _begun(self, step: str, batch: LogBatch, done: Collection[str]) -> Stream:
        context = self._pipeline.config.context
        return Stream(
            owner=(self._pipeline.name, step, self._host),
            cutter=Cutter(self._detection.grammar, batch.offset, before=context.before, after=context.after),
            batch=batch,
            batches=deque(),
            done=set(done),
        )

    def _note_open(self, stream: Stream) -> None:
        if not stream.cutter.is_open:
            self._unclosed.discard(stream)
            stream.opened = None
            stream.arrivals.clear()
        elif stream.opened is None or stream.open_from != stream.cutter.low_water:
            self._unclosed.add(stream)
            stream.opened, stream.open_from = stream.touched, stream.cutter.low_water

    def _close(self, stream: Stream) -> None:
        self._add(stream, stream.cutter.flush())
        self._commits.move(stream)
        self._unclosed.discard(stream)
        stream.opened = None

    def _close_quiet(self, stream: Stream, since: float) -> None:
        """Close the blocks of those who wrote nothing after the moment ``since``."""
        quiet_to = 0
        while stream.arrivals and stream.arrivals[0][0] <= since:
            quiet_to = stream.arrivals.popleft()[1]
        self._add(stream, stream.cutter.flush(quiet_to))
        self._commits.move(stream)
        self._note_open(stream)

    def _add(self, stream: Stream, claims: Iterable[Piece]) -> None:
        wanted = self._pipeline.config.context.after
        for claim in claims:
            if isinstance(claim, Streak | Repeat) and claim.is_settled and self._counts(stream, claim):
                continue
            events = self._detection.events(claim, batch=stream.batch, key=stream.key)
            if isinstance(claim, Claim) and claim.continues is not None:
                told = {"continuation_of": stream.key(claim.continues, 0)}
                events = [replace(event, attributes={**event.attributes, **told}) for event in events]
            if isinstance(claim, Claim) and len(claim.after) < wanted:
                stream.keys[claim.start] = [event.key for event in events]
            for event in events:
                stream.emitted.append((event.start, event.key))
                if event.key in stream.done:
                    stream.done.discard(event.key)
                else:
                    self._commits.add(stream.step, stream.places.placed(event))

    def _counts(self, stream: Stream, known: Streak | Repeat) -> bool:
        """Count known blocks; return False where each has to become an event."""
        return not stream.places and self._commits.count(stream, known)

    def _add_following(self, stream: Stream, late: list[Following]) -> None:
        wanted = self._pipeline.config.context.after
        for following in late:
            keys = stream.keys.get(following.start, [])
            for key in keys:
                self._commits.follow(key, following.lines)
            if len(following.lines) >= wanted:
                stream.keys.pop(following.start, None)
        while len(stream.keys) > 100:
            del stream.keys[next(iter(stream.keys))]
