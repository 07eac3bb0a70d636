"""Make what turns the blocks of a pipeline into events; nobody waits for a detector that does not end."""

from __future__ import annotations

import time

from aiops_core.component import LogDetector
from aiops_core.detection import Detection, Fault
from aiops_core.overtime import Overseer
from aiops_core.pipeline import Pipeline
from aiops_core.step import Step
from aiops_core.text.blocks import Claim

_DETECTING = 30.0
"""Seconds that one call of a detector may take."""


_AGAIN = 1.0
"""Seconds between two times that one failure of a detector is told: telling is a write, for which reading waits."""


def overseen(pipeline: Pipeline, fault: Fault) -> tuple[Detection, Overseer]:
    """Return what detects by the detectors of a pipeline, and who is to be started before."""
    steps = [(step, step.component) for step in pipeline.of_kind("detectors")]
    of_logs = [(step, component) for step, component in steps if isinstance(component, LogDetector)]

    def tell(owner: int, text: str) -> None:
        name = of_logs[owner][0].name
        fault(f"detector {name}: PluginBroken", f"detector {name}: {text}. Its lines are counted unread")

    overseer = Overseer([_seconds_of(step) for step, _ in of_logs], tell)

    def detect(owner: int, claim: Claim) -> object:
        return overseer.call(owner, "detect", lambda: of_logs[owner][0].call("detect", block=claim.block))

    detection = Detection(
        [(step.name, detector) for step, detector in of_logs],
        detect=detect,
        call=overseer.call,
        fault=_seldom(fault),
        grouping=pipeline.config.grouping,
        zone=pipeline.config.zone,
    )
    return detection, overseer


def _seldom(fault: Fault) -> Fault:
    """Tell of each cause once in a while: who fails at each line costs the others no write for each."""
    told: dict[str, float] = {}

    def tell(cause: str, text: str) -> None:
        now = time.monotonic()
        if now - told.get(cause, -_AGAIN) >= _AGAIN:
            told[cause] = now
            fault(cause, text)

    return tell


def _seconds_of(step: Step) -> float | None:
    """Return how long a call of a detector may take, None for one that has a process of its own."""
    if step.is_apart:
        return None
    return _DETECTING if step.limits.time is None else step.limits.time.total_seconds()
