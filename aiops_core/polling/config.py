"""What every query source is configured with: when it begins to read, and how it asks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from aiops_core.config import Config, Duration

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
