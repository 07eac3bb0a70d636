"""What is installed: components listed from entry-point metadata, imported only when used."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.metadata import Distribution, EntryPoint, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from aiops_core.errors import NotInstalled, PluginBroken, is_interrupt
from aiops_core.importing import outlived
from aiops_core.mistakes import near

if TYPE_CHECKING:  # a list of what is installed needs no models of settings
    from aiops_core.component import Component

CORE = "aiops-core"
_OURS = re.compile(r"\s*aiops[-_.]+core", re.IGNORECASE)
"""How a requirement may spell the name; only such a one is parsed, which takes an import."""
_NAME = re.compile(r"\w[\w.-]*\b")  # of a requirement, whatever follows
_KINDS = ("sources", "detectors", "analyzers", "actions", "notifiers", "extensions", "commands")


class Entry(Struct, frozen=True):
    """One installed component, not yet imported."""

    kind: str
    name: str
    distribution: str
    version: str
    target: str
    entry_point: EntryPoint

    def load(self) -> type[Component[Any]]:
        """Import the class; raise PluginBroken naming distribution and reason."""
        return _of_kind(self.imported(), self.kind, self.label)

    def imported(self) -> object:
        """Import whatever the entry point names, a command too; raise PluginBroken when that fails."""
        if self.unfit:
            raise PluginBroken(f"{self.label}: {self.unfit}")
        try:
            with outlived():
                return self.entry_point.load()
        except BaseException as error:
            if is_interrupt(error):
                raise
            raise PluginBroken(
                f"{self.label}: cannot be imported: {type(error).__name__}: {error}. "
                f"Reinstall or upgrade {self.distribution}, or tell its authors"
            ) from error

    @property
    def unfit(self) -> str:
        """Why it does not go with this aiops-core, by its own requirements; "" when it does."""
        distribution = self.entry_point.dist
        if distribution is None or self.distribution == CORE:
            return ""
        return _unfit(distribution, self.distribution)

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.kind[:-1]} '{self.name}' of {self.distribution} {self.version}"


class Catalogue:
    """The components and commands of this installation.

    ``discovers`` False leaves what others installed to those who name it: a pipeline that names no
    detector has those of aiops-core then.
    """

    def __init__(self, *, discovers: bool = True) -> None:
        self._discovers = discovers

    @cached_property
    def entries(self) -> Mapping[tuple[str, str], tuple[Entry, ...]]:
        """Every entry by (kind, name); more than one when two distributions claim a name."""
        found: dict[tuple[str, str], dict[str, Entry]] = {}
        points, about = entry_points(), cache(_about)
        for kind in _KINDS:
            for point in points.select(group=f"aiops.{kind}"):
                distribution, version = about(point.dist)
                entry = Entry(kind, point.name, distribution, version, point.value, point)
                found.setdefault((kind, point.name), {})[distribution] = entry
        return {key: tuple(entries.values()) for key, entries in sorted(found.items())}

    def names(self, kind: str) -> list[str]:
        """Return the installed names of one kind."""
        return [name for of_kind, name in self.entries if of_kind == kind]

    def unnamed_detectors(self) -> list[str]:
        """Return the detectors of a pipeline that names none."""
        return [
            name
            for name in self.names("detectors")
            if self._discovers or self.entries["detectors", name][0].distribution == CORE
        ]

    def find(self, kind: str, name: str) -> Entry:
        """Return the entry of one component; raise NotInstalled or PluginBroken."""
        entries = self.entries.get((kind, name), ())
        if not entries:
            raise NotInstalled(f"not installed. {near(name, self.names(kind))}")
        if len(entries) > 1:
            owners = " and ".join(entry.distribution for entry in entries)
            raise PluginBroken(f"{kind[:-1]} '{name}' is provided by {owners}. Uninstall one of them")
        return entries[0]

    def load(self, kind: str, uses: str, directory: Path) -> type[Component[Any]]:
        """Import the class behind ``uses``: an installed name or ``./file.py:Class``."""
        if ":" in uses and uses.partition(":")[0].endswith(".py"):
            return load_file(kind, uses, directory)
        return self.find(kind, uses).load()


def _about(distribution: Distribution | None) -> tuple[str, str]:
    """Return name and version, for which a file is read every time."""
    return (distribution.name, distribution.version) if distribution else ("unknown", "")


def _unfit(distribution: Distribution, name: str) -> str:
    lines = [line for line in distribution.requires or () if _OURS.match(line)]
    if not lines:
        return ""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    present = version(CORE)

    for line in lines:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            if canonicalize_name(_NAME.findall(line)[0]) == CORE:
                return f"requires {line!r}, which cannot be read. Upgrade {name}, or tell its authors"
            continue
        if canonicalize_name(wanted.name) != CORE or (
            wanted.marker and not wanted.marker.evaluate({"extra": ""})
        ):
            continue
        if not wanted.specifier.contains(present, prereleases=True):
            return f"needs {CORE}{wanted.specifier}, this is {present}. Upgrade {name} or {CORE}"
    return ""


def load_file(kind: str, uses: str, directory: Path) -> type[Component[Any]]:
    """Import a component from a single file beside the pipeline file."""
    name, _, class_name = uses.partition(":")
    path = (directory / name).resolve()
    if not path.is_file():
        raise NotInstalled(f"{name}: no such file. The path starts at the pipeline file")
    module_name = f"_aiops_local_{path.stem}_{abs(hash(str(path))):x}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise PluginBroken(f"{name}: no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        with outlived():
            spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[module_name]
        if is_interrupt(error):
            raise
        line = _line_in(error, path)
        raise PluginBroken(f"{name}{line}: {type(error).__name__}: {error}. Mend the file") from error
    if not hasattr(module, class_name):
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise NotInstalled(f"{name} has no class '{class_name}'. {near(class_name, classes)}")
    return _of_kind(getattr(module, class_name), kind, uses)


def _line_in(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f":{error.lineno}"
    trace, line = error.__traceback__, ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = f":{trace.tb_lineno}"
        trace = trace.tb_next
    return line


def _of_kind(loaded: object, kind: str, label: str) -> type[Component[Any]]:
    from aiops_core.component import KINDS

    base = KINDS[kind]
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        wrong = f"{label}: {loaded!r} is no subclass of aiops_core.{base.__name__}"
        raise PluginBroken(f"{wrong}. {_instead(loaded, kind)}")
    missing = sorted(getattr(loaded, "__abstractmethods__", ()))
    if missing:
        raise PluginBroken(
            f"{label}: {loaded.__name__} does not define {', '.join(missing)}(). Write what is missing"
        )
    return loaded


def _instead(loaded: object, kind: str) -> str:
    from aiops_core.component import KINDS

    for other, base in KINDS.items():
        if isinstance(loaded, type) and issubclass(loaded, base):
            return f"It belongs under {other}, not under {kind}"
    return f"Name a class that is one under {kind}"
