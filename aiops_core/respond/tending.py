"""Incidents people were told of: reminded, escalated, resolved; a look each minute, from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from aiops_core.config import duration_text
from aiops_core.pipeline import Pipeline
from aiops_core.policy import is_calm, is_escalating, rates, reminder_after
from aiops_core.records import Decision, Incident, Report
from aiops_core.respond.news import (
    News,
    chain_text,
    escalating_text,
    news_of,
    reminder_text,
    resolved_text,
)
from aiops_core.respond.outbox import takes_digests
from aiops_core.respond.telling import Telling
from aiops_core.store import OPEN, Job, Notice, Store
from aiops_core.text.phrases import counted

EVERY = timedelta(minutes=1)
_QUIET_EVERY = timedelta(minutes=10)
_LOOKED_AT = timedelta(minutes=75)


def tend_key(pipeline: str) -> str:
    """Return the key of the job that looks after the incidents of a pipeline."""
    return f"tend:{pipeline}"


class Tending:
    """Look after the incidents of a pipeline each minute, and when somebody is to be told."""

    def __init__(
        self,
        pipelines: Mapping[str, Pipeline],
        store: Store,
        telling: Telling,
        redacted: Callable[[Report], Report],
        clock: Callable[[], datetime],
    ) -> None:
        self._pipelines = pipelines
        self._store = store
        self._telling = telling
        self._redacted = redacted
        self._clock = clock
        self._swept: dict[str, datetime] = {}
        self._once = False

    def recover(self, *, once: bool = False) -> None:
        """Have told incidents looked after from now on; in a run over what is there, now and no more."""
        self._once = once
        for name, pipeline in self._pipelines.items():
            if once:
                self._look(pipeline, self._clock())
            elif self._store.notices.is_open(name):
                self.begin(name)

    def begin(self, pipeline: str) -> None:
        """Look after the incidents of a pipeline, of which people were told."""
        if not self._once:
            payload = {"pipeline": pipeline}
            self._store.queue.enqueue("tend", tend_key(pipeline), payload, max_attempts=1_000)

    def tend(self, job: Job) -> None:
        """Look after one pipeline, and come again while an incident people were told of is open."""
        pipeline = self._pipelines.get(job.payload["pipeline"])
        if pipeline is None:
            self._store.queue.finish(job)
            return
        now = self._clock()
        self._look(pipeline, now)
        with self._store.transaction():
            due = min(self._store.notices.next_due(pipeline.name) or now + EVERY, now + EVERY)
            is_open = self._store.notices.is_open(pipeline.name)
            self._store.queue.rest(job, max(due, now + timedelta(seconds=1)) if is_open else None)

    def _look(self, pipeline: Pipeline, now: datetime) -> None:
        """Look after one pipeline; every incident is one transaction with what is told of it."""
        self._look_at_rates(pipeline, now)
        self._resolve_quiet(pipeline, now)
        for notice in self._store.notices.changed(pipeline.name):
            with self._store.transaction():
                self._changed(pipeline, notice)
        for notice in self._store.notices.due(pipeline.name, now):
            with self._store.transaction():
                self._due(pipeline, notice, now)

    def _look_at_rates(self, pipeline: Pipeline, now: datetime) -> None:
        """Let incidents escalate that become more frequent, and calm down those that do no more.

        For a while after a jump of the clock nobody knows what was before.
        """
        jumped_at = self._store.jumps.jumped_at
        if jumped_at is not None and now - jumped_at < _LOOKED_AT:
            return
        known = self._store.trends.since(now - _LOOKED_AT)
        escalated = self._store.incidents.list("escalating", pipeline.name, limit=1_000)
        active = {one.id: one for one in (*self._store.incidents.of_ids(list(known)), *escalated)}
        settings = pipeline.config.notices
        for incident in active.values():
            if incident.pipeline != pipeline.name:
                continue
            found = rates(known.get(incident.id, {}), now, incident.first_seen)
            if found is None:
                continue
            recent, before = found
            if incident.state == "escalating" and is_calm(recent, before):
                text = f"ongoing: {counted(recent, 'event')} within 10 minutes, it is no longer more frequent"
                self._store.incidents.set_state(incident.id, "ongoing", Decision("state", text))
            elif incident.state in ("new", "ongoing") and is_escalating(recent, before, settings):
                text = f"escalating: {recent} events within 10 minutes, {before:.0f} in ten minutes before"
                why = Decision("state", text, setting="notices.escalating")
                self._store.incidents.set_state(incident.id, "escalating", why)

    def _resolve_quiet(self, pipeline: Pipeline, now: datetime) -> None:
        after = pipeline.config.notices.resolve_after
        if not after or now - self._swept.get(pipeline.name, now - _QUIET_EVERY) < _QUIET_EVERY:
            return
        self._swept[pipeline.name] = now
        for incident_id in self._store.incidents.quiet(pipeline.name, now - after):
            text = f"resolved: no event for {duration_text(after)}"
            why = Decision("state", text, setting="notices.resolve_after")
            self._store.incidents.set_state(incident_id, "resolved", why)

    def _changed(self, pipeline: Pipeline, notice: Notice) -> None:
        """Tell what became of an incident; of one nobody heard of yet, nobody hears that it is over."""
        incident = self._store.incidents.get(notice.incident_id)
        language = pipeline.config.language
        if incident.state == "resolved" and self._store.notices.is_begun(incident.id):
            self._tell_end(pipeline, incident, notice)
        elif incident.state == "escalating":
            known = self._store.trends.since(self._clock() - _LOOKED_AT, [incident.id])
            now = self._clock()
            recent, before = rates(known.get(incident.id, {}), now, incident.first_seen) or (0, 0.0)
            text = escalating_text(language, recent, before)
            self._tell(pipeline, incident, "escalating", text)
        else:
            if incident.state not in OPEN:
                notice = replace(notice, remind_at=None, climb_at=None)
            self._store.notices.save(replace(notice, state=incident.state))

    def _tell_end(self, pipeline: Pipeline, incident: Incident, notice: Notice) -> None:
        """Tell those who were told that an incident is over; people heard of one that is part of another as one."""
        to = notice.targets
        if self._store.triage.part_of(incident.id) is not None:
            to = tuple(name for name in to if not _is_for_people(pipeline, name))
            self._store.notices.save(replace(notice, state=incident.state, remind_at=None, climb_at=None))
        if to:
            text = resolved_text(pipeline.config.language, incident)
            self._tell(pipeline, incident, "resolved", text, to)

    def _due(self, pipeline: Pipeline, notice: Notice, now: datetime) -> None:
        """Tell who comes next in the chain, and remind."""
        incident = self._store.incidents.get(notice.incident_id)
        if incident.state not in OPEN or notice.is_acknowledged:
            self._store.notices.save(replace(notice, remind_at=None, climb_at=None))
            return
        if self._store.triage.is_led(incident.id):
            self._wait_for_head(pipeline, notice, now)
            return
        if notice.climb_at is not None and notice.climb_at <= now:
            self._climb(pipeline, incident, notice, now)
            notice = self._store.notices.get(incident.id) or notice
        if notice.remind_at is not None and notice.remind_at <= now:
            self._remind(pipeline, incident, notice, now)

    def _wait_for_head(self, pipeline: Pipeline, notice: Notice, now: datetime) -> None:
        """Look again later: people are reminded of the incident that this one is part of."""
        after = reminder_after(0, pipeline.config.notices) or timedelta(seconds=notice.chain_seconds)
        later = replace(
            notice,
            remind_at=now + after if notice.remind_at is not None else None,
            climb_at=now + after if notice.climb_at is not None else None,
        )
        self._store.notices.save(later)

    def _remind(self, pipeline: Pipeline, incident: Incident, notice: Notice, now: datetime) -> None:
        """Remind of what goes on; while nothing is new, or a message still waits, look again later."""
        more = incident.count - notice.count
        after = reminder_after(notice.reminded, pipeline.config.notices)
        if more > 0 and after is not None and not self._store.notices.waits(incident.id):
            text = reminder_text(pipeline.config.language, incident, more)
            self._tell(pipeline, incident, "reminder", text)
            return
        later = now + after if after is not None else None
        self._store.notices.save(replace(notice, remind_at=later))

    def _climb(self, pipeline: Pipeline, incident: Incident, notice: Notice, now: datetime) -> None:
        """Tell the next in the chain what the others were told; nobody while they were not."""
        waited = timedelta(seconds=notice.chain_seconds)
        if not notice.chain:
            self._store.notices.save(replace(notice, climb_at=None))
            return
        if not self._store.notices.is_begun(incident.id):
            self._store.notices.save(replace(notice, climb_at=now + waited))
            return
        target, *rest = notice.chain
        report = self._last_report(pipeline, incident, now)
        text = chain_text(pipeline.config.language, incident, duration_text(waited))
        told = replace(
            report, key=f"{report.key}/to-{target}", text="\n".join(filter(None, (text, report.text)))
        )
        self._telling.tell(pipeline, told, run_id=None, incident_id=incident.id, to=[target])
        climbed = self._store.notices.get(incident.id) or notice
        climb_at = now + waited if rest else None
        self._store.notices.save(replace(climbed, chain=tuple(rest), climb_at=climb_at))
        why = f"told to {target}: nobody acknowledged it within {duration_text(waited)}"
        self._store.incidents.decide(incident.id, None, Decision("escalate", why, setting="routes.escalate"))

    def _last_report(self, pipeline: Pipeline, incident: Incident, now: datetime) -> Report:
        known = self._store.deliveries.of_incident(incident.id)
        whole = [row.report for row in known if row.report.kind == "incident" and "/to-" not in row.key]
        if whole:
            return whole[-1]
        return self._redacted(news_of(pipeline, incident, "reminder", "", "", now))

    def _tell(
        self, pipeline: Pipeline, incident: Incident, kind: News, text: str, to: tuple[str, ...] | None = None
    ) -> None:
        run = self._store.runs.latest(incident.id)
        analysis = self._store.runs.analysis(run.id) if run is not None else None
        title = analysis.title if analysis is not None else ""
        report = news_of(pipeline, incident, kind, title, text, self._clock())
        self._telling.tell(
            pipeline, self._redacted(report), run_id=None, incident_id=incident.id, news=kind, to=to
        )


def _is_for_people(pipeline: Pipeline, name: str) -> bool:
    step = pipeline.step("notifiers", name)
    return step is not None and takes_digests(step)
