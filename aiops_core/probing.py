"""Reach what pipelines need outside, all at the same time and without any effect there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from aiops_core.component import Component, Source
from aiops_core.errors import AiopsError, is_interrupt
from aiops_core.handover import told
from aiops_core.pipeline import Loaded, Pipeline
from aiops_core.repository import remote_head

PATIENCE = 30.0
"""Seconds within which something outside has to answer."""
KINDS = ("sources", "analyzers", "actions", "notifiers")


class Probe(Struct):
    """One thing outside: where it is written, what was found there, and what is wrong with it."""

    pipeline: str
    name: str
    found: str = ""
    problem: str = ""


def probe(loaded: Loaded, kinds: Collection[str] = KINDS, patience: float = PATIENCE) -> list[Probe]:
    """Return what the steps of these kinds and the repositories reach; those that need nothing are left out."""
    running = [_begun(probe, look) for probe, look in _looks(loaded, kinds)]
    deadline = time.monotonic() + patience
    for probe, thread in running:
        thread.join(max(deadline - time.monotonic(), 0.0))
        if thread.is_alive():
            probe.problem = f"no answer within {patience:g} s"
    return [probe for probe, _ in running if probe.found or probe.problem]


def absences(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    """Yield what sources are to read that is not there or may not be read, with their names; it may come later."""
    remedy = "Correct its settings, or the rights of who runs aiops; else it is read once it is there"
    for step in pipeline.of_kind("sources"):
        for text in cast("Source[Any]", step.component).absent():  # Any: whatever its settings are
            yield f"{pipeline.name}.{step.name}", f"{text}. {remedy}"


def _looks(loaded: Loaded, kinds: Collection[str]) -> Iterator[tuple[Probe, Callable[[], str]]]:
    for pipeline in loaded.pipelines:
        for step in pipeline.steps:
            kind = type(step.component)
            is_silent = kind.probe is Component.probe and kind.problem is Component.problem
            if step.kind in kinds and not is_silent:
                yield Probe(pipeline.name, step.name), step.component.probe
        repository = pipeline.config.repository
        if repository is not None:
            yield Probe(pipeline.name, "repository"), partial(remote_head, repository, Path.cwd())


def _begun(probe: Probe, look: Callable[[], str]) -> tuple[Probe, threading.Thread]:
    thread = threading.Thread(target=_look, args=(probe, look), name=f"probe-{probe.name}", daemon=True)
    thread.start()
    return probe, thread


def _look(probe: Probe, look: Callable[[], str]) -> None:
    try:
        probe.found = look()
    except BaseException as error:
        if is_interrupt(error):
            raise
        probe.problem = str(error) if isinstance(error, AiopsError) else told(error).strip()
