"""Between the network thread and the pipeline: batches that wait to be read, and to be committed.

A request is answered when the position after its lines is on disk. The position also holds the
digests of the last requests that named a key, so that a retry after a crash is known again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct, field

from aiops_core import LogBatch, Position

STREAM = "http"
KEYS = 256
"""Requests with a key that are remembered."""


class Delivery(Struct, eq=False):
    """Lines of one request; ``done`` is called, in any thread, once they are on disk.

    ``digest`` is that of a key and the lines, "" without a key; ``content`` that of the sender and the lines.
    """

    data: bytes
    peer: str
    digest: str
    content: str
    done: list[Callable[[], None]] = field(default_factory=list)
    end: int = 0


class Intake:
    """Hand deliveries over in order, and tell when they are committed."""

    def __init__(self, positions: Mapping[str, Position]) -> None:
        position = positions.get(STREAM, {})
        self._received: int = position.get("received", 0)
        self._keys: OrderedDict[str, None] = OrderedDict.fromkeys(position.get("keys", ()))
        self._committed = OrderedDict(self._keys)
        self._refused: OrderedDict[str, None] = OrderedDict()
        """What was on its way to the disk when its sender was told to send it again."""
        self._changed = threading.Condition()
        self._waiting: deque[Delivery] = deque()
        self._under_way: deque[Delivery] = deque()
        self._is_closed = False

    def offer(self, delivery: Delivery) -> Delivery | None:
        """Take a delivery; return it, or the earlier try under way that stands for it.

        None: an earlier try is on disk already.
        """
        with self._changed:
            if delivery.digest and delivery.digest in self._committed:
                return None
            is_repeat = delivery.content in self._refused
            if is_repeat:
                del self._refused[delivery.content]
            if (first := self._same(delivery, is_repeat=is_repeat)) is not None:
                first.done += delivery.done
                return first
            if is_repeat:
                return None
            self._waiting.append(delivery)
            self._changed.notify()
        return delivery

    def withdraw(self, delivery: Delivery, done: Callable[[], None]) -> None:
        """Let one sender give up; what nobody waits for and nobody reads yet is dropped."""
        with self._changed:
            delivery.done.remove(done)
            if not delivery.done and delivery in self._waiting:
                self._waiting.remove(delivery)
            elif not delivery.done:
                self._remember(self._refused, delivery.content)

    @property
    def is_closed(self) -> bool:
        """Whether nobody is to wait any longer."""
        return self._is_closed

    def take(self, timeout: float, clock: Callable[[], datetime]) -> LogBatch | None:
        """Return the next delivery as a batch; None when none came within ``timeout`` seconds."""
        with self._changed:
            if not self._waiting and not self._is_closed:
                self._changed.wait(timeout)
            if not self._waiting:
                return None
            delivery = self._waiting.popleft()
            start, before = self._received, tuple(self._keys)
            self._received = delivery.end = start + len(delivery.data)
            if delivery.digest:
                self._remember(self._keys, delivery.digest)
            self._under_way.append(delivery)
            after = tuple(self._keys)
        return LogBatch(
            STREAM,
            delivery.data,
            (
                (0, {"received": start, "keys": list(before)}),
                (len(delivery.data), {"received": delivery.end, "keys": list(after)}),
            ),
            offset=start,
            attributes={"peer": delivery.peer},
            ended=True,
            read_at=clock(),
        )

    def committed(self, position: Position) -> None:
        """Tell every delivery before this position that it is on disk."""
        done: list[Delivery] = []
        with self._changed:
            while self._under_way and self._under_way[0].end <= position["received"]:
                delivery = self._under_way.popleft()
                if delivery.digest:
                    self._remember(self._committed, delivery.digest)
                done.append(delivery)
        for delivery in done:
            for tell in delivery.done:
                tell()

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _same(self, delivery: Delivery, *, is_repeat: bool) -> Delivery | None:
        """Return the delivery that this one repeats, while it is under way."""
        if is_repeat:
            return next((one for one in self._under_way if one.content == delivery.content), None)
        if not delivery.digest:
            return None
        under_way = (*self._under_way, *self._waiting)
        return next((one for one in under_way if one.digest == delivery.digest), None)

    @staticmethod
    def _remember(keys: OrderedDict[str, None], digest: str) -> None:
        keys[digest] = None
        keys.move_to_end(digest)
        if len(keys) > KEYS:
            keys.popitem(last=False)
