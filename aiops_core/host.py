"""One pipeline's plugin manager, and the check that it can call a component."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pluggy

from aiops_core.component import KINDS, Component, LogDetector
from aiops_core.errors import UserError
from aiops_core.hooks import PROJECT, Observers, Stages
from aiops_core.text.matcher import compile_trigger, is_compiled

HOOKS: Mapping[str, frozenset[str]] = {
    "sources": frozenset({"source", "committed"}),
    "detectors": frozenset({"detect"}),
    "analyzers": frozenset({"analyze"}),
    "actions": frozenset({"plan", "act", "follow"}),
    "notifiers": frozenset({"notify"}),
    "extensions": frozenset(name for name in vars(Observers) if not name.startswith("_")),
}
_SPECS: Mapping[str, Callable[..., object]] = {
    name: spec for of in (Stages, Observers) for name, spec in vars(of).items() if not name.startswith("_")
}


class Host(pluggy.PluginManager):
    """One pipeline's plugin manager: the stage method of a component is the implementation."""

    def __init__(self) -> None:
        super().__init__(PROJECT)
        self.add_hookspecs(Stages)
        self.add_hookspecs(Observers)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        marked = super().parse_hookimpl_opts(plugin, name)
        if marked is not None or not isinstance(plugin, Component):
            return marked
        if any(name in HOOKS[kind] for kind in _kinds(plugin)):
            return pluggy.HookimplOpts(
                wrapper=False,
                hookwrapper=False,
                optionalhook=False,
                tryfirst=False,
                trylast=False,
                specname=None,
            )
        return None


def check_component(component: Component[Any]) -> None:
    """Raise UserError for methods with which nothing can call a component, or no triggers."""
    if isinstance(component, LogDetector) and not component.triggers:
        raise UserError("no triggers: a detector needs at least one to be called")
    host = Host()
    for name in sorted(name for name in dir(component) if name in _SPECS):
        if host.parse_hookimpl_opts(component, name) is not None:
            is_own = any(kind != "extensions" and name in HOOKS[kind] for kind in _kinds(component))
            _check_method(getattr(component, name), name, is_own=is_own)
    try:
        host.register(component)
        host.check_pending()
    except pluggy.PluginValidationError as error:
        raise UserError(f"{type(component).__name__}: {' '.join(str(error).split())}. Mend it") from None


def check_triggers(detectors: Sequence[LogDetector]) -> Iterator[tuple[int, UserError]]:
    """Yield which of a pipeline's detectors has a trigger that cannot be scanned for, and why."""
    if is_compiled([trigger for detector in detectors for trigger in detector.triggers]):
        return
    for index, detector in enumerate(detectors):
        try:
            for trigger in detector.triggers:
                compile_trigger(0, trigger)
        except UserError as error:
            yield index, error


def _kinds(component: Component[Any]) -> list[str]:
    return [kind for kind, base in KINDS.items() if isinstance(component, base)]


def _check_method(method: Callable[..., object], name: str, *, is_own: bool) -> None:
    """Refuse arguments that nobody passes; a component's own stage takes all there are."""
    wanted = list(inspect.signature(_SPECS[name]).parameters)[1:]
    parameters = inspect.signature(method).parameters.values()
    needed = [one for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    named = [one.name for one in needed if one.kind is one.POSITIONAL_OR_KEYWORD]
    has_default = any(one.name in wanted and one not in needed for one in parameters)
    is_whole = set(wanted) <= set(named) or not is_own
    if inspect.iscoroutinefunction(method):
        raise UserError(
            f"{_place(method)}{name}() is async, and nobody awaits it. Write a plain 'def {name}'"
        )
    if not set(named) <= set(wanted) or len(named) < len(needed) or has_default or not is_whole:
        raise UserError(
            f"{_place(method)}{name}{inspect.signature(method)} is not how it is called. "
            f"Write 'def {name}({', '.join(['self', *wanted])})'"
        )


def _place(method: Callable[..., object]) -> str:
    code = getattr(inspect.unwrap(method), "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}: " if code is not None else ""
