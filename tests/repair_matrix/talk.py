"""What people do on an open request, the time that goes by meanwhile, and what became of their wishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from repair_matrix.cases import Case, Word

from aiops_core.context import utc_now
from aiops_core.repair.pushing import EMAIL
from aiops_core.store import Place, Store
from aiops_core.testing.forge_bench import ForgeBench
from aiops_core.testing.pipeline import PipelineResult

REVIEW = {"every": "5s", "quiet": "0s", "rounds_per_hour": 20}
"""How the action listens: as often as may be, for the trials go faster than people."""
_LOOKS = 2


class Clock:
    """A clock that is put forward between looks at the forge."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


def converse(
    words: Sequence[Word], bench: ForgeBench, clock: Clock, again: Callable[[], PipelineResult]
) -> PipelineResult | None:
    """Let people do these things and the pipeline look at them; return what its last run said."""
    done = None
    for word in (*words, Word(wait=True)) if words else ():
        if word.wait:
            for _ in range(_LOOKS):
                clock.ahead += timedelta(seconds=10)
                done = again()
        else:
            _do(word, bench)
    return done


def _do(word: Word, bench: ForgeBench) -> None:
    request = bench.seen()[-1]
    if word.state:
        bench.change(request.number, state=word.state)
    elif word.commit:
        bench.bare.add_commit(request.branch, word.commit, word.text)
    else:
        where = {"path": word.path, "line": word.line} if word.path else {}
        said = bench.talk.add(request.number, word.by, word.say or "", **where)
        said.is_edited = word.edited


def our_commits(bench: ForgeBench) -> int:
    """Return how many commits of ours the last request has."""
    seen = bench.seen()
    if not seen:
        return 0
    emails = bench.bare.git("log", "--format=%ae", f"main..{seen[-1].branch}").split()
    return emails.count(EMAIL)


def why_unchanged(case: Case, bench: ForgeBench, directory: Path) -> str:
    """Return why nobody acted on what was said, "" where a round did."""
    request, component = bench.seen()[-1], bench.action_type.words.component
    with Store.open(directory / "state") as store:
        rows = store.talks.remarks(Place(case.name, component, bench.number_url(request.number)))
        run = store.runs.latest(1)
    if run is not None and run.reason == "review":
        return ""
    if request.state != "open":
        return request.state
    heard = [row for row in rows if row.remark.author]
    return (heard[-1].why or heard[-1].wish) if heard else "unheard"


def our_words(bench: ForgeBench) -> list[str]:
    """Return what we said on the last request."""
    return [said.text for said in bench.talk.of(bench.seen()[-1].number) if said.author == bench.talk.owner]
