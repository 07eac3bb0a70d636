"""Look at the component that is ordered, and say what the host has to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from aiops_core import document
from aiops_core.catalogue import Catalogue
from aiops_core.component import Action, Analyzer, Component, LogDetector, Notifier, Source
from aiops_core.context import Context
from aiops_core.document import Place, Resolved, Text
from aiops_core.errors import AiopsError, Problem, UserError
from aiops_core.host import check_component, make_component
from aiops_core.isolation.terms import Mistake, Order, Terms, at_place
from aiops_core.settings import Config


class Wrong(Exception):
    """Carry what is wrong with an order."""

    def __init__(self, *mistakes: Mistake) -> None:
        self.mistakes = mistakes
        super().__init__()


@dataclass(slots=True)
class _Noted(Text):
    """Collect what is wrong with settings, for the host to say where in its file."""

    found: list[Mistake] = field(default_factory=list)

    def problem(self, place: Place, message: str, *, where: str | None = None) -> None:
        self.problems.append(Problem("", 0, 0, "", message))
        self.found.append(Mistake("with", tuple(place), message, where))


def checked(order: Order) -> tuple[type[Component[Any]], Config]:
    """Return the class that is ordered, and its settings; raise Wrong for what does not fit."""
    settings = dict(order.settings)
    for place in order.resolved:
        settings = at_place(settings, place, Resolved)
    try:
        kind = Catalogue().load(order.kind, order.uses, Path(order.directory))
    except AiopsError as error:
        raise Wrong(Mistake("uses", (), str(error), order.label)) from None
    text = _Noted(Path("settings"), empty=dict(order.empty))
    config = document.check(kind.config_type, settings, text, (), where=order.label)
    if text.found or not isinstance(config, Config):
        raise Wrong(*text.found)
    return kind, config


def describe(order: Order, context: Context) -> Terms:
    """Return what the host has to know, mistakes among it."""
    try:
        kind, config = checked(order)
        component = make_component(kind, config, context)
        if not component.is_isolable:
            raise UserError(f"{kind.__name__} does more than 'isolation: process' can carry. Leave that out")
        if order.is_thorough:
            check_component(component)
        return terms_of(component)
    except Wrong as wrong:
        return Terms(wrong.mistakes)
    except UserError as error:
        return Terms((Mistake("with", (), str(error), order.label),))


def terms_of(component: Component[Any]) -> Terms:
    """Return what the host has to know of a component."""
    kind = type(component)
    timeout = getattr(component.config, "timeout", None)
    terms = Terms(
        timeout=timeout.total_seconds() if isinstance(timeout, timedelta) else None,
        is_silent=kind.probe is Component.probe and kind.problem is Component.problem,
    )
    for base, of_kind in _OF_KIND:
        if isinstance(component, base):
            return of_kind(component, terms)
    return terms


def _of_source(source: Source[Any], terms: Terms) -> Terms:
    places = tuple(map(str, source.places()))
    absent = tuple(source.absent())
    terms = replace(terms, places=places, absent=absent, claims=tuple(source.claims()))
    return replace(terms, resumes=source.resumes, checks_senders=source.checks_senders)


def _of_detector(detector: LogDetector[Any], terms: Terms) -> Terms:
    return replace(
        terms,
        triggers=tuple(detector.triggers),
        is_trace=detector.rank == "trace",
        reads_numbers=detector.reads_numbers,
        cuts=type(detector).cut is not LogDetector.cut or detector.continues is not None,
    )


def _of_notifier(notifier: Notifier[Any], terms: Terms) -> Terms:
    return replace(
        terms,
        attempts=notifier.attempts,
        retry_after=notifier.retry_after,
        takes_digests=notifier.takes_digests,
    )


_OF_KIND: tuple[tuple[type, Callable[[Any, Terms], Terms]], ...] = (  # Any: of the kind beside it
    (Source, _of_source),
    (LogDetector, _of_detector),
    (Analyzer, lambda one, terms: replace(terms, is_agent=one.is_agent, is_offline=one.is_offline)),
    (Action, lambda one, terms: replace(terms, reaches=one.reaches)),
    (Notifier, _of_notifier),
)
