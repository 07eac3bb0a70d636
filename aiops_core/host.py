"""One pipeline's plugin manager, and the check that it can call a component."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from aiops_core.claims import Claim
from aiops_core.component import KINDS, Component, LogDetector, Source
from aiops_core.config import Config
from aiops_core.context import Context
from aiops_core.errors import AiopsError, UserError, is_interrupt
from aiops_core.handover import named
from aiops_core.hooks import PROJECT, Observers, Stages
from aiops_core.text.carriers import PIECES
from aiops_core.text.matcher import compile_trigger, is_compiled

HOOKS: Mapping[str, frozenset[str]] = {
    "sources": frozenset({"source", "committed"}),
    "detectors": frozenset({"detect"}),
    "analyzers": frozenset({"analyze"}),
    "actions": frozenset({"plan", "act", "follow", "remark"}),
    "notifiers": frozenset({"notify"}),
    "extensions": frozenset(name for name in vars(Observers) if not name.startswith("_")),
}
_SPECS: Mapping[str, Callable[..., object]] = {
    name: spec for of in (Stages, Observers) for name, spec in vars(of).items() if not name.startswith("_")
}

_MARK = f"{PROJECT}_impl"
"""Attribute of a function that ``hookimpl`` marks."""


class Host(pluggy.PluginManager):
    """One pipeline's plugin manager: the stage method of a component is the implementation."""

    def __init__(self) -> None:
        super().__init__(PROJECT)
        self.add_hookspecs(Stages)
        self.add_hookspecs(Observers)

    def parse_hookspec_opts(
        self, module_or_class: ModuleType | type, name: str
    ) -> pluggy.HookspecOpts | None:
        return None if name.startswith("__") else super().parse_hookspec_opts(module_or_class, name)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        if name.startswith("__") or (isinstance(plugin, Component) and _is_no_hook(plugin, name)):
            return None
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


def _is_no_hook(component: Component[Any], name: str) -> bool:
    """Return whether it is plain that nothing under this name is a hook: pluggy looks closer, which costs more."""
    if name in _SPECS or name in vars(component):
        return False
    found = next((vars(kind)[name] for kind in type(component).__mro__ if name in vars(kind)), None)
    return not hasattr(found, _MARK)


def make_component(kind: type[Component[Any]], config: Config, context: Context) -> Component[Any]:
    """Create a component; raise UserError for one that cannot be created, or that nothing can call."""
    try:
        component = kind(config, context)
    except AiopsError:
        raise
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise UserError(
            f"{raised_at(error, kind) or _place(vars(kind).get('__init__'))}{kind.__name__}(config, context) raised "
            f"{type(error).__name__}: {error}. Mend it"
        ) from error
    if isinstance(component, LogDetector):
        _check_detector(component)
    _check_methods(component)
    return component


def check_component(component: Component[Any]) -> None:
    """Let a component look at what its settings name; raise UserError for what cannot work."""
    _asked(component, "check")


def claims_of(component: Component[Any]) -> Sequence[Claim]:
    """Return what only one source can have and this one wants; raise UserError where it cannot say."""
    return tuple(_asked(component, "claims")) if isinstance(component, Source) else ()


def _asked(component: Component[Any], method: str) -> Any:  # Any: each has its own type
    """Return what a method without effect gives; raise UserError for what it raises."""
    kind = type(component)
    try:
        return getattr(component, method)()
    except AiopsError as error:
        raise UserError(str(error)) from None
    except BaseException as error:
        if is_interrupt(error):
            raise
        raised = f"{kind.__name__}.{method}() raised {type(error).__name__}: {error}"
        raise UserError(f"{raised_at(error, kind)}{raised}. Mend it") from error


def default_config(kind: type[Component[Any]]) -> Config | None:
    """Return the settings of a step that gives none, None where the component cannot do without."""
    try:
        config: Config = kind.config_type()
    except ValueError:
        return None
    return config


def check_class(kind: type[Component[Any]]) -> None:
    """Refuse a class with hooks that nobody can call, whatever its settings; raise UserError."""
    _check_methods(object.__new__(kind))


def _check_detector(detector: LogDetector[Any]) -> None:
    """Refuse attributes with which no line can be found or cut."""
    triggers: object = detector.triggers
    if isinstance(triggers, str) or not isinstance(triggers, Iterable):
        raise UserError(f"triggers are {named(triggers)}. Write a tuple of patterns, as in ('^!!E',)")
    if not triggers:
        raise UserError("no triggers: a detector needs at least one to be called")
    for trigger in triggers:
        if not isinstance(trigger, str):
            raise UserError(f"a trigger is {named(trigger)}. Write a regular expression as text")
    if detector.rank not in ("trace", "line"):
        raise UserError(f"rank is {named(detector.rank)}. Write 'trace' or 'line'")
    try:
        re.compile(detector.continues or "")
    except (re.error, TypeError) as error:
        raise UserError(f"continues {detector.continues!r}: {error}. Write a regular expression") from None


def _check_methods(component: Component[Any]) -> None:
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
    if is_compiled([*(trigger for detector in detectors for trigger in detector.triggers), *PIECES]):
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
    if not callable(method):
        raise UserError(f"{name} is {named(method)}, and cannot be called. Write 'def {name}'")
    wanted = list(inspect.signature(_SPECS[name]).parameters)[1:]
    taken = _signature(method)
    parameters = taken.parameters.values() if taken else ()
    needed = [one for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    positional = [one.name for one in needed if one.kind is one.POSITIONAL_OR_KEYWORD]
    has_default = any(one.name in wanted and one not in needed for one in parameters)
    is_whole = set(wanted) <= set(positional) or not is_own
    if inspect.iscoroutinefunction(method):
        raise UserError(
            f"{_place(method)}{name}() is async, and nobody awaits it. Write a plain 'def {name}'"
        )
    is_fitting = set(positional) <= set(wanted) and len(positional) == len(needed) and not has_default
    if taken is None or not is_fitting or not is_whole:
        written = _signature(getattr(method, "__func__", method))  # with self, as its author knows it
        raise UserError(
            f"{_place(method)}{name}{written or ''} is not how it is called. "
            f"Write 'def {name}({', '.join(['self', *wanted])})'"
        )


def _signature(method: Callable[..., object]) -> inspect.Signature | None:
    """Return what a method takes; None when that is not known, or it does not even take self."""
    try:
        return inspect.signature(method)
    except ValueError:
        return None


def raised_at(error: BaseException, kind: type) -> str:
    """Return the line of the component's own file that raised, as the start of a message; "" where none did."""
    source = getattr(sys.modules.get(kind.__module__), "__file__", None)
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename == source]
    if frames:
        return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}: "
    return ""


def _place(method: object) -> str:
    code = getattr(inspect.unwrap(method) if callable(method) else None, "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}: " if code is not None else ""
