"""One run as it is being made: its recorded steps and decisions, and what it works with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.analysis import redact_record
from aiops_core.budget import Amount
from aiops_core.errors import AiopsError, LeaseLost, Refused, StoreError, is_interrupt
from aiops_core.failpoints import failpoint
from aiops_core.handover import WrongType
from aiops_core.pipeline import Pipeline
from aiops_core.plain import from_text, to_text
from aiops_core.records import Decision, Evidence, Incident, Review
from aiops_core.repair import Premises
from aiops_core.repository import Mirror, open_mirror
from aiops_core.respond.telling import Telling
from aiops_core.respond.turns import Turns
from aiops_core.store import Job, Runs, StepRow, StepState, Store, Triaged
from aiops_core.text.redaction import Redactor
from aiops_core.tracing import span

R = TypeVar("R")
_ONCE = ("postponed", "turn", "reserved")
"""Rules of decisions that are the same however their words differ."""


class Postponed(AiopsError):
    """Let a run wait until a time; ``decision`` says why.

    It waits for its ``turn`` at the models, for ``money`` that calls now being made may leave, for a
    ``model`` that is down, or until a ``budget`` that is used up allows it: the last two may last.
    """

    def __init__(
        self,
        decision: Decision,
        until: datetime,
        *,
        wait_for: Literal["turn", "money", "model", "budget"] = "model",
    ) -> None:
        self.decision = decision
        self.until = until
        self.wait_for = wait_for
        super().__init__(decision.text)


class Desk(Struct, frozen=True):
    """What every run works with."""

    store: Store
    premises: Premises
    redactor: Redactor
    telling: Telling
    logger: logging.Logger
    clock: Callable[[], datetime]
    turns: Turns
    mirrors: frozenset[Path] = frozenset()
    """Mirrors of the repositories that pipelines name."""
    per_day: Amount | None = None
    """What the models of all pipelines together may take within 24 hours."""
    is_rehearsal: bool = False
    """Whether repositories are left alone, and a proposed fix counts as one that passed its tests."""

    def redacted(self, record: R) -> R:
        """Return a record without secrets."""
        return redact_record(record, self.redactor)


class Run(Struct):
    """One pass of the response over an incident."""

    desk: Desk
    id: int
    job: Job
    pipeline: Pipeline
    incident: Incident
    reason: str
    created_at: datetime
    store: Store
    """A write raises LeaseLost once another worker took this one over."""
    before: Mapping[str, StepRow]
    """The steps that were recorded when it was taken up."""
    review: Review | None = None
    """What this round of review is to answer, None for any other run."""
    triaged: Triaged | None = None
    """What becomes of it in a storm of incidents, None outside of one."""
    commit: str = ""
    """Where the code was first looked at: evidence and edits are of this commit."""
    decisions: list[Decision] = field(default_factory=list)
    look_at: datetime | None = None
    """When to look again whether something that waits for its turn may go on."""
    _mirror: Mirror | None = None
    looked_up: list[Evidence] = field(default_factory=list)
    """What models were shown in the step that is being done: it is saved with its end."""
    _unsaved: list[Callable[[], None]] | None = None
    """What steps found and decided since the last one that was saved: it is saved with the next."""

    @property
    def runs(self) -> Runs:
        """The records of runs; a write raises LeaseLost once another worker took this one over."""
        return self.store.runs

    @property
    def work(self) -> Path:
        """The directory of this run alone."""
        return self.desk.premises.work(self.id)

    @property
    def may_wait(self) -> bool:
        """Whether an analysis that can be made later is still worth it."""
        return self.desk.clock() < self.created_at + self.pipeline.config.policy.max_age

    def step(
        self,
        name: str,
        component: str,
        work: Callable[[], R | None],
        kind: type[R],
        *,
        is_brief: bool = False,
    ) -> R | None:
        """Do one recorded step, or return what it gave when it was done before.

        A brief one calls nobody and has no effects: all of it is saved with what comes next.
        """
        row = self.before.get(name)
        if row is None or not row.is_finished:
            began, is_brief = self.desk.clock(), is_brief and not self.pipeline.of_kind("extensions")
            if is_brief or self._begin(name, component):
                return self._done(
                    StepRow(self.id, name, component, "done", "", "", began, None), work, is_brief=is_brief
                )
            row = self.runs.step(self.id, name)  # people ended it meanwhile
        return from_text(kind, row.result) if row is not None and row.result else None

    def _begin(self, name: str, component: str) -> bool:
        with self.saving():
            is_begun = self.runs.begin_step(self.id, name, component)
        if is_begun:
            failpoint("step_begun")
        return is_begun

    def _done(self, step: StepRow, work: Callable[[], R | None], *, is_brief: bool) -> R | None:
        name, component = step.name, step.component
        state: StepState = "done"
        error = result = ""
        value: R | None = None
        self._unsaved = self._unsaved or []
        try:
            with span(f"aiops {name}", self._traced(component)):
                value = work()
            result = to_text(value) if value is not None else ""
            state = "done" if value is not None else "skipped"
        except LeaseLost:
            self._unsaved = None
            raise
        except Postponed:
            self.looked_up.clear()  # it is looked up again when the question is taken up
            with self.saving():
                self.runs.begin_step(self.id, name, component, "queued")
            raise
        except Refused as refusal:
            state, error = "refused", self.redacted_text(refusal)
            self.decide(Decision(refusal.rule, error, setting=refusal.setting))
        except BaseException as failure:
            if is_interrupt(failure):
                raise
            state, error = "failed", self._failed(name, failure)
        failpoint("step_done")
        end = partial(self._end, replace(step, state=state, error=error, result=result))
        if is_brief:
            self.save(end)
            return value
        with self.saving():
            end()
        failpoint("step_ended")
        self._observe(name, state)
        return value

    def _end(self, step: StepRow) -> None:
        self.runs.save_step(replace(step, finished_at=self.desk.clock()))

    def told(self, name: str, prepare: Callable[[], Callable[[], list[str]]]) -> None:
        """Queue messages as one recorded step: they and its end are one transaction, prepared before it."""
        row = self.before.get(name)
        if row is not None and row.is_finished:
            return
        step = StepRow(self.id, name, "", "done", "", "", self.desk.clock(), None)
        try:
            with span(f"aiops {name}", self._traced("")):
                tell = prepare()
            with self.saving():
                targets = tell()
                failpoint("step_done")
                self._end(replace(step, result=to_text(targets)))
        except (LeaseLost, StoreError):
            raise
        except BaseException as failure:
            if is_interrupt(failure):
                raise
            step = replace(step, state="failed", error=self._failed(name, failure))
            with self.saving():
                self._end(step)
        failpoint("step_ended")
        self._observe(name, step.state)

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Save what steps found and decided in one transaction with what is written inside."""
        unsaved, self._unsaved = self._unsaved, None
        try:
            with self.desk.store.transaction():
                for save in unsaved or ():
                    save()
                if self.looked_up:
                    self.runs.save_evidence(self.id, [*self.runs.evidence(self.id), *self.looked_up])
                yield
        except BaseException:
            self._unsaved = unsaved
            raise
        self.looked_up.clear()

    def save(self, write: Callable[[], None]) -> None:
        """Write with the end of a step that is not saved yet, at once where there is none."""
        if self._unsaved is None:
            write()
        else:
            self._unsaved.append(write)

    def _traced(self, component: str) -> dict[str, str | int]:
        about: dict[str, str | int] = {"aiops.pipeline": self.pipeline.name, "aiops.run": self.id}
        about |= {"aiops.incident": self.incident.id, "aiops.reason": self.reason}
        return about | ({"aiops.component": component} if component else {})

    def decide(self, decision: Decision) -> None:
        """Record why something was or was not done, once a run."""
        if decision.rule in _ONCE and any(one.rule == decision.rule for one in self.decisions):
            return
        if any((one.rule, one.text) == (decision.rule, decision.text) for one in self.decisions):
            return
        decision = replace(decision, at=self.desk.clock())
        self.decisions.append(decision)
        self.save(partial(self.desk.store.incidents.decide, self.incident.id, self.id, decision))

    def fault(self, cause: str, text: str) -> None:
        """Tell people of a failure of the pipeline itself, once per cause."""
        self.desk.telling.fault(self.pipeline.name, cause, text)

    def redacted(self, record: R) -> R:
        """Return a record without secrets."""
        return self.desk.redacted(record)

    def redacted_text(self, value: object) -> str:
        """Return what something says without secrets."""
        return self.desk.redactor.redact(str(value))

    def mirror(self) -> Mirror | None:
        """Return the mirror of the repository, which has the commit of this run; None without one."""
        repository = self.pipeline.config.repository
        if repository is None or self.desk.is_rehearsal:
            return None
        if self._mirror is None:
            self._mirror = open_mirror(repository, self.desk.premises.mirrors)
        if not self.commit:
            self._mirror.refresh()
            branch = self.review.branch if self.review is not None else repository.branch
            self.commit = self._mirror.head(branch)
        return self._mirror

    def make_room(self) -> None:
        """Make sure that there may be one more working copy; raise Refused where the disk is used up."""
        busy = [job.payload["run"] for job in self.desk.store.queue.jobs("leased") if job.kind == "run"]
        self.desk.premises.make_room(busy, self.desk.mirrors)

    def _failed(self, name: str, failure: BaseException) -> str:
        expected = isinstance(failure, WrongType | AiopsError)
        error = self.redacted_text(failure if expected else f"{type(failure).__name__}: {failure}")
        self.desk.logger.error(
            "run %s: %s failed: %s", self.id, name, error, exc_info=None if expected else failure
        )
        self.fault(f"{name}: {type(failure).__name__}", f"{name}: {error}")
        return error

    def _observe(self, name: str, state: str) -> None:
        self.pipeline.observe("step_finished", self.fault, incident=self.incident, step=name, state=state)
