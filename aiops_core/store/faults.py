"""Failures of the pipeline itself, told once per cause and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import insert, select, update

from aiops_core.records import Decision
from aiops_core.store.access import Access
from aiops_core.store.tables import faults

_SILENCE = timedelta(hours=24)
_KEPT = 20


def fault_key(pipeline: str, cause: str, at: datetime) -> str:
    """Return the key of the report of a failure: one for each cause and day."""
    return f"fault/{pipeline}/{cause}/{at:%Y-%m-%d}"


def cause_of(key: str, pipeline: str) -> str | None:
    """Return the cause that the report with this key is about, None for another report."""
    begin = f"fault/{pipeline}/"
    return key.removeprefix(begin).rpartition("/")[0] if key.startswith(begin) else None


class FaultRow(Struct, frozen=True):
    """One cause of failure, how often it struck and what it last said."""

    pipeline: str
    cause: str
    text: str
    count: int
    first_at: datetime
    last_at: datetime
    told_at: datetime
    trail: Sequence[Mapping[str, str]] | None = None

    @property
    def decided(self) -> Sequence[Decision]:
        """What was decided about telling of it, the first one first."""
        return [
            Decision(one["rule"], one["text"], setting=one["setting"], at=datetime.fromisoformat(one["at"]))
            for one in self.trail or ()
        ]


_COLUMNS = [faults.c[name] for name in FaultRow.__struct_fields__]


class Faults(Access):
    """Count what fails in the pipeline itself."""

    def fault(self, pipeline: str, cause: str, text: str) -> bool:
        """Count a failure; return True when people should be told: a new cause, or a day since."""
        now = self._clock()
        place = {"pipeline": pipeline, "cause": cause}
        with self._write() as connection:
            row = connection.execute(select(faults.c.count, faults.c.told_at).filter_by(**place)).first()
            if row is None:
                times = {"first_at": now, "last_at": now, "told_at": now}
                connection.execute(insert(faults).values({**place, **times, "text": text, "count": 1}))
                return True
            is_due: bool = now - row.told_at >= _SILENCE
            seen = {"text": text, "count": faults.c.count + 1, "last_at": now}
            seen |= {"told_at": now} if is_due else {}
            connection.execute(update(faults).filter_by(**place).values(seen))
        return is_due

    def explain_fault(self, pipeline: str, cause: str, decision: Decision) -> None:
        """Keep what was decided about telling of a failure, the last decisions only, each once in a row."""
        one = {"rule": decision.rule, "text": decision.text, "setting": decision.setting}
        place = {"pipeline": pipeline, "cause": cause}
        with self._write() as connection:
            row = connection.execute(select(faults.c.trail).filter_by(**place)).first()
            if row is None:
                return
            trail = list(row.trail or ())
            if trail and one.items() <= trail[-1].items():
                return
            trail = [*trail, {**one, "at": self._clock().isoformat()}][-_KEPT:]
            connection.execute(update(faults).filter_by(**place).values(trail=trail))

    def faults(self) -> list[FaultRow]:
        """Return every cause, the last that struck first."""
        with self._read() as connection:
            rows = connection.execute(select(*_COLUMNS).order_by(faults.c.last_at.desc())).mappings()
            return [FaultRow(**row) for row in rows]
