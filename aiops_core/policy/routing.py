"""Whom: which notifiers hear of a message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from msgspec import Struct

from aiops_core.notices import Match, Route, When
from aiops_core.policy.matters import Matter, holds_now
from aiops_core.records import Decision


class Target(Struct, frozen=True):
    """A notifier that is told, and the one that is told where it cannot be."""

    name: str
    fallback: str = ""


class Routed(Struct, frozen=True):
    """Who is told, who is told later while nobody acknowledges, and why."""

    targets: tuple[Target, ...]
    chain: tuple[str, ...] = ()
    chain_after: timedelta = timedelta(0)
    decision: Decision | None = None


def routed(
    routes: Sequence[Route], notifiers: Sequence[str], matter: Matter, now: datetime, zone: tzinfo
) -> Routed:
    """Return who is told: of the first route that holds, and of later ones where it passes on.

    Without routes it is every notifier. Nobody is told who is not among ``notifiers``.
    """
    if not routes:
        return Routed(tuple(map(Target, notifiers)))
    taken: list[int] = []
    for number, route in enumerate(routes):
        if holds_now(route.when, matter, now, zone):
            taken.append(number)
            if not route.pass_on:
                break
    if not taken:
        text = (
            f"told to nobody: no route takes a message of kind {matter.kind} and severity {matter.severity}"
        )
        return Routed((), decision=Decision("route", text, setting="routes"))
    targets: dict[str, Target] = {}
    for number in taken:
        for name in (name for name in routes[number].to if name in notifiers):
            targets.setdefault(name, Target(name, _other(routes[number].fallback, name)))
    chained = next((routes[number] for number in taken if routes[number].escalate), None)
    why = " and ".join(f"routes[{number}] ({_said(routes[number])})" for number in taken)
    return Routed(
        tuple(targets.values()),
        tuple(chained.escalate) if chained else (),
        chained.escalate_after if chained else timedelta(0),
        Decision("route", f"told to {', '.join(targets)}: {why}", setting="routes"),
    )


def remarks_on(routes: Sequence[Route], notifiers: Sequence[str]) -> Iterator[str]:
    """Yield what routes leave without effect: those that are never asked, and notifiers that no one names."""
    for number, route in enumerate(routes):
        for earlier, before in enumerate(routes[:number]):
            if not before.pass_on and before.when in (When(), route.when):
                yield f"routes[{number}] is never asked: routes[{earlier}] ({said(before.when)}) takes all it would"
                break
    named = {name for route in routes for name in (*route.to, route.fallback, *route.escalate)}
    for name in notifiers if routes else ():
        if name not in named:
            yield f"{name} is told of nothing but failures that no route takes: no route names it"


def said(match: Match) -> str:
    """Return conditions as people write them, ``everything`` where there are none."""
    found = match.model_dump(mode="json", exclude_defaults=True)
    attributes = found.pop("attributes", {})
    return (
        " ".join(f"{name}={_value(value)}" for name, value in {**found, **attributes}.items()) or "everything"
    )


def _said(route: Route) -> str:
    return said(route.when)


def _value(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _other(fallback: str, name: str) -> str:
    return "" if fallback == name else fallback
