"""What a replay came to, as plain data without numbers and places of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiops_core.config import duration_text
from aiops_core.pipeline import Pipeline
from aiops_core.records import Analysis, Incident
from aiops_core.replay.stand_ins import SKIPPED, Sent
from aiops_core.store import RunRow, Store
from aiops_core.text.sanitising import clean

Plain = dict[str, Any]
"""Plain data, for YAML."""
_MOST = 100_000
_HELD_BACK = {"waiting": "asks first", "queued": "waits its turn"}


def picture(
    pipeline: Pipeline, store: Store, sent: Sequence[Sent], begin: datetime, directory: Path
) -> Plain:
    """Return incidents in the order of their first events, what was done about each, and the sums."""
    painter = _Painter(pipeline, store, sent, begin, directory)
    found = [store.incidents.get(one.id) for one in store.incidents.list(limit=_MOST)]
    found.sort(key=lambda one: (one.first_seen, one.fingerprint))
    incidents = [painter.incident(one) for one in found]
    whole: Plain = {"incidents": incidents, "totals": painter.totals(found)}
    if others := [painter.message(one) for one in sent if one.report.incident is None]:
        whole["messages about no incident"] = others
    if faults := sorted({one.cause for one in store.faults()}):
        whole["faults"] = faults
    return whole


class _Painter:
    def __init__(
        self, pipeline: Pipeline, store: Store, sent: Sequence[Sent], begin: datetime, directory: Path
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._sent = sent
        self._begin = begin
        self._directory = str(directory)
        self._asked = 0
        self._cost = 0.0
        self._acts = 0

    def incident(self, incident: Incident) -> Plain:
        runs = [self._run(run) for run in self._store.runs.of_incident(incident.id)]
        messages = [self.message(one) for one in self._sent if _is_about(one, incident)]
        made = [one for one in self._store.incidents.decisions(incident.id) if one.rule != "state"]
        rules = [f"{one.rule} ({one.setting})" if one.setting else one.rule for one in made]
        whole: Plain = {
            "title": self._text(incident.title),
            "severity": incident.severity,
            "state": incident.state,
            "events": incident.count,
            "first": self._at(incident.first_seen),
            "last": self._at(incident.last_seen),
        }
        parts = {"runs": runs, "sent": messages, "decided": sorted(set(rules))}
        return whole | {name: part for name, part in parts.items() if part}

    def message(self, sent: Sent) -> Plain:
        return {"at": self._at(sent.at), "to": sent.to, "title": self._text(sent.report.title)}

    def totals(self, incidents: Sequence[Incident]) -> Plain:
        return {
            "incidents": len(incidents),
            "events": sum(one.count for one in incidents),
            "answers of models": self._asked,
            "estimated cost": _money(self._cost),
            "messages": len(self._sent),
            "actions": self._acts,
        }

    def _run(self, run: RunRow) -> Plain:
        whole: Plain = {"at": self._at(run.created_at), "reason": run.reason}
        analysis = self._store.runs.analysis(run.id)
        if analysis is not None:
            whole["analysis"] = self._analysis(analysis)
        if actions := dict(self._actions(run.id)):
            whole["actions"] = actions
        return whole

    def _analysis(self, analysis: Analysis) -> Plain:
        whole: Plain = {"by": analysis.analyzer}
        if analysis.usage is not None:
            self._asked += 1
            self._cost += analysis.usage.cost or 0.0
            whole["estimated cost"] = _money(analysis.usage.cost)
        if analysis.summary == SKIPPED:
            return {**whole, "answer": "not asked"}
        return {**whole, "answer": self._text(analysis.title), "confidence": analysis.confidence}

    def _actions(self, run_id: int) -> Iterator[tuple[str, Plain]]:
        outcomes = self._store.runs.outcomes(run_id)
        for step in self._pipeline.of_kind("actions"):
            stored = self._store.runs.plan(run_id, step.name)
            if stored is None:
                continue
            does = "acts" if step.name in outcomes else self._held_back(run_id, step.name)
            self._acts += step.name in outcomes
            yield step.name, {"does": does, "plan": self._text(stored.plan.title)}

    def _held_back(self, run_id: int, name: str) -> str:
        row = self._store.runs.step(run_id, f"act {name}")
        return _HELD_BACK.get(row.state, "plans only") if row is not None else "plans only"

    def _at(self, time: datetime) -> str:
        """Return how long after the first event it was; the zone of the logs plays no part."""
        return duration_text(timedelta(seconds=round((time - self._begin).total_seconds(), 1)))

    def _text(self, text: str) -> str:
        return clean(text.replace(self._directory, "."), keep_newlines=False)


def _is_about(sent: Sent, incident: Incident) -> bool:
    return sent.report.incident is not None and sent.report.incident.id == incident.id


def _money(cost: float | None) -> str:
    return "unknown" if cost is None else f"{cost:.4f} USD"
