"""The loop of the journald source: find the place, read what is there, follow, start again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from aiops_core import Context, LogBatch, Position, Retry
from aiops_source_journald.cursor import is_after, is_same, parse_cursor
from aiops_source_journald.export import Entry, ExportError, ExportParser
from aiops_source_journald.journalctl import Journalctl, JournalctlFailed, Running
from aiops_source_journald.syslog import KEPT_FIELDS, render

STREAM = "journal"
QUIET = 60.0
"""Seconds without a wanted entry after which the position moves past unwanted ones."""
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
MOST_FAILURES = 5
_TICK = 0.2


class Reader:
    """Read one journal from its position on, for one run of the source."""

    def __init__(
        self, context: Context, journalctl: Journalctl, position: Position | None, *, from_end: bool
    ) -> None:
        self._context = context
        self._journalctl = journalctl
        self._is_new = position is None
        self._from_end = from_end and not context.once
        self._cursor = str((position or {}).get("cursor", ""))
        offset = (position or {}).get("offset")
        self._offset = offset if isinstance(offset, int) and offset >= 0 else 0
        self._unread_from = ""
        self._quiet_since = time.monotonic()

    def run(self) -> Iterator[LogBatch]:
        """Yield batches until the source is stopped, or has read all when it runs once."""
        yield from self._persist(self._begin if self._is_new else self._resume)
        yield from self._persist(self._drain)  # of all boots: --follow may show the present one only
        if not self._context.once:
            yield from self._persist(self._follow)

    def _begin(self) -> Iterator[LogBatch]:
        """Commit where a first start begins, so that a second one misses nothing."""
        if self._from_end:
            self._cursor = self._journalctl.newest()
            yield self._mark()

    def _resume(self) -> Iterator[LogBatch]:
        """Look whether the journal still holds the entry where reading stopped; say so if not."""
        if self._cursor and not is_same(nearest := self._nearest(), self._cursor):
            self._tell_gap(nearest)
            if not nearest:
                self._cursor = ""
            yield self._mark()

    def _nearest(self) -> str:
        return self._journalctl.nearest(self._cursor) if parse_cursor(self._cursor) else ""

    def _drain(self) -> Iterator[LogBatch]:
        """Read what is there."""
        newest = self._journalctl.newest() if self._journalctl.filters else ""
        yield from self._read(follow=False)
        if not self._context.stopping.is_set():
            yield from self._move_to(newest)

    def _follow(self) -> Iterator[LogBatch]:
        """Read what comes; journalctl ends only by force."""
        yield from self._read(follow=True)
        if not self._context.stopping.is_set():
            raise JournalctlFailed("it ended by itself")

    def _persist(self, phase: Callable[[], Iterator[LogBatch]]) -> Iterator[LogBatch]:
        """Go through a phase; begin it again, after growing pauses, when journalctl fails."""
        failures, wait = 0, FIRST_WAIT
        while not self._context.stopping.is_set():
            before, began = self._cursor, time.monotonic()
            try:
                yield from phase()
                return
            except (JournalctlFailed, ExportError, OSError) as error:
                if self._cursor != before or time.monotonic() - began > QUIET:
                    failures, wait = 0, FIRST_WAIT
                failures += 1
                if self._context.stopping.is_set():
                    return
                self._tell_failure(error, failures, wait)
            self._context.stopping.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def _tell_failure(self, error: Exception, failures: int, wait: float) -> None:
        program = self._journalctl.program
        if failures >= (2 if self._context.once else MOST_FAILURES):
            raise Retry(
                f"{program} failed {failures} times in a row, the last time because {error}. "
                "Nothing is lost as long as the journal keeps it; try the command by hand.",
                after=LONGEST_WAIT,
            ) from error
        self._context.logger.warning(
            "%s failed: %s. It is started again in %g s and goes on where it stopped.", program, error, wait
        )

    def _read(self, *, follow: bool) -> Iterator[LogBatch]:
        """Yield what one journalctl prints, to its end."""
        parser = ExportParser(KEPT_FIELDS)
        self._unread_from = self._cursor
        with closing(self._journalctl.read(self._cursor, follow=follow)) as running:
            while not self._context.stopping.is_set():
                chunk = running.chunk(_TICK)
                if chunk is None:
                    if not follow:
                        running.check_stuck()
                    elif self._is_quiet():
                        yield from self._pass_unwanted()
                    continue
                entries = parser.feed(chunk)
                if entries and (batch := self._batch(entries)) is not None:
                    yield batch
                    self._quiet_since = time.monotonic()
                if not chunk:
                    self._check_end(parser, running)
                    return

    def _check_end(self, parser: ExportParser, running: Running) -> None:
        if code := running.end():
            raise JournalctlFailed(running.how(code))
        parser.close()

    def _batch(self, entries: list[Entry]) -> LogBatch | None:
        """Write entries as lines, with a mark at the end of each."""
        begin = self._offset
        marks: list[tuple[int, Position]] = [(0, self._position())]
        parts: list[bytes] = []
        for entry in entries:
            cursor = entry.fields.get(b"__CURSOR", b"").decode("ascii", "replace")
            if not cursor:
                raise ExportError(f"an entry without a cursor came after {self._cursor or 'the beginning'}")
            known, self._unread_from = self._unread_from, ""
            if known and is_same(cursor, known):
                continue
            parts.append(render(entry))
            self._offset += len(parts[-1])
            self._cursor = cursor
            marks.append((self._offset - begin, self._position()))
        if not parts:
            return None
        return self._as_batch(b"".join(parts), begin, tuple(marks))

    def _is_quiet(self) -> bool:
        return bool(self._journalctl.filters) and time.monotonic() - self._quiet_since >= QUIET

    def _pass_unwanted(self) -> Iterator[LogBatch]:
        """Move the position past entries the filters leave out, when none that is wanted lies between."""
        self._quiet_since = time.monotonic()
        newest = self._journalctl.newest()
        if not self._journalctl.has_wanted_after(self._cursor):
            yield from self._move_to(newest)

    def _move_to(self, newest: str) -> Iterator[LogBatch]:
        if newest and (not self._cursor or is_after(newest, self._cursor)):
            self._cursor = newest
            yield self._mark()

    def _tell_gap(self, nearest: str) -> None:
        known, found = parse_cursor(self._cursor), parse_cursor(nearest)
        self._context.fault(
            "entries are lost",
            f"{self._context.name}: the journal no longer holds the entry of "
            f"{known.when if known else 'an unknown time'} where reading stopped. "
            + (
                f"Reading goes on with the entry of {found.when}; what was between them is lost."
                if found
                else "It holds nothing later either, so it is read from its beginning."
            )
            + " If it was vacuumed, give it more room (SystemMaxUse= in journald.conf).",
        )

    def _mark(self) -> LogBatch:
        """Return an empty batch, so that the position is committed."""
        return self._as_batch(b"", self._offset, ((0, self._position()),))

    def _position(self) -> Mapping[str, str | int]:
        return {"cursor": self._cursor, "offset": self._offset}

    def _as_batch(self, data: bytes, offset: int, marks: tuple[tuple[int, Position], ...]) -> LogBatch:
        return LogBatch(
            STREAM, data, marks, offset=offset, path=self._context.name, read_at=self._context.clock()
        )
