"""The ingest transaction: counts, sampled events, incidents, runs, positions and state at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from msgspec import Struct
from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from aiops_core.records import Event, Json, Position
from aiops_core.store import tables
from aiops_core.store.access import Access
from aiops_core.store.database import chunks, upsert
from aiops_core.store.runs import await_their_turn, create_runs
from aiops_core.store.sightings import save_sightings, wake_watchers, watched
from aiops_core.store.tally import Counted, Tally, new_incident, seen_at
from aiops_core.store.trends import save_trends
from aiops_core.store.volumes import Volume, save_volumes

_SETTLE = timedelta(seconds=1)  # lets the first burst and the lines after the event come in
_AT_ONCE = 500
"""Events that are made and stored together: with all of a storm's beginning memory would not do."""
_TURNS = {
    "new": "new: seen for the first time",
    "ongoing": "ongoing: it came again",
    "regressed": "regressed: it came back after it was resolved",
    "resolved": "resolved: its source says that it is over",
}
_UNIGNORED = "regressed: it came on beyond what it was ignored for"
_COUNTED = (
    "severity",
    "state",
    "count",
    "stored",
    "first_seen",
    "last_seen",
    "awaits",
    "changed_at",
    "heard_at",
)


class Checkpoint(Struct, frozen=True):
    """How far one physical stream was read: all before ``position``, and the keys ``done`` above it."""

    step: str
    stream: str
    position: Position
    done: tuple[str, ...] = ()


class IncidentChange(Struct, frozen=True):
    """What a batch did to one incident; ``before`` is "" for a new one, ``run_id`` a run it caused."""

    incident_id: int
    before: str
    after: str
    run_id: int | None


class Recording(Access):
    """Record what ingest found, and where it was."""

    def record(
        self,
        pipeline: str,
        events: Sequence[tuple[Event, bool]],
        checkpoints: Sequence[Checkpoint],
        states: Mapping[str, Json],
        redact: Callable[[Event], Event] = lambda event: event,
        *,
        counted: Sequence[tuple[Counted, bool]] = (),
        volumes: Mapping[str, Volume] | None = None,
    ) -> list[IncidentChange]:
        """Commit events, checkpoints and component states together.

        The bool of an event says whether it is young enough to be answered. ``redact`` takes the
        secrets out of the few events that are stored. ``counted`` are more events, after the others,
        that are known to be new. Return the incidents whose state changed or that got a run.
        """
        now = self._clock()
        with self._write(is_urgent=True) as connection:
            tallies = _add_up(connection, pipeline, events, counted, now, redact)
            _save_incidents(connection, tallies)
            _save_samples(connection, tallies, now, redact)
            reasons = {tally.row["id"]: tally.run for tally in tallies if tally.run}
            for incident_id in await_their_turn(connection, list(reasons)):
                del reasons[incident_id]
            runs = create_runs(connection, pipeline, reasons, due_at=now + _SETTLE, now=now)
            _save_turns(connection, tallies, now)
            save_trends(connection, ((tally.row["id"], tally.minutes) for tally in tallies))
            save_sightings(connection, ((tally.row["id"], tally.releases) for tally in tallies))
            back = [tally.row["id"] for tally in tallies if tally.is_watched and tally.releases]
            wake_watchers(connection, back, now + _SETTLE)
            _save_progress(connection, pipeline, checkpoints, states, now)
            save_volumes(connection, pipeline, volumes or {}, now)
        changes = (
            IncidentChange(tally.row["id"], tally.before, tally.row["state"], runs.get(tally.row["id"]))
            for tally in tallies
        )
        return [change for change in changes if change.before != change.after or change.run_id is not None]

    def checkpoints(self, pipeline: str, step: str) -> dict[str, Checkpoint]:
        """Return the last committed checkpoint of every physical stream of a step."""
        query = select(tables.checkpoints).where(
            tables.checkpoints.c.pipeline == pipeline, tables.checkpoints.c.step == step
        )
        with self._read() as connection:
            rows = connection.execute(query).all()
        return {
            row.stream: Checkpoint(step, row.stream, row.position, tuple(row.done))
            for row in rows
            if row.position  # that of a damaged one is empty: its stream is read as one never seen
        }

    def states(self, pipeline: str) -> dict[str, dict[str, Json]]:
        """Return the saved states of a pipeline's steps by their names; a step has none before its first."""
        saved = tables.component_states
        query = select(saved.c.step, saved.c.state).where(saved.c.pipeline == pipeline)
        with self._read() as connection:
            return {step: dict(state or {}) for step, state in connection.execute(query).all()}

    def beat(self) -> None:
        """Write that the run is alive: a disk that takes nothing shows here first."""
        now = self._clock()
        row = {"pipeline": "", "step": "run", "state": {"alive": now.isoformat()}, "updated_at": now}
        with self._write() as connection:
            connection.execute(upsert(tables.component_states, row), row)

    def add_context_after(self, lines: Mapping[str, Sequence[str]]) -> None:
        """Give stored events, by key, the lines that followed them; keys of none are ignored."""
        statement = update(tables.events).where(tables.events.c.key == bindparam("of"))
        rows = [{"of": key, "context_after": list(after)} for key, after in lines.items()]
        if rows:
            with self._write(is_urgent=True) as connection:
                connection.execute(statement, rows)


def _add_up(
    connection: Connection,
    pipeline: str,
    found: Sequence[tuple[Event, bool]],
    counted: Sequence[tuple[Counted, bool]],
    now: datetime,
    redact: Callable[[Event], Event],
) -> list[Tally]:
    fingerprints = {event.fingerprint for event, _ in found} | {many.fingerprint for many, _ in counted}
    tallies = _known(connection, pipeline, fingerprints)
    stored = _stored(connection, [event.key for event, _ in found])
    for event, is_answerable in found:
        if event.key in stored:
            continue
        stored.add(event.key)
        tally = tallies.get(event.fingerprint)
        if tally is None:
            if event.status == "resolved":
                continue  # nothing of ours to end
            tally = tallies[event.fingerprint] = Tally(new_incident(pipeline, redact(event), now))
        tally.add(event, is_answerable, now)
    for many, is_answerable in counted:
        tally = tallies.get(many.fingerprint)
        if tally is None:
            first = redact(next(many.events()))
            tally = tallies[many.fingerprint] = Tally(new_incident(pipeline, first, now))
        tally.count(many, is_answerable, now)
    return list({id(tally): tally for tally in tallies.values()}.values())


def _stored(connection: Connection, keys: Sequence[str]) -> set[str]:
    stored = tables.events
    found: set[str] = set()
    for some in chunks(keys):
        found.update(connection.scalars(select(stored.c.key).where(stored.c.key.in_(some))))
    return found


def _known(connection: Connection, pipeline: str, fingerprints: Iterable[str]) -> dict[str, Tally]:
    tallies: dict[int, Tally] = {}
    found: dict[str, Tally] = {}
    columns = [tables.incidents.c.id, *(tables.incidents.c[name] for name in _COUNTED)]
    # Aliases come last and win: what people merged stays merged.
    by_alias = tables.aliases.join(tables.incidents, tables.incidents.c.id == tables.aliases.c.incident_id)
    for some in chunks(sorted(fingerprints)):
        for names, rows in ((tables.incidents.c, tables.incidents), (tables.aliases.c, by_alias)):
            query = select(names.fingerprint.label("known_as"), *columns).select_from(rows)
            query = query.where(names.pipeline == pipeline, names.fingerprint.in_(some))
            for row in connection.execute(query).mappings():
                values = {name: row[name] for name in ("id", *_COUNTED)}
                found[row["known_as"]] = tallies.setdefault(row["id"], Tally(values, row["state"]))
    for of in watched(connection, tallies):
        tallies[of].is_watched = True
    return found


def _save_incidents(connection: Connection, tallies: Sequence[Tally]) -> None:
    known = [tally.row for tally in tallies if "id" in tally.row]
    new = {tally.row["fingerprint"]: tally.row for tally in tallies if "id" not in tally.row}
    if known:
        counted: dict[str, BindParameter[object]] = {name: bindparam(f"new_{name}") for name in _COUNTED}
        statement = update(tables.incidents).where(tables.incidents.c.id == bindparam("of")).values(counted)
        rows = [{"of": row["id"], **{f"new_{name}": row[name] for name in _COUNTED}} for row in known]
        connection.execute(statement, rows)
    if new:
        inserted = insert(tables.incidents).returning(tables.incidents.c.id, tables.incidents.c.fingerprint)
        for row in connection.execute(inserted, list(new.values())):
            new[row.fingerprint]["id"] = row.id


def _save_samples(
    connection: Connection, tallies: Sequence[Tally], now: datetime, redact: Callable[[Event], Event]
) -> None:
    samples = ((tally.row["id"], *sample) for tally in tallies for sample in tally.sampled())
    while some := list(islice(samples, _AT_ONCE)):
        stored = _stored(connection, [event.key for _, _, event in some])
        rows = [
            {
                "incident_id": incident_id,
                "key": event.key,
                "number": number,
                "seen_at": seen_at(event, now),
                "event": redact(event),
            }
            for incident_id, number, event in some
            if event.key not in stored
        ]
        if rows:
            connection.execute(insert(tables.events), rows)


def _save_turns(connection: Connection, tallies: Sequence[Tally], now: datetime) -> None:
    """Put every change of state on the incident's trail."""
    rows = [
        {
            "incident_id": tally.row["id"],
            "rule": "state",
            "text": _UNIGNORED if tally.before == "ignored" else _TURNS[tally.row["state"]],
            "at": now,
        }
        for tally in tallies
        if tally.row["state"] != tally.before
    ]
    if rows:
        connection.execute(insert(tables.decisions), rows)


def _forget(connection: Connection, pipeline: str, ended: Sequence[Checkpoint]) -> None:
    """Delete the rows of streams whose source gave an empty position: it needs them no more."""
    table = tables.checkpoints
    for at in ended:
        place = {"pipeline": pipeline, "step": at.step, "stream": at.stream}
        connection.execute(delete(table).filter_by(**place))


def _save_progress(
    connection: Connection,
    pipeline: str,
    positions: Sequence[Checkpoint],
    states: Mapping[str, Json],
    now: datetime,
) -> None:
    streams = [
        {
            "pipeline": pipeline,
            "step": at.step,
            "stream": at.stream,
            "position": dict(at.position),
            "done": at.done,
            "updated_at": now,
        }
        for at in positions
        if at.position
    ]
    _forget(connection, pipeline, [at for at in positions if not at.position])
    saved = [
        {"pipeline": pipeline, "step": step, "state": state, "updated_at": now}
        for step, state in states.items()
    ]
    for table, rows in ((tables.checkpoints, streams), (tables.component_states, saved)):
        if rows:
            connection.execute(upsert(table, rows[0]), rows)
