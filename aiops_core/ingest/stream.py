"""One physical stream as ingest follows it: its cutter, and what a restart would need."""

from __future__ import annotations

import hashlib
from collections import deque

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.records import LogBatch
from aiops_core.store import Checkpoint
from aiops_core.text.blocks import Cutter
from aiops_core.text.places import Places


class Stream(Struct, eq=False):
    """One physical stream; ``done`` are the keys that an earlier run counted above its restart."""

    owner: tuple[str, str, str]
    """Pipeline, source step and host."""
    cutter: Cutter
    batch: LogBatch
    batches: deque[LogBatch]
    done: set[str]
    touched: float = 0.0
    opened: float | None = None
    open_from: int = 0
    arrivals: deque[tuple[float, int]] = field(default_factory=deque)
    """When the bytes up to an offset came, for as long as a block is open."""
    emitted: list[tuple[int, str]] = field(default_factory=list)
    keys: dict[int, list[str]] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    is_marked: bool = False
    """Whether a restart may have to begin at a mark before its place: a batch does not count bytes."""

    @property
    def step(self) -> str:
        """The name of the source step that reads it."""
        return self.owner[1]

    def key(self, start: int, index: int) -> str:
        """Return the key of an event of the block that starts at an offset."""
        parts = (*self.owner, self.batch.stream, str(start), str(index))
        return hashlib.blake2b(
            "\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16
        ).hexdigest()

    @property
    def needs_keys(self) -> bool:
        """Whether a restart needs to know each event that was counted: it may begin before them."""
        return bool(self.done) or self.is_marked

    def take(self, batch: LogBatch) -> None:
        """Note what comes next."""
        self.batch = batch
        self.batches.append(replace(batch, data=b""))
        self.is_marked |= not batch.byte_counter

    def checkpoint(self) -> Checkpoint:
        """Return where reading would start again, and what above it is already counted."""
        low = self.cutter.low_water
        while len(self.batches) > 1 and self.batches[1].offset <= low:
            self.batches.popleft()
        self.is_marked = not all(batch.byte_counter for batch in self.batches)
        batch = self.batches[0]
        byte = max(low - batch.offset, 0)
        restart = byte if batch.byte_counter else max((at for at, _ in batch.marks if at <= byte), default=0)
        restart += batch.offset
        self.emitted = [(start, key) for start, key in self.emitted if start >= restart]
        return Checkpoint(
            self.step, batch.stream, batch.position_at(byte), tuple(key for _, key in self.emitted)
        )
