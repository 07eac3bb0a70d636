"""What events do to their incident: counts, times, severity, state, sample, run. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field

from aiops_core.records import SEVERITIES, Event, Severity
from aiops_core.store.ignoring import is_over
from aiops_core.store.sightings import Seen, release_named

STORED_FIRST = 20
"""Events of an incident that are all stored; after them a sample is."""
STORED_MOST = 100
"""Events stored of one incident, whatever happens."""
_TITLE, _MESSAGE = 200, 4_000
_VARIABLE = re.compile(r"""0x[0-9a-fA-F]+|\d+|'[^']*'|"[^"]*\"""")


class Counted(Struct, frozen=True):
    """Events of one incident and release: only those that are stored have to be made.

    ``events`` makes some of them anew each time, those with the numbers of `next_sampled`: as many as may be
    stored of an incident that had others before. ``minutes`` is how many of them came in each.
    """

    fingerprint: str
    severity: Severity
    count: int
    first: datetime
    last: datetime
    release: str
    events: Callable[[], Iterator[Event]]
    minutes: Mapping[datetime, int]


class Tally(Struct):
    """One incident while the events of a batch are added to it.

    ``row`` holds its columns, ``before`` its state before the batch ("" when the batch made it),
    ``samples`` the numbers of events to store and what makes these, ``minutes`` the events of each minute, ``releases``
    those of each release, ``run`` the reason of a run to create.
    """

    row: dict[str, Any]  # Any: column values
    before: str = ""
    samples: list[tuple[list[int], Callable[[], Iterator[Event]]]] = field(default_factory=list)
    minutes: dict[datetime, int] = field(default_factory=dict)
    releases: dict[str, Seen] = field(default_factory=dict)
    run: str = ""
    is_watched: bool = False
    """Whether a fix was merged: who watches it decides what its return means, not the event."""

    def add(self, event: Event, is_answerable: bool, now: datetime) -> None:
        """Count one event and let the state follow; one with status resolved ends the incident."""
        if event.status == "resolved":
            self._resolve(now)
            return
        seen, severity = seen_at(event, now), event.severity or "error"
        release = release_named(event.attributes)
        minutes = {minute_of(seen): 1}
        one = Counted(event.fingerprint, severity, 1, seen, seen, release, lambda: iter((event,)), minutes)
        self.count(one, is_answerable, now)

    def count(self, found: Counted, is_answerable: bool, now: datetime) -> None:
        """Count events and let the state follow."""
        row, before = self.row, self.row["count"]
        is_return = not self.is_watched and (
            row["state"] == "resolved" or self._is_ignored_no_more(found, now)
        )
        if is_return:
            self._become("regressed", now)
            row["awaits"] = "regressed"
        elif row["state"] == self.before == "new":
            self._become("ongoing", now)
        row["count"] += found.count
        for minute, count in found.minutes.items():
            self.minutes[minute] = self.minutes.get(minute, 0) + count
        self._sight(found)
        row["first_seen"] = min(row["first_seen"], found.first)
        row["last_seen"] = max(row["last_seen"], found.last)
        row["heard_at"] = now
        row["severity"] = min(row["severity"], found.severity, key=SEVERITIES.index)
        if is_answerable and row["state"] != "ignored" and not self.is_watched and _is_due(row):
            self.run, row["awaits"] = row["awaits"], ""
        numbers = _sampled(before + 1, row["count"], is_return=is_return)[: STORED_MOST - row["stored"]]
        row["stored"] += len(numbers)
        if numbers:
            self.samples.append((numbers, found.events))

    def sampled(self) -> Iterator[tuple[int, Event]]:
        """Make the events to store, one by one, each with its number."""
        for numbers, events in self.samples:
            yield from zip(numbers, events(), strict=False)

    def _is_ignored_no_more(self, found: Counted, now: datetime) -> bool:
        row = self.row
        return row["state"] == "ignored" and is_over(
            row["awaits"], row["count"] + found.count, found.release, now
        )

    def _sight(self, found: Counted) -> None:
        if found.release in self.releases:
            self.releases[found.release].add(found.count, found.first, found.last)
        else:
            self.releases[found.release] = Seen(found.count, found.first, found.last)

    def _resolve(self, now: datetime) -> None:
        if self.row["state"] not in {"resolved", "ignored"}:
            self._become("resolved", now)
            self.run = self.row["awaits"] = ""

    def _become(self, state: str, now: datetime) -> None:
        self.row["state"], self.row["changed_at"] = state, now


def new_incident(pipeline: str, event: Event, now: datetime) -> dict[str, Any]:
    """Return the row of an incident that this event starts, the event itself not counted yet."""
    first_line = event.message.strip().partition("\n")[0]
    frames = event.own_frames or event.frames
    return {
        "pipeline": pipeline,
        "fingerprint": event.fingerprint,
        "title": ": ".join(filter(None, (event.type, first_line)))[:_TITLE],
        "type": event.type,
        "message": event.message[:_MESSAGE],
        "language": event.language,
        "severity": event.severity or "error",
        "state": "new",
        "count": 0,
        "stored": 0,
        "first_seen": seen_at(event, now),
        "last_seen": seen_at(event, now),
        "awaits": "new",
        "template": _VARIABLE.sub("#", first_line)[:_TITLE],
        "place": f"{frames[-1].module or frames[-1].file}:{frames[-1].function}" if frames else "",
        "changed_at": now,
        "heard_at": now,
    }


def seen_at(event: Event, now: datetime) -> datetime:
    """Return when the event happened, as well as is known; a time without a zone is UTC."""
    seen = event.occurred_at or event.read_at or now
    return seen if seen.tzinfo else seen.replace(tzinfo=UTC)


def minute_of(moment: datetime) -> datetime:
    """Return the minute of a moment."""
    return moment.replace(second=0, microsecond=0)


def _is_due(row: dict[str, Any]) -> bool:  # Any: column values
    """Whether an event causes the run an incident awaits: ``10 events`` waits for the tenth."""
    wanted = row["awaits"].partition(" ")[0]
    return row["count"] >= int(wanted) if wanted.isdigit() else bool(wanted)


def next_sampled(number: int) -> int:
    """Return which event is stored next after the one with this number: of the first ones all, then ever fewer."""
    return number + 1 if number < STORED_FIRST else 1 << number.bit_length()


def _sampled(first: int, last: int, *, is_return: bool) -> list[int]:
    """Return which of the events with these numbers are stored."""
    number = first if is_return else next_sampled(first - 1)
    numbers = []
    while number <= last:
        numbers.append(number)
        number = next_sampled(number)
    return numbers
