"""The hookspecs: their docstrings are the contract between the host and every component.

A component implements a stage by defining the method of that name; there is no decorator to
forget. Hooks grow by new fields on the frozen records, never by new arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pluggy

from aiops_core.records import (
    Analysis,
    Block,
    Change,
    Event,
    Evidence,
    Incident,
    Outcome,
    Plan,
    Position,
    Receipt,
    Report,
    Signal,
)

PROJECT = "aiops"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Stages:
    """The hooks of the five kinds; the host calls each step through a caller of its own."""

    @hookspec
    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        """Yield signals for as long as the source lives.

        Runs in a thread of its own. ``positions`` holds the last committed position of every
        physical stream this step ever reported; start there. Look at ``context.stopping`` at
        least once a second and return when it is set. In a run with ``context.once`` return
        after what is there now. Raise to be restarted with backoff.
        """
        raise NotImplementedError  # abstract

    @hookspec
    def committed(self, stream: str, position: Position) -> None:
        """Learn that everything before ``position`` is durable; called after each commit."""

    @hookspec
    def detect(self, block: Block) -> Event | list[Event] | None:
        """Turn one block into an event, several, or None when nothing is wrong after all.

        Called in stream order, never at the same time for one component. Must depend on the
        block and the config alone: for detectors of rank ``trace`` blocks with equal lines, or lines
        equal but for numbers that never mattered, may be served from a cache, whatever their
        headline and prefix.

        None says that none of these lines is a problem, the logging line joined to them included.
        """
        raise NotImplementedError  # abstract

    @hookspec
    def analyze(self, incident: Incident, evidence: Sequence[Evidence]) -> Analysis | None:
        """Explain the incident; None passes it to the next analyzer on the ladder.

        Everything in ``incident`` and ``evidence`` is untrusted data, secrets already removed.
        Raise ``NoAnswer`` with the reason and what asking took, ``Retry`` when the analyzer is out of
        reach for now; both pass the incident to the next one too, and people are told why.
        """
        raise NotImplementedError  # abstract

    @hookspec
    def plan(self, incident: Incident, analysis: Analysis, change: Change | None) -> Plan | None:
        """Say what ``act`` would do, without any effect; None when there is nothing to do."""
        raise NotImplementedError  # abstract

    @hookspec
    def act(self, plan: Plan) -> Outcome:
        """Do what the plan says.

        May be called again with the same plan after a crash: record each effect through
        ``context.step(name, key)`` so that none happens twice.
        """
        raise NotImplementedError  # abstract

    @hookspec
    def follow(self, outcome: Outcome) -> Outcome | None:
        """Look again at a non-final outcome; None when nothing changed. Called by timer."""

    @hookspec
    def remark(self, outcome: Outcome, about: str, text: str) -> None:
        """Say below a merged request how its fix did: ``about`` is ``verified`` or ``regressed``.

        May be called again after a crash: say what is said about one thing once, through
        ``context.step``.
        """

    @hookspec
    def notify(self, report: Report) -> Receipt:
        """Deliver one report.

        Called again with the same ``report.key`` after a failure or crash: pass the key on so
        that receivers can drop repeats. Raise ``Retry`` for a failure that may pass.
        """
        raise NotImplementedError  # abstract


class Observers:
    """The hooks of extensions: every one that implements a hook is called."""

    @hookspec
    def gather(self, incident: Incident) -> list[Evidence]:  # type: ignore[empty-body]
        """Add evidence before an incident is analysed."""

    @hookspec
    def started(self, pipeline: str) -> None:
        """Learn that a pipeline runs."""

    @hookspec
    def events_recorded(self, events: Sequence[Event]) -> None:
        """Learn which events were just committed."""

    @hookspec
    def incident_changed(self, incident: Incident, before: str) -> None:
        """Learn that an incident went from state ``before`` ("" when new) to its present one."""

    @hookspec
    def step_finished(self, incident: Incident, step: str, state: str) -> None:
        """Learn how a recorded step of a run ended."""

    @hookspec
    def stopping(self, pipeline: str) -> None:
        """Learn that a pipeline is about to stop."""
