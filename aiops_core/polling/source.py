"""What the author of a query source subclasses."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Generic

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from typing_extensions import TypeVar

from aiops_core.component import Context, Source
from aiops_core.polling.poll import Found, Poll
from aiops_core.records import Position, Signal
from aiops_core.settings import Config, Duration

_SECONDS = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*")
_LONGEST_WAIT = 3600.0
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


def _parse_start(value: Any) -> Any:  # Any: whatever stands in the YAML
    if isinstance(value, date):
        value = value.isoformat()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    _moment(str(value), datetime.now(UTC))
    return str(value)


def _moment(text: str, now: datetime) -> datetime:
    """Return the time that a duration before ``now``, or a time, stands for."""
    try:
        return now - _DURATION.validate_python(text)
    except (ValidationError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a duration, as in 24h, nor a time, as in 2026-11-21T07:00:00Z"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Start = Annotated[str, BeforeValidator(_parse_start)]
Pause = Annotated[Duration, Field(gt=timedelta())]
Lag = Annotated[Duration, Field(ge=timedelta(), le=timedelta(days=1))]


class PollingConfig(Config):
    """How often a service is asked, and how far back."""

    start: Start = "1h"
    """Where reading begins when the pipeline starts for the first time: so long before that moment,
    as in ``24h``, or at a time, as in ``2026-11-21T07:00:00Z``. Later starts go on where the last one
    stopped."""
    interval: Pause = timedelta(seconds=5)
    """Time between two queries."""
    delay: Lag = timedelta(seconds=5)
    """How old an entry must be to be read in the order of time: about what it takes from the moment an
    entry is written to the moment a query finds it. A run with ``--once`` does not wait."""
    late: Lag = timedelta(minutes=2)
    """How long after its time an entry may arrive and still be read; entries of that span are asked for
    again, four times in it, and those that are new are read out of order."""
    page_size: int = Field(default=500, ge=1, le=5000)
    """Most entries asked for at once."""

    def begin(self, now: datetime) -> datetime:
        """Return the time at which a first start begins to read."""
        return _moment(self.start, now)


P = TypeVar("P", bound=PollingConfig, default=PollingConfig)


class PolledSource(Source[P], ABC, Generic[P]):
    """Yield the entries a service holds, each once, whenever it arrives.

    Write ``find``; the base asks for one span of time after the other, leaves out what it has read,
    and after a restart yields the same bytes at the same offsets, whatever arrived meanwhile.
    """

    def __init__(self, config: P | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self.committed_at: Position = {"offset": 0, "since": 0}

    @abstractmethod
    def find(self, since: int, until: int) -> Iterator[Sequence[Found]]:
        """Yield the entries with ``since <= time < until``, ascending by time, page by page.

        Times are nanoseconds since 1970. An entry may be yielded twice. Raise ``Retry`` for what may
        pass and ``UserError`` for what will not.
        """

    def count(self, since: int, until: int) -> int | None:
        """Count the entries of a span of time; None where that is no cheaper than to read them."""
        return None

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        """Yield what the service holds until the pipeline stops."""
        return Poll(self, positions).run()

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
