"""What is asked of every component, whatever its kind."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence, MutableSet
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from aiops_core.component import Component, LogDetector
from aiops_core.config import Config
from aiops_core.documented import meanings
from aiops_core.errors import AiopsError, UserError
from aiops_core.host import check_triggers
from aiops_core.pipeline import load
from aiops_core.testing.contracts.bench import Trial, junk, usual
from aiops_core.testing.contracts.importing import NotImported, import_alone
from aiops_core.testing.contracts.secrets import models_in, secrets_in
from aiops_core.testing.contracts.work import work

_SLOWEST_IMPORT = 0.3
"""CPU seconds that importing a component may take, the core not counted."""
_OF_THE_CORE = 0.6
"""As much of what the core takes where that is more: the machine is busy or slow then."""
_REFERENCE = re.compile(r"\$\{\w+:[^}]*\}")
_MUTABLE = (MutableMapping, MutableSequence, MutableSet)
_DATA = (*_MUTABLE, bool, int, float, str, bytes, tuple, frozenset, type(None))
"""What a module or class may keep; no modules, functions and classes, which are loaded on use."""


def every_setting_is_documented(trial: Trial) -> None:
    """Each setting, nested ones too, has a sentence under its field."""
    bare = [name for name, text in _settings(trial.component.config_type, "") if not text.endswith(".")]
    if bare:
        trial.fail(f"{', '.join(bare)}: no sentence under the field. Write what it means, with its unit")
    if not (trial.component.__doc__ or "").strip():
        trial.fail('no docstring. Write what it does in one sentence: """Find errors of …"""')


def _settings(config: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    texts = meanings(config)
    for name, info in config.model_fields.items():
        yield prefix + (info.alias or name), texts.get(name, "").strip()
        for _, model in models_in(info.annotation):
            yield from _settings(model, f"{prefix}{name}.")


def the_host_can_call_it(trial: Trial) -> None:
    """Its methods take what the hooks give, and its triggers can be scanned for."""
    try:
        component = trial.make()
    except UserError as error:
        trial.fail(str(error))
    if isinstance(component, LogDetector):
        for _, refusal in check_triggers([component]):
            trial.fail(str(refusal))


def the_example_is_valid(trial: Trial) -> None:
    """``example.yaml`` beside the package is a pipeline file that uses the component."""
    example = trial.example or _beside(trial.component)
    if example is None or not example.is_file():
        trial.fail("no example.yaml beside its package. Write a pipeline that shows it")
        return
    copy = trial.directory / "example"
    copy.mkdir(parents=True)
    for path in example.parent.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
    written = copy / example.name
    written.write_text(_REFERENCE.sub("${env:EXAMPLE}", written.read_text("utf-8")), "utf-8")
    try:
        loaded = load(written, environment={"EXAMPLE": "example"})
    except AiopsError as error:
        trial.fail(f"{example.name} is refused: {error}. Mend it, so that 'aiops check' takes it")
        return
    used = {type(step.component).__qualname__ for one in loaded.pipelines for step in one.steps}
    if trial.component.__qualname__ not in used:
        trial.fail(f"{example.name} does not use it. Let a step be this component")


def _beside(component: type[Component[Any]]) -> Path | None:
    file = Path(inspect.getfile(component)).resolve()
    places = (file.parent / "example.yaml", file.parent.parent / "example.yaml")
    return next((place for place in places if place.is_file()), None)


def it_starts_and_stops_in_any_order(trial: Trial) -> None:
    """``stop`` works before ``start`` and twice; it can be started twice, and again after a stop."""
    component = trial.make()
    for method in ("stop", "start", "start", "stop", "stop", "start", "stop"):
        try:
            getattr(component, method)()
        except Exception as error:  # noqa: BLE001 - told as the author's own mistake
            trial.fail(f"{method}() raised {error!r}. start and stop come in any order, and twice")


def two_instances_share_nothing(trial: Trial) -> None:
    """Nothing that can change is kept by the class, its module, or two instances together."""
    for owner in _own_classes(trial):
        for name, value in vars(owner).items():
            if isinstance(value, _MUTABLE) and not name.startswith("__"):
                trial.fail(
                    f"{name} of the class is a {type(value).__name__}, which all its instances share. "
                    "Make it in __init__, or write a tuple, frozenset or MappingProxyType"
                )
    before = _kept_by_all(trial)
    with trial.started() as one, _another(trial) as other:
        work(trial, one, usual(trial.bench))
        for name, value in vars(one).items():
            if isinstance(value, _MUTABLE) and value is vars(other).get(name):
                trial.fail(f"two instances share {name}. Make it in __init__")
    after = _kept_by_all(trial)
    for place in before.keys() & after.keys():
        for name, text in after[place].items():
            if text != before[place].get(name):
                trial.fail(f"{place}.{name} changed while it worked. Keep what changes in the instance")


def _own_classes(trial: Trial) -> list[type]:
    return [one for one in trial.component.__mro__[:-1] if one.__module__.partition(".")[0] != "aiops_core"]


@contextmanager
def _another(trial: Trial) -> Iterator[Component[Any]]:
    """Start one more, unless it says that there is room for one only."""
    component = trial.make()
    with suppress(UserError):
        component.start()
    try:
        yield component
    finally:
        component.stop()


def _kept_by_all(trial: Trial) -> dict[str, dict[str, str]]:
    """Return what its modules and classes keep, as text."""
    package = trial.component.__module__.partition(".")[0]
    modules = {name: one for name, one in sys.modules.items() if name.partition(".")[0] == package}
    owners = {**modules, **{one.__qualname__: one for one in _own_classes(trial)}}
    return {
        place: {
            name: repr(value)
            for name, value in vars(owner).items()
            if isinstance(value, _DATA) and not name.startswith(("__", "_abc_"))
        }
        for place, owner in owners.items()
    }


def junk_does_not_break_it(trial: Trial) -> None:
    """Control characters, text that is no UTF-8, a megabyte and nothing at all raise no foreign exception."""
    for name, material in junk(trial.bench):
        with trial.started() as component:
            try:
                work(trial, component, material)
            except AssertionError:
                raise
            except Exception as error:  # noqa: BLE001 - told as the author's own mistake
                trial.fail(f"{name} made it raise {error!r}. Take what the world writes as it is")


def what_it_is_given_stays_as_it_was(trial: Trial) -> None:
    """Records are not changed: others are handed the same ones."""
    material = usual(trial.bench)
    before = deepcopy(material)
    with trial.started() as component:
        work(trial, component, material)
    if material != before:
        trial.fail("changed what it was handed. Copy what you change: others see the same record")


def its_secrets_stay_secret(trial: Trial) -> None:
    """No secret setting is in its repr, a log, what it prints, returns or raises, also when the world breaks."""
    usual_one, with_all = trial.config(), trial.config_with_secrets()
    secrets = {*secrets_in(usual_one), *secrets_in(with_all)}
    with trial.overheard():
        said = _said_with(trial, with_all, lambda: None) if with_all != usual_one else []
        said += _said_with(trial, usual_one, trial.bench.spoil)
    for text in (*said, *trial.said):
        for secret in secrets:
            if secret in text:
                trial.fail(f"a secret setting is in {text.replace(secret, '…')[:300]!r}. Take it out")


def _said_with(trial: Trial, config: Config, spoil: Callable[[], None]) -> list[str]:
    with trial.started(config=config) as component:
        said = [repr(component), str(component), repr(component.config), str(component.config)]
        calls = (lambda: work(trial, component, usual(trial.bench)), component.probe, component.check)
        said += [text for call in calls for text in _told(call)]
        spoil()
        said += [text for call in calls for text in _told(call)]
        return [*said, component.problem() or "", repr(component.context)]


def _told(call: Callable[[], object]) -> list[str]:
    try:
        return [repr(call())]
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001 - what it says is looked at
        return [str(error), repr(error), repr(error.__cause__)]


def it_is_imported_fast_and_alone(trial: Trial) -> None:
    """Importing it takes under 0.3 CPU seconds and reaches for no network."""
    module = trial.component.__module__
    target = module if _can_be_found(module) else str(Path(inspect.getfile(trial.component)).resolve())
    paths = [path for path in sys.path if path]
    for is_last in (False, False, True):
        try:
            took = import_alone(target, paths)
        except NotImported as error:
            trial.fail(
                f"cannot be imported by itself: {error}. Import what it needs, reach for nothing outside"
            )
        is_slow = took.own > max(_SLOWEST_IMPORT, _OF_THE_CORE * took.core)
        if not (is_slow or took.has_waited):
            return
        if is_slow and (is_last or took.own > 2 * took.core):
            trial.fail(f"importing {module} takes {took.own:.1f} CPU s. Import heavy libraries on use")
        if is_last:
            trial.fail(f"importing {module} waits {took.whole - took.own:.1f} s. Wait for nothing on import")


def _can_be_found(module: str) -> bool:
    top = module.partition(".")[0]
    return any(finder.find_spec(top, None) is not None for finder in sys.meta_path)
