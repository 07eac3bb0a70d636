"""When more is to be mended than may be: say once what the errors have in common."""

from __future__ import annotations

import json
from datetime import timedelta

from aiops_core.records import Decision
from aiops_core.respond.run import Run
from aiops_core.text.phrases import counted

_RECENT = timedelta(hours=1)


def tell_of_storm(run: Run, decision: Decision) -> None:
    """Tell people once that fixes wait, and which release most of the new errors came from."""
    fixes, pipeline = run.desk.store.fixes, run.pipeline.name
    new, releases = fixes.newcomers(pipeline, run.desk.clock() - _RECENT)
    text = f"fixes wait: {decision.text.partition(', ')[2]} ({decision.setting})"
    if releases:
        release, count = max(releases.items(), key=lambda one: one[1])
        named = ", ".join(f"{name} {value}" for name, value in json.loads(release).items())
        text += f". Of {counted(new, 'incident')} new within the hour {count} came from {named}: consider to roll it back"
    run.fault("more fixes than may be open", text)
