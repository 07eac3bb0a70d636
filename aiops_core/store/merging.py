"""What people say is one problem, and what looks as if it were: merged and near-identical incidents."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection, and_, bindparam, delete, exists, insert, or_, select, update

from aiops_core.errors import UserError
from aiops_core.records import Incident
from aiops_core.store.access import Access
from aiops_core.store.database import chunks, upsert
from aiops_core.store.tables import aliases, analyses, decisions, events, incidents, runs
from aiops_core.text.similarity import NEAR, similarity

_LOOKED_AT = 200


class _Named(Struct, frozen=True):
    id: int
    pipeline: str
    fingerprint: str


class Merging(Access):
    """Merge incidents, take them apart again, and find those that are near-identical.

    A merge is an alias: from then on the events of the one count on the other. What was counted
    and done before stays where it was.
    """

    def merge(self, incident_id: int, into: int) -> None:
        """Let the events of an incident, and of those merged into it, count on another one."""
        with self._write() as connection:
            one, other = _named(connection, incident_id), _named(connection, into)
            _check(connection, one, other)
            moved = update(aliases).where(aliases.c.incident_id == one.id).values(incident_id=other.id)
            connection.execute(moved)
            row = {"pipeline": one.pipeline, "fingerprint": one.fingerprint, "incident_id": other.id}
            connection.execute(upsert(aliases, row), row)
            connection.execute(
                update(incidents).where(incidents.c.id == one.id, incidents.c.awaits != "").values(awaits="")
            )
            self._decide(connection, one.id, f"merged into incident {other.id}")
            self._decide(connection, other.id, f"incident {one.id} merged into this one")

    def unmerge(self, incident_id: int) -> int:
        """Let an incident count its own events again; return the id of the one that counted them."""
        with self._write() as connection:
            one = _named(connection, incident_id)
            into = _merged(connection, [incident_id]).get(incident_id)
            if into is None:
                raise UserError(f"incident {incident_id}: is not merged into another. Nothing was changed.")
            own = (aliases.c.pipeline == one.pipeline, aliases.c.fingerprint == one.fingerprint)
            connection.execute(delete(aliases).where(*own))
            self._decide(connection, incident_id, f"taken out of incident {into}")
        return into

    def merged(self, incident_ids: Collection[int]) -> Mapping[int, int]:
        """Return which of these incidents are merged, and into which."""
        with self._read() as connection:
            return _merged(connection, incident_ids)

    def members(self, incident_id: int) -> Sequence[int]:
        """Return the incidents that are merged into this one."""
        query = _MERGES.where(aliases.c.incident_id == incident_id).order_by(incidents.c.id)
        with self._read() as connection:
            return connection.scalars(query).all()

    def near(
        self, incident: Incident, limit: int = 5, *, answered: bool = False
    ) -> Sequence[tuple[float, int, str]]:
        """Return likeness, id and title of near-identical incidents of the pipeline, the most alike first.

        Of incidents with the same type, place or message the 200 seen last are looked at; those
        merged with this one are no news. With ``answered`` only those count that were analysed.
        """
        if not incident.events:
            return []
        query = _ALIKE_AND_ANSWERED if answered else _ALIKE
        with self._read() as connection:
            rows = connection.execute(query, {"of_id": incident.id}).all()
            merged = _merged(connection, [incident.id, *(row.id for row in rows)]) if rows else {}
        root = merged.get(incident.id, incident.id)
        rated = ((similarity(incident.event, row.event), row) for row in rows)
        found = [
            (likeness, row.id, row.title)
            for likeness, row in rated
            if likeness >= NEAR and merged.get(row.id, row.id) != root
        ]
        return sorted(found, key=lambda one: (-one[0], one[1]))[:limit]

    def _decide(self, connection: Connection, incident_id: int, text: str) -> None:
        row = {"incident_id": incident_id, "rule": "merge", "text": text, "setting": "", "at": self._clock()}
        connection.execute(insert(decisions).values(row))


_IS_ANSWERED = exists().where(
    analyses.c.evidence != "", runs.c.id == analyses.c.run_id, runs.c.incident_id == incidents.c.id
)
_OWN = incidents.alias("own")
_ALIKE = (
    select(incidents.c.id, incidents.c.title, events.c.event)
    .join(events, (events.c.incident_id == incidents.c.id) & (events.c.number == 1))
    .join(_OWN, (_OWN.c.id == bindparam("of_id")) & (_OWN.c.pipeline == incidents.c.pipeline))
    .where(
        incidents.c.id != _OWN.c.id,
        or_(
            *(
                and_(_OWN.c[name] != "", incidents.c[name] == _OWN.c[name])
                for name in ("type", "place", "template")
            )
        ),
    )
    .order_by(incidents.c.last_seen.desc())
    .limit(_LOOKED_AT)
)
_ALIKE_AND_ANSWERED = _ALIKE.where(_IS_ANSWERED)
_MERGES = select(incidents.c.id).join(
    aliases,
    (aliases.c.pipeline == incidents.c.pipeline)
    & (aliases.c.fingerprint == incidents.c.fingerprint)
    & (aliases.c.incident_id != incidents.c.id),
)


def _merged(connection: Connection, incident_ids: Collection[int]) -> dict[int, int]:
    query = _MERGES.add_columns(aliases.c.incident_id)
    return {
        row.id: row.incident_id
        for some in chunks(list(incident_ids))
        for row in connection.execute(query.where(incidents.c.id.in_(some)))
    }


def _named(connection: Connection, incident_id: int) -> _Named:
    columns = (incidents.c.id, incidents.c.pipeline, incidents.c.fingerprint)
    row = connection.execute(select(*columns).where(incidents.c.id == incident_id)).first()
    if row is None:
        raise UserError(
            f"incident {incident_id}: there is none. `aiops incidents list` shows those that are."
        )
    return _Named(row.id, row.pipeline, row.fingerprint)


def _check(connection: Connection, one: _Named, other: _Named) -> None:
    if one.id == other.id:
        raise UserError(f"incident {one.id}: cannot be merged into itself. Name two incidents.")
    if one.pipeline != other.pipeline:
        raise UserError(
            f"incident {one.id}: is of pipeline {one.pipeline}, {other.id} of {other.pipeline}. "
            "Merge incidents of one pipeline."
        )
    merged = _merged(connection, [one.id, other.id])
    for incident_id in (one.id, other.id):
        if incident_id in merged:
            raise UserError(
                f"incident {incident_id}: is merged into {merged[incident_id]}. "
                f"Name that one, or first `aiops incidents unmerge {incident_id}`."
            )
