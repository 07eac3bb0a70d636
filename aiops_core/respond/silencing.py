"""Silences people set by command: reminded of before they end, ended once what they hide is resolved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from aiops_core.policy import holds, incident_matter, said
from aiops_core.store import Job, SilenceRow, Store
from aiops_core.text.phrases import counted

_LOOK = timedelta(minutes=1)
_SHORT = timedelta(hours=4)
"""A silence shorter than this is not forgotten before it ends."""
_LOOKED_AT = 1_000


class Silencing:
    """Look after silences; ``tell`` tells the people of a pipeline, once a day of each cause."""

    def __init__(
        self, store: Store, tell: Callable[[str, str, str], None], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._tell = tell
        self._clock = clock

    def tend(self, job: Job) -> None:
        """Look after one silence, and come again while it holds."""
        silence, now = self._store.silences.get(job.payload["silence"]), self._clock()
        if silence is None or silence.ends_at <= now:
            self._store.queue.finish(job)
        elif silence.until_resolved and not is_open(self._store, silence):
            with self._store.transaction():
                self._store.silences.end(silence.id)
                self._store.queue.finish(job)
        else:
            if now >= silence.remind_at and silence.ends_at - silence.begins_at >= _SHORT:
                self._remind(silence)
            next_look = now + _LOOK if silence.until_resolved else max(silence.remind_at, now + _LOOK * 60)
            self._store.queue.rest(job, min(next_look, silence.ends_at))

    def _remind(self, silence: SilenceRow) -> None:
        text = (
            f"silence {silence.id} ({said(silence.match)}: {silence.why}, by {silence.by}) ends at "
            f"{silence.ends_at:%Y-%m-%d %H:%M} UTC. It has held back {counted(silence.count, 'message')}; what still "
            f"holds is told then. End it now with 'aiops silence remove {silence.id}', or write another one"
        )
        for pipeline in self._store.silences.hidden_in(silence.id):
            self._tell(pipeline, f"silence {silence.id} ends soon", text)


def is_open(store: Store, silence: SilenceRow) -> bool:
    """Return whether an incident that a silence hides is open."""
    opened = store.incidents.opened(limit=_LOOKED_AT)
    return any(holds(silence.match, incident_matter(one)) for one in opened)
