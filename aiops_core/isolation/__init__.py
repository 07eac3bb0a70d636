"""Components in processes of their own: what they hang, leak, crash or end is their process alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from aiops_core.component import Component
from aiops_core.context import Context
from aiops_core.document import Place, Resolved
from aiops_core.isolation.nursery import Nursery
from aiops_core.isolation.stand_ins import STAND_INS
from aiops_core.isolation.supervised import Supervised
from aiops_core.isolation.terms import Order, Terms, exposed, resolved_in
from aiops_core.isolation.wire import load
from aiops_core.records import Json
from aiops_core.settings import Limits

__all__ = ["Nursery", "Supervised", "Terms", "describe", "isolated", "make_order"]


def make_order(
    kind: str,
    uses: str,
    directory: Path,
    settings: Mapping[str, Json],
    limits: Limits,
    *,
    label: str = "",
    empty: Mapping[Place, str] = MappingProxyType({}),
    is_thorough: bool = False,
) -> Order:
    """Return what a process is to be; ``empty`` names variables that are set to nothing, by their place."""
    return Order(
        kind,
        uses,
        str(directory),
        exposed(settings),
        resolved=tuple(resolved_in(dict(settings), Resolved)),
        empty=tuple(empty.items()),
        label=label,
        memory=limits.memory,
        is_thorough=is_thorough,
    )


def describe(order: Order, context: Context, nursery: Nursery | None = None) -> tuple[Supervised, Terms]:
    """Return the component's process, and what it says of itself; raise AiopsError where it cannot tell."""
    process = Supervised(order, context, nursery or Nursery())
    return process, load(Terms, process.describe())


def isolated(kind: str, process: Supervised, terms: Terms, limits: Limits) -> Component[Json]:
    """Return what stands for the component in its pipeline."""
    return STAND_INS[kind](process, terms, limits)
