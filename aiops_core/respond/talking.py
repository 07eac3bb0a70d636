"""Listen to what people say on open requests, answer it, and begin the rounds they ask for.

One job per request does all of it: it looks at the forge again and again, keeps what it heard in the
store, and is the only one that answers. What changes code is a run like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.errors import AiopsError, LeaseLost, Retry, StoreError
from aiops_core.pipeline import Pipeline
from aiops_core.plain import to_text
from aiops_core.records import Analysis, Change, Outcome, Remark, Review
from aiops_core.repair import (
    UNVERIFIED,
    Heard,
    Hearing,
    Memory,
    RequestAction,
    answer_mark,
    notice_mark,
    review_text,
    review_words,
)
from aiops_core.repair.pushing import MOVED
from aiops_core.respond.run import Desk
from aiops_core.step import Step
from aiops_core.store import Job, Place, RemarkRow, RunRow, Store
from aiops_core.text.report import Say

_LONGEST_WAIT = 900.0
_HOUR = timedelta(hours=1)


def begin_talk(desk: Desk, pipeline: Pipeline, run_id: int, step: Step, outcome: Outcome) -> None:
    """Listen from now on to what people say on a request that an action opened."""
    action = step.component
    if not isinstance(action, RequestAction) or not action.listens_to(outcome):
        return
    payload = {"run": run_id, "step": step.name, "number": outcome.data["number"], "failures": 0}
    key = talk_key(pipeline.name, step.name, outcome.url)
    desk.store.queue.enqueue("talk", key, payload, due_at=desk.clock() + action.config.review.every)


def talk_key(pipeline: str, action: str, request: str) -> str:
    """Return the key of the one job that listens to a request."""
    return f"talk:{pipeline}:{action}:{request}"


def talk(desk: Desk, pipeline: Pipeline | None, job: Job) -> None:
    """Look once at what is said on a request, and again later for as long as it is open."""
    conversation = _conversation(desk, pipeline, job)
    if conversation is None:
        desk.store.queue.finish(job)
        return
    every = conversation.action.config.review.every
    try:
        goes_on = conversation.go_on()
    except (LeaseLost, StoreError):
        raise
    except AiopsError as error:
        name = conversation.step.name
        desk.telling.fault(conversation.pipeline.name, f"action {name}: comments", f"action {name}: {error}")
        _look_again(desk, job, _patience(every, job, error), failures=job.payload["failures"] + 1)
        return
    if goes_on:
        _look_again(desk, job, every)
    else:
        desk.store.queue.finish(job)


def _look_again(desk: Desk, job: Job, wait: timedelta, failures: int = 0) -> None:
    """Make a new job of it: what went well, or was told, counts as no attempt."""
    payload = {**job.payload, "failures": failures}
    with desk.store.transaction():
        desk.store.queue.finish(job)
        desk.store.queue.enqueue("talk", job.key, payload, due_at=desk.clock() + wait)


def _patience(every: timedelta, job: Job, error: AiopsError) -> timedelta:
    asked = error.after if isinstance(error, Retry) else 0.0
    seconds = every.total_seconds() * 2.0 ** min(job.payload["failures"] + 1, 10)
    return timedelta(seconds=max(min(seconds, _LONGEST_WAIT), asked))


def is_stopped(rows: Iterable[RemarkRow]) -> bool:
    """Return whether the last word of people was ``/aiops stop``."""
    words = [row.wish for row in rows if row.wish in ("stop", "retry") and row.state != "ignored"]
    return bool(words) and words[-1] == "stop"


def _conversation(desk: Desk, pipeline: Pipeline | None, job: Job) -> _Conversation | None:
    run_id, name = job.payload["run"], job.payload["step"]
    step = pipeline.step("actions", name) if pipeline is not None else None
    outcome = desk.store.runs.outcomes(run_id).get(name)
    if pipeline is None or step is None or outcome is None or not isinstance(step.component, RequestAction):
        return None
    if step.mode == "dry_run" or step.component.config.review.answer == "none":
        return None
    place = Place(pipeline.name, name, outcome.url)
    run = desk.store.runs.get(run_id)
    return _Conversation(desk, pipeline, job, step, step.component, run, job.payload["number"], place)


class _Conversation(Struct, frozen=True):
    """What is said on one request, and what is done about it."""

    desk: Desk
    pipeline: Pipeline
    job: Job
    step: Step
    action: RequestAction[Any]
    origin: RunRow
    """The run that opened the request."""
    number: int
    place: Place

    @property
    def store(self) -> Store:
        """The store, written to only while this job is ours."""
        return self.desk.store.guarded(self.job)

    @property
    def tell(self) -> Say:
        """How our phrases read in the language of the pipeline."""
        return review_words(self.pipeline.config.language)

    def rows(self) -> Sequence[RemarkRow]:
        """Return what was heard so far."""
        return self.desk.store.talks.remarks(self.place)

    def go_on(self) -> bool:
        """Listen, answer, begin a round; return whether there may be more to hear."""
        rows = self.rows()
        hearing = self.action.hear(self.number, _memory(rows))
        if hearing.request.state != "open":
            return False
        self._give_notices(hearing)
        self._remember(rows, hearing)
        self._answer_rounds()
        self._answer_commands()
        self._begin_round(hearing)
        return True

    def _give_notices(self, hearing: Hearing) -> None:
        notices = {"reader": self.tell(review_text.ONLY_WRITERS), "edited": self.tell(review_text.NOT_EDITED)}
        for heard in hearing.heard:
            if heard.deaf in notices:
                self._say(heard.remark.thread, notice_mark(heard.deaf), notices[heard.deaf])

    def _remember(self, rows: Sequence[RemarkRow], hearing: Hearing) -> None:
        now, known = self.desk.clock(), {row.remark.id: row for row in rows}
        news = [
            _row(heard, self.desk.redacted(heard.remark), now)
            for heard in hearing.heard
            if heard.deaf is not None or heard.remark.id not in known
        ]
        there = {heard.remark.id for heard in hearing.heard}
        gone = [row.remark.id for row in rows if row.state == "waiting" and row.remark.id not in there]
        if news or gone:
            with self.desk.store.transaction():
                self.store.talks.hear(self.place, news)
                self.store.talks.settle(self.place, gone, "ignored", "deleted")

    def _answer_rounds(self) -> None:
        """Say what became of the comments whose round is over."""
        taken = [row for row in self.rows() if row.state == "taken"]
        for run_id in sorted({row.run_id for row in taken if row.run_id is not None}):
            run = self.desk.store.runs.get(run_id)
            if run.state in ("done", "failed") or (run.state == "waiting" and run.started_at is not None):
                self._end_round([row for row in taken if row.run_id == run_id], run)

    def _end_round(self, rows: Sequence[RemarkRow], run: RunRow) -> None:
        """Answer a round; one whose branch people pushed to meanwhile is made anew from there, once."""
        outcome = self.desk.store.runs.outcomes(run.id).get(self.step.name)
        has_moved = outcome is not None and outcome.data.get("rule") == MOVED
        if has_moved and all(row.wish == "ask" and row.why != MOVED for row in rows):
            self.store.talks.settle(self.place, [row.remark.id for row in rows], "waiting", MOVED)
        else:
            self._answer(rows, self._became(run))

    def _answer_commands(self) -> None:
        for row in self.rows():
            if row.state != "waiting":
                continue
            if row.wish == "stop":
                self._answer([row], self.tell(review_text.STOPPED))
                self._drop_wishes(row.remark.at)
            elif row.wish == "explain":
                self._answer([row], review_text.explanation(self.tell, *self._fix()))
            elif row.wish == "help":
                self._answer([row], review_text.helping(self.tell))

    def _drop_wishes(self, until: datetime) -> None:
        rows = (row for row in self.rows() if row.state == "waiting" and row.remark.at <= until)
        self.store.talks.settle(self.place, [row.remark.id for row in rows], "ignored", "stopped")

    def _begin_round(self, hearing: Hearing) -> None:
        rows, limits = self.rows(), self.action.config.review
        wishes = [row for row in rows if row.state == "waiting"]
        if not wishes or any(row.state == "taken" for row in rows):
            return
        if is_stopped(rows):
            self._drop_wishes(wishes[-1].remark.at)
            return
        begun = {row.run_id: row.taken_at for row in rows if row.run_id is not None and row.taken_at}
        if len(begun) >= limits.rounds:
            self._refuse_rounds(wishes, limits.rounds)
            return
        now = self.desk.clock()
        lately = [at for at in begun.values() if at is not None and at > now - _HOUR]
        is_quiet = max(row.heard_at for row in wishes) <= now - limits.quiet
        if is_quiet and len(lately) < limits.rounds_per_hour:
            self._start(rows, wishes, hearing)

    def _refuse_rounds(self, wishes: Sequence[RemarkRow], rounds: int) -> None:
        text = self.tell(review_text.ROUNDS_USED_UP, rounds=rounds)
        self._say(wishes[-1].remark.thread, notice_mark("rounds"), text)
        self.store.talks.settle(self.place, [row.remark.id for row in wishes], "ignored", "rounds")

    def _start(self, rows: Sequence[RemarkRow], wishes: Sequence[RemarkRow], hearing: Hearing) -> None:
        remarks = [*_repeated(rows, wishes), *(row.remark for row in wishes)]
        review = Review(
            self.step.name,
            self.number,
            hearing.request.branch,
            self.place.request,
            tuple(remarks),
            is_unverified=UNVERIFIED in hearing.request.labels,
        )
        with self.desk.store.transaction():
            store = self.store
            run_id = store.runs.create(self.origin.incident_id, "review")
            store.runs.begin_step(run_id, "review", self.step.name)
            store.runs.end_step(run_id, "review", "done", result=to_text(review))
            store.talks.take(self.place, [row.remark.id for row in wishes], run_id)

    def _answer(self, rows: Sequence[RemarkRow], text: str) -> None:
        """Answer comments in each of their threads, and note that they are answered."""
        threads: dict[str, list[RemarkRow]] = {}
        for row in rows:
            threads.setdefault(row.remark.thread, []).append(row)
        for thread, asked in threads.items():
            self._say(thread, answer_mark([row.remark.id for row in asked]), text)
        self.store.talks.settle(self.place, [row.remark.id for row in rows], "answered")

    def _say(self, thread: str, mark: str, text: str) -> None:
        """Say something once, and note that it was us."""
        effects = self.store.runs.effects(self.origin.id, self.step.name)
        with self.action.context.recording(effects):
            said = self.action.say(self.number, thread, mark, self.desk.redactor.redact(text))
        own = Remark(said, "", "", self.desk.clock(), thread)
        row = RemarkRow(own, "", "", "ignored", "own", None, self.desk.clock(), None)
        self.store.talks.hear(self.place, [row])

    def _became(self, run: RunRow) -> str:
        runs = self.desk.store.runs
        analysis, change = runs.analysis(run.id), runs.change(run.id)
        if run.state == "waiting":
            return review_text.waits(self.tell, analysis)
        outcome = runs.outcomes(run.id).get(self.step.name)
        if outcome is not None and outcome.status == "done" and analysis is not None and change is not None:
            commit, is_proven = outcome.data["commit"], bool(outcome.data.get("proven"))
            return review_text.made(self.tell, analysis, change, commit, is_proven=is_proven)
        why = outcome.summary if outcome is not None else self._reason(run)
        return review_text.not_made(self.tell, analysis, why)

    def _reason(self, run: RunRow) -> str:
        """Return why a round changed nothing, "" where the analysis proposed nothing."""
        steps = self.desk.store.runs.steps(run.id)
        broken = next((step.error for step in reversed(steps) if step.state in ("refused", "failed")), "")
        decided = self.desk.store.incidents.decisions(self.origin.incident_id, run.id)
        why = [
            one.text
            for one in decided
            if one.rule not in ("no-edits", "evidence-cut", "ambiguous-path", "unknown-release")
        ]
        if run.state == "failed" and not broken:
            return self.tell(review_text.GIVEN_UP)
        return broken or (why[-1] if why else "")

    def _fix(self) -> tuple[Analysis | None, Change | None]:
        """Return the last analysis and change that led to what the request holds."""
        runs = self.desk.store.runs
        for run in reversed(runs.of_incident(self.origin.incident_id)):
            outcome = runs.outcomes(run.id).get(self.step.name)
            if outcome is not None and outcome.status == "done":
                return runs.analysis(run.id), runs.change(run.id)
        return runs.analysis(self.origin.id), runs.change(self.origin.id)


def _memory(rows: Sequence[RemarkRow]) -> Memory:
    return Memory(
        handled=frozenset(row.remark.id for row in rows if row.state != "waiting"),
        waiting={row.remark.id: row.digest for row in rows if row.state == "waiting"},
    )


def _row(heard: Heard, remark: Remark, now: datetime) -> RemarkRow:
    """Return what is kept of a comment; of one nobody listens to not its words."""
    if heard.deaf is None:
        return RemarkRow(remark, heard.digest, heard.wish, "waiting", "", None, now, None)
    silent = replace(remark, text="")
    return RemarkRow(silent, heard.digest, heard.wish, "ignored", heard.deaf, None, now, None)


def _repeated(rows: Sequence[RemarkRow], wishes: Sequence[RemarkRow]) -> list[Remark]:
    """Return what ``/aiops retry`` asks for again: the last round, and what a stop cut off."""
    if all(row.wish != "retry" for row in wishes):
        return []
    last = max((row.run_id for row in rows if row.run_id is not None), default=None)
    return [
        row.remark
        for row in rows
        if row.wish == "ask"
        and ((last is not None and row.run_id == last) or row.why in ("stopped", "rounds"))
    ]
