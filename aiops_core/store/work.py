"""What was done in a period, counted and timed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Select, func, select

from aiops_core.store.access import Access
from aiops_core.store.tables import analyses, decisions, deliveries, incidents, jobs, outcomes, runs


class Worked(Struct, frozen=True):
    """Work since a moment: how runs, actions and deliveries ended, and moments by incident.

    ``detected`` is when an incident was first recorded, ``told`` when the first message about it
    arrived, ``resolved`` the seconds from first event to end of those that ended since.
    """

    runs: Mapping[str, int]
    outcomes: Mapping[str, int]
    deliveries: Mapping[str, int]
    detected: Mapping[int, datetime]
    told: Mapping[int, datetime]
    resolved: Sequence[float]


class Work(Access):
    """Look up what was done."""

    def since(self, start: datetime, pipeline: str | None = None) -> Worked:
        """Return what was done since ``start``, in one pipeline or in all."""

        def of(query: Select[Any]) -> Select[Any]:  # Any: of different columns
            return query if pipeline is None else query.where(incidents.c.pipeline == pipeline)

        ended = select(runs.c.state, func.count()).join(incidents).where(runs.c.created_at >= start)
        sent = (
            select(deliveries.c.state, func.count()).join(incidents).where(deliveries.c.created_at >= start)
        )
        acted = select(outcomes.c.outcome).join(runs).join(incidents).where(outcomes.c.created_at >= start)
        noticed = select(decisions.c.incident_id, func.min(decisions.c.at, type_=decisions.c.at.type))
        noticed = noticed.join(incidents).where(decisions.c.rule == "state", incidents.c.first_seen >= start)
        told = select(
            deliveries.c.incident_id, func.min(deliveries.c.updated_at, type_=deliveries.c.updated_at.type)
        )
        told = told.join(incidents).where(deliveries.c.state == "sent", incidents.c.first_seen >= start)
        over = select(incidents.c.first_seen, incidents.c.changed_at)
        over = over.where(incidents.c.state == "resolved", incidents.c.changed_at >= start)
        with self._read() as connection:
            return Worked(
                runs=_pairs(connection.execute(of(ended).group_by(runs.c.state))),
                outcomes=Counter(outcome.status for outcome in connection.scalars(of(acted))),
                deliveries=_pairs(connection.execute(of(sent).group_by(deliveries.c.state))),
                detected=_pairs(connection.execute(of(noticed).group_by(decisions.c.incident_id))),
                told=_pairs(connection.execute(of(told).group_by(deliveries.c.incident_id))),
                resolved=[(end - first).total_seconds() for first, end in connection.execute(of(over))],
            )

    def figures(self) -> Iterator[tuple[str, dict[str, str], float]]:
        """Yield name, labels and value of what is counted for metrics."""
        counts: list[tuple[str, Select[Any], tuple[str, ...]]] = [  # Any: of different columns
            ("events", select(incidents.c.pipeline, func.sum(incidents.c.count)), ("pipeline",)),
            (
                "incidents",
                select(incidents.c.pipeline, incidents.c.state, func.count()),
                ("pipeline", "state"),
            ),
            ("jobs", select(jobs.c.kind, jobs.c.state, func.count()), ("kind", "state")),
            (
                "deliveries",
                select(deliveries.c.target, deliveries.c.state, func.count()),
                ("target", "state"),
            ),
            (
                "model_tokens",
                select(analyses.c.analyzer, func.sum(analyses.c.input_tokens + analyses.c.output_tokens)),
                ("analyzer",),
            ),
            ("model_cost_usd", select(analyses.c.analyzer, func.sum(analyses.c.cost)), ("analyzer",)),
        ]
        with self._read() as connection:
            for name, query, labels in counts:
                columns = list(query.selected_columns)[: len(labels)]
                for *values, value in connection.execute(query.group_by(*columns)):
                    yield name, dict(zip(labels, map(str, values), strict=True)), float(value or 0)


def _pairs(rows: Any) -> dict[Any, Any]:  # Any: key and value of rows of two columns
    return {key: value for key, value in rows}  # noqa: C416 - rows are no tuples
