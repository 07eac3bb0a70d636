"""What stands for records that the disk has damaged: it says so, and allows nothing."""

from __future__ import annotations

from aiops_core.notices import Match
from aiops_core.records import Analysis, Event, Evidence, Json, Report

_CHECK = "'aiops db check' says what else is damaged"
_NUMBERS = {"run": "run", "watch": "incident", "silence": "silence"}
"""Kinds of jobs whose key is their kind and a number, and what that is the number of."""


def damaged_event() -> Event:
    """Return an event nobody can read any more; what follows from it needs a person."""
    said = f"[the stored event is damaged: {_CHECK}]"
    return Event("damaged record", said, severity="error", headline=said, block=said, unauthenticated=True)


def damaged_report() -> Report:
    """Return what is told in place of a message nobody can read any more."""
    text = (
        "What it said cannot be read in the state database any more, for the disk changed it. "
        f"'aiops incidents list' shows what happened, {_CHECK}."
    )
    return Report("", "incident", "", "A message whose record is damaged", text)


def damaged_analysis() -> Analysis:
    """Return an analysis nobody can read any more: it proposes nothing, and nobody is sure of it."""
    return Analysis("", f"[the stored analysis is damaged: {_CHECK}]", "", provable=False, analyzer="none")


def damaged_evidence() -> Evidence:
    """Return evidence nobody can read any more."""
    return Evidence("note", "damaged record", f"[the stored evidence is damaged: {_CHECK}]")


def damaged_match() -> Match:
    """Return conditions that hold for nothing, in place of some nobody can read any more."""
    return Match(fingerprint=["[damaged]"])


def payload_of(kind: str, key: str) -> dict[str, Json]:
    """Return the payload of a job as its key tells it, empty where that does not."""
    rest = key.removeprefix(f"{kind}:")
    if kind in _NUMBERS and rest.isdecimal():
        return {_NUMBERS[kind]: int(rest)}
    if kind == "tend":
        return {"pipeline": rest}
    pipeline, _, target = rest.partition(":")
    return {"pipeline": pipeline, "target": target} if kind == "deliver" and target else {}
