"""What the author of a query source subclasses."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Generic

from typing_extensions import TypeVar

from aiops_core.component import Source
from aiops_core.context import Context
from aiops_core.polling.config import PollingConfig
from aiops_core.polling.poll import Found, Poll
from aiops_core.records import Position, Signal

_SECONDS = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*")
_LONGEST_WAIT = 3600.0
_SECOND = 10**9
P = TypeVar("P", bound=PollingConfig, default=PollingConfig)


class PolledSource(Source[P], ABC, Generic[P]):
    """Yield the entries a service holds, each once, whenever it arrives.

    Write ``find``; the base asks for one span of time after the other, leaves out what it has read,
    and after a restart yields the same bytes at the same offsets, whatever arrived meanwhile.
    """

    def __init__(self, config: P | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self.committed_at: Position = {"offset": 0, "since": 0}
        self.looked = (0.0, 0.0)

    @abstractmethod
    def find(self, since: int, until: int) -> Iterator[Sequence[Found]]:
        """Yield the entries with ``since <= time < until``, ascending by time, page by page.

        Times are nanoseconds since 1970. An entry may be yielded twice. Raise ``Retry`` for what may
        pass and ``UserError`` for what will not.
        """

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Hold what ``find`` needs for as long as the block lasts."""
        yield

    def count(self, since: int, until: int) -> int | None:
        """Count the entries of a span of time; None where that is no cheaper than to read them."""
        return None

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        """Yield what the service holds until the pipeline stops."""
        with self.connected():
            yield from Poll(self, positions).run()

    def probe(self) -> str:
        """Ask once for the last minute, and read no more than its first page."""
        self.start()
        until = int(self.context.clock().timestamp()) * _SECOND
        with self.connected():
            found = next(iter(self.find(until - 60 * _SECOND, until)), ())
        return "the query is answered" + ("" if found else ", with nothing of the last minute")

    def committed(self, stream: str, position: Position) -> None:
        """Note up to where nothing is ever read again."""
        self.committed_at = position


def parse_retry_after(header: str, now: datetime) -> float:
    """Return the seconds a ``Retry-After`` asks for, written as a number or a date; 0 without one."""
    if match := _SECONDS.fullmatch(header):
        return min(float(match[1]), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT)
