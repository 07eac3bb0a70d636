"""After the merge: is the error gone, back, or is the fix not running yet?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from aiops_core.config import duration_text
from aiops_core.errors import AiopsError, LeaseLost, Retry, StoreError, UserError
from aiops_core.pipeline import Pipeline
from aiops_core.records import Decision, Incident
from aiops_core.repair import review_text, review_words
from aiops_core.repository import GitError, Mirror, Release, open_mirror, release_of
from aiops_core.respond.run import Desk
from aiops_core.store import Fix, Job, Sighting
from aiops_core.text.phrases import counted

WATCH_EVERY = timedelta(minutes=5)
_SHORT = 12


class _Came(Struct, frozen=True):
    """Events of one release: whether it has the fix, None where nobody knows what it is."""

    sighting: Sighting
    release: Release | None
    has_fix: bool | None

    @property
    def named(self) -> str:
        """The release as people know it."""
        assert self.release is not None
        return f"{self.release.attribute} {self.release.value}"


class _Watch(Struct):
    """One look at a merged fix."""

    desk: Desk
    pipeline: Pipeline
    job: Job
    incident: Incident
    fix: Fix
    mirror: Mirror

    def look(self) -> None:
        """Find out how the fix does, write that down, and come again where that is not the end."""
        seen = self.desk.store.fixes.sightings(self.incident.id)
        came = [self._came(one) for one in seen]
        back = [one for one in came if one.has_fix]
        late = [one for one in came if one.has_fix is None and one.sighting.last_seen > self.fix.merged_at]
        if self.fix.state == "verified":
            back = back or late
        if back:
            self._regressed(back)
            return
        self._tell_old_releases([one for one in came if one.has_fix is False])
        if self.fix.state == "merged":
            self._verify([one.sighting.last_seen for one in late])
        self._come_again(seen)

    def _came(self, sighting: Sighting) -> _Came:
        said = json.loads(sighting.release) if sighting.release else {}
        release = release_of(self.mirror, said)
        if release is None or release.commit is None or not self.mirror.contains(self.fix.commit):
            return _Came(sighting, release, None)
        return _Came(sighting, release, self.mirror.has_ancestor(release.commit, self.fix.commit))

    def _verify(self, late: Sequence[datetime]) -> None:
        """Call it verified when it stayed away long enough; ``late`` is when unknown releases had it."""
        now, wanted = self.desk.clock(), self.pipeline.config.policy.verify_after
        served = self.fix.served_from or self._served_from()
        done = served is not None and now - max([served, *late]) >= wanted
        if done:
            text = f"0 in {_length(wanted)} (was {self.fix.rate}/day)"
            self._remark("verified", review_text.HOLDS, length=_length(wanted), rate=self.fix.rate)
        with self.desk.store.transaction():
            store = self.desk.store.guarded(self.job)
            store.fixes.note(self.incident.id, "verified" if done else "merged", served)
            if done:
                why = f"{text}: the fix {self.fix.commit[:_SHORT]} holds"
                self._decide("verified", why, "policy.verify_after")
                if self.incident.state != "ignored":
                    state = Decision("state", f"resolved: {why}", setting="policy.verify_after")
                    store.incidents.set_state(self.incident.id, "resolved", state)

    def _served_from(self) -> datetime | None:
        """Return since when a release with the fix runs; since the merge where no event names releases."""
        fixes, merged_at = self.desk.store.fixes, self.fix.merged_at
        named = [self._came(one) for one in fixes.releases(self.pipeline.name, merged_at)]
        served = [max(one.sighting.first_seen, merged_at) for one in named if one.has_fix]
        if served:
            return min(served)
        repository = self.pipeline.config.repository
        setting = release_of(self.mirror, {}, repository.release if repository is not None else "")
        if setting is not None and setting.commit is not None:
            has_fix = self.mirror.has_ancestor(setting.commit, self.fix.commit)
            return self.desk.clock() if has_fix else None
        ever = fixes.releases(self.pipeline.name, merged_at - timedelta(days=90))
        return None if ever else merged_at

    def _regressed(self, back: Sequence[_Came]) -> None:
        """Open the incident again and let it be answered anew."""
        known, commit = next((one for one in back if one.has_fix), None), self.fix.commit[:_SHORT]
        if known is not None:
            events = counted(sum(one.sighting.count for one in back), "event")
            text = f"the error is back: {events} of {known.named}, which has the fix {commit}"
            values = {"events": events, "release": known.named, "commit": commit}
            self._remark("regressed", review_text.IS_BACK, **values)
        else:
            events = counted(self.desk.store.fixes.events_since_merge(self.fix), "event")
            text = f"the error is back: {events} since the fix {commit} was merged"
            self._remark("regressed", review_text.IS_BACK_SINCE, events=events, commit=commit)
        with self.desk.store.transaction():
            store = self.desk.store.guarded(self.job)
            store.fixes.note(self.incident.id, "regressed", self.fix.served_from)
            run_id = None
            if self.incident.state != "ignored":
                store.incidents.set_state(
                    self.incident.id, "regressed", Decision("state", f"regressed: {text}")
                )
                run_id = store.runs.create(self.incident.id, "regressed")
            self._decide("regressed", f"{text} ({self.fix.outcome.url or self.fix.step})", run_id=run_id)
            self.desk.store.queue.finish(self.job)

    def _tell_old_releases(self, old: Sequence[_Came]) -> None:
        for one in old:
            if one.sighting.last_seen > self.fix.merged_at:
                self._decide(
                    "fixed-not-deployed",
                    f"no regression: {one.named} is still running, and it has not got the fix "
                    f"{self.fix.commit[:_SHORT]}. Deploy a release with it",
                )

    def _come_again(self, seen: Sequence[Sighting]) -> None:
        """Come again, at once when events came meanwhile; a verified fix is left once they stay away."""
        store, now = self.desk.store, self.desk.clock()
        with store.transaction():
            if store.fixes.sightings(self.incident.id) != seen:
                store.queue.release(self.job, now)
                return
            fix = store.fixes.get(self.incident.id)
            comes = any(one.last_seen > now - 2 * WATCH_EVERY for one in seen)
            if comes or (fix is not None and fix.state == "merged"):
                store.queue.release(self.job, now + WATCH_EVERY)
            else:
                store.queue.finish(self.job)

    def _remark(self, about: str, phrase: str, **values: object) -> None:
        """Say it where the fix was proposed; what the forge refuses stays unsaid there."""
        text = review_words(self.pipeline.config.language)(phrase, **values)
        step = self.pipeline.step("actions", self.fix.step)
        if step is None:
            return
        effects = self.desk.store.guarded(self.job).runs.effects(self.fix.run_id, step.name)
        try:
            with step.component.context.recording(effects):
                step.call("remark", outcome=self.fix.outcome, about=about, text=text)
        except (LeaseLost, Retry, StoreError):
            raise
        except AiopsError as error:
            said = self.desk.redactor.redact(str(error))
            self._decide("remark", f"{step.name}: could not say below the request that it is {about}: {said}")

    def _decide(self, rule: str, text: str, setting: str = "", run_id: int | None = None) -> None:
        store = self.desk.store
        if run_id is None and any(
            (one.rule, one.text) == (rule, text) for one in store.incidents.decisions(self.incident.id)
        ):
            return
        store.incidents.decide(self.incident.id, run_id, Decision(rule, text, setting=setting))


def _length(wanted: timedelta) -> str:
    """Write a length of time as people compare it: a day or two in hours."""
    hours = wanted / timedelta(hours=1)
    return f"{hours:g} h" if hours == int(hours) and hours <= 48 else duration_text(wanted)


def watch(desk: Desk, pipeline: Pipeline | None, job: Job, incident: Incident) -> None:
    """Look how the merged fix of an incident does; a forge or repository out of reach is asked again."""
    fix = desk.store.fixes.get(incident.id)
    if pipeline is None or fix is None or fix.state == "regressed":
        desk.store.queue.finish(job)
        return
    try:
        repository = pipeline.config.repository
        if repository is None:
            raise UserError("the pipeline names no repository any more")
        mirror = open_mirror(repository, desk.premises.mirrors)
        mirror.refresh()
        _Watch(desk, pipeline, job, incident, fix, mirror).look()
    except (Retry, UserError, GitError) as error:
        desk.logger.warning(
            "fix of incident %s: not looked at: %s", incident.id, desk.redactor.redact(str(error))
        )
        desk.store.queue.release(job, desk.clock() + WATCH_EVERY)
