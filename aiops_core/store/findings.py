"""What a run found out: evidence, analyses and what they cost, the verified change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import bindparam, delete, insert, select

from aiops_core.records import Analysis, Change, Evidence, Usage
from aiops_core.store.access import Access
from aiops_core.store.database import upsert
from aiops_core.store.tables import analyses, changes, evidence, runs

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_USAGE = ("model", *_TOKENS, "cost")


_DROP_EVIDENCE = delete(evidence).where(evidence.c.run_id == bindparam("of_run"))
_ADD_ANALYSIS = insert(analyses)
_ADD_EVIDENCE = insert(evidence)
_EVIDENCE = (
    select(evidence.c.evidence).where(evidence.c.run_id == bindparam("of_run")).order_by(evidence.c.id)
)


class UsageRow(Struct, frozen=True):
    """What one analysis of a run took."""

    run_id: int
    incident_id: int
    pipeline: str
    analyzer: str
    at: datetime
    usage: Usage


class Findings(Access):
    """Keep what a run found out."""

    def save_evidence(self, run_id: int, found: Sequence[Evidence]) -> None:
        """Keep what the analysis may cite, in place of what was there."""
        with self._write() as connection:
            connection.execute(_DROP_EVIDENCE, {"of_run": run_id})
            if found:
                connection.execute(_ADD_EVIDENCE, [{"run_id": run_id, "evidence": one} for one in found])

    def evidence(self, run_id: int) -> list[Evidence]:
        """Return the evidence of a run in its order."""
        with self._read() as connection:
            return list(connection.scalars(_EVIDENCE, {"of_run": run_id}))

    def save_analysis(self, run_id: int, analysis: Analysis, evidence_hash: str = "") -> None:
        """Keep an analysis; each one counts in ``usage``, the last one is the run's.

        With the hash of what it rests on it can be used again.
        """
        usage = analysis.usage or Usage()
        row = {name: getattr(usage, name) for name in _USAGE}
        row |= {
            "run_id": run_id,
            "analysis": analysis,
            "analyzer": analysis.analyzer,
            "evidence": evidence_hash,
            "created_at": self._clock(),
        }
        with self._write() as connection:
            connection.execute(_ADD_ANALYSIS, row)

    def analysis(self, run_id: int) -> Analysis | None:
        """Return the last analysis of a run."""
        query = select(analyses.c.analysis).where(analyses.c.run_id == run_id)
        with self._read() as connection:
            found: Analysis | None = connection.scalar(query.order_by(analyses.c.id.desc()).limit(1))
        return found

    def answered_before(
        self, incident_id: int, analyzer: str, evidence_hash: str, since: datetime
    ) -> tuple[int, Analysis] | None:
        """Return the last run in which an analyzer answered from this evidence, and its last answer."""
        answered = (analyses.c.analyzer == analyzer, analyses.c.created_at >= since)
        same = (runs.c.incident_id == incident_id, analyses.c.evidence == evidence_hash, *answered)
        query = select(analyses.c.run_id).join(runs).where(*same).order_by(analyses.c.id.desc()).limit(1)
        with self._read() as connection:
            run_id = connection.scalar(query)
            if run_id is None:
                return None
            last = select(analyses.c.analysis).where(analyses.c.run_id == run_id, *answered)
            last = last.where(analyses.c.evidence != "").order_by(analyses.c.id.desc()).limit(1)
            return run_id, connection.execute(last).scalar_one()

    def usage(self, since: datetime, pipeline: str | None = None) -> list[UsageRow]:
        """Return what every analysis since then took, the first one first; those that took nothing too."""
        columns = [analyses.c[name] for name in ("run_id", "analyzer", "created_at", *_USAGE)]
        query = select(*columns, runs.c.incident_id, runs.c.pipeline).join(runs)
        query = query.where(analyses.c.created_at >= since).order_by(analyses.c.id)
        if pipeline is not None:
            query = query.where(runs.c.pipeline == pipeline)
        with self._read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            UsageRow(
                run_id=row["run_id"],
                incident_id=row["incident_id"],
                pipeline=row["pipeline"],
                analyzer=row["analyzer"],
                at=row["created_at"],
                usage=Usage(**{name: row[name] for name in _USAGE}),
            )
            for row in rows
        ]

    def save_change(self, run_id: int, change: Change) -> None:
        """Keep the verified change of a run."""
        row = {"run_id": run_id, "change": change, "created_at": self._clock()}
        with self._write() as connection:
            connection.execute(upsert(changes, row), row)

    def change(self, run_id: int) -> Change | None:
        """Return the verified change of a run."""
        with self._read() as connection:
            found: Change | None = connection.scalar(
                select(changes.c.change).where(changes.c.run_id == run_id)
            )
        return found
