"""Which release an incident came up with, and which one ran before it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Select, select

from aiops_core.records import Incident
from aiops_core.store.access import Access
from aiops_core.store.sightings import release_named
from aiops_core.store.tables import events, incidents, sightings

_LOOKED_AT = 20
"""Incidents from before a release that are asked which one that was."""
_SERVICE = "service"


class Deploy(Struct, frozen=True):
    """A release whose errors came first at ``since``, and the one that errors came from before it."""

    release: str
    since: datetime
    before: str


class Deploys(Access):
    """Compare releases by the errors they brought."""

    def of(self, incident: Incident) -> Deploy | None:
        """Return the release an incident came up with; None where it was there before, or none is known.

        Where the incident names its service, only releases of that service count.
        """
        attributes = incident.event.attributes if incident.events else {}
        release = release_named(attributes)
        if not release:
            return None
        own = sightings.c.incident_id == incident.id
        since = select(sightings.c.first_seen).join(incidents)
        since = since.where(sightings.c.release == release, incidents.c.pipeline == incident.pipeline)
        with self._read() as connection:
            if connection.scalar(select(sightings.c.release).where(own, sightings.c.release != release)):
                return None
            first = connection.scalar(since.order_by(sightings.c.first_seen).limit(1))
            earlier = connection.scalars(_before(incident, release, first)).all() if first else []
        for event in earlier:
            named = release_named(event.attributes)
            is_same = event.attributes.get(_SERVICE) == attributes.get(_SERVICE)
            if first is not None and is_same and _is_of_a_kind(named, release):
                return Deploy(_said(release), first, _said(named))
        return None


def _before(incident: Incident, release: str, first: datetime) -> Select[Any]:  # Any: of one column, an Event
    """Select events of incidents that were seen before a release came, the latest first."""
    of_pipeline = (incidents.c.pipeline == incident.pipeline, incidents.c.id != incident.id)
    other = (sightings.c.release != release, sightings.c.release != "", sightings.c.first_seen < first)
    found = select(events.c.event).select_from(sightings).join(incidents)
    found = found.join(events, (events.c.incident_id == incidents.c.id) & (events.c.number == 1))
    return found.where(*of_pipeline, *other).order_by(sightings.c.first_seen.desc()).limit(_LOOKED_AT)


def _is_of_a_kind(one: str, other: str) -> bool:
    """Return whether two releases are named by the same attributes, and are not the same."""
    return bool(one) and one != other and json.loads(one).keys() == json.loads(other).keys()


def _said(release: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in json.loads(release).items())
