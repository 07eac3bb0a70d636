"""Import what is installed, each component in a process of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from aiops_core.catalogue import Catalogue, Entry
    from aiops_core.component import Component

_LONGEST = 60.0
"""Seconds that one import may take."""
_PROGRAM = "from aiops_core.cli.imports import main; main()"
_MOST_SAID = 1 << 15


def import_all() -> Iterator[tuple[str, str, str]]:
    """Yield kind and name of all that is installed, and what is wrong with it, "" for nothing."""
    command = [sys.executable, "-c", _PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for line in process.stdout or ():
            kind, name, wrong = json.loads(line)
            yield kind, name, wrong


def usable(entry: Entry) -> type[Component[Any]]:
    """Import a component and return its class; raise PluginBroken for one that no pipeline could use.

    A detector that needs no settings is made, as every pipeline that names none does.
    """
    from aiops_core.component import Detector, LogDetector
    from aiops_core.context import Context
    from aiops_core.errors import PluginBroken, UserError
    from aiops_core.host import check_class, check_triggers, default_config, make_component

    kind = entry.load()
    try:
        check_class(kind)
        config = default_config(kind) if issubclass(kind, Detector) else None
        detector = make_component(kind, config, Context(name=entry.name)) if config is not None else None
        for _, wrong in check_triggers([detector]) if isinstance(detector, LogDetector) else ():
            raise wrong
    except UserError as error:
        raise PluginBroken(f"{entry.label}: {error}") from None
    return kind


def main() -> None:
    """Import the core once and fork for each component, which sees nothing of the others."""
    import aiops_core.component  # noqa: F401 - what every component imports
    from aiops_core.catalogue import Catalogue

    catalogue, out = Catalogue(), os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):  # what an import reads or writes is not for the terminal
        os.dup2(nowhere, descriptor)
    for kind, name in catalogue.entries:
        out.write(json.dumps([kind, name, _wrong_with(catalogue, kind, name)]) + "\n")
        out.flush()


def _wrong_with(catalogue: Catalogue, kind: str, name: str) -> str:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _import(catalogue, kind, name, theirs)
    os.close(theirs)
    is_in_time = bool(select.select([ours], [], [], _LONGEST)[0])
    said = os.read(ours, _MOST_SAID) if is_in_time else b""
    os.close(ours)
    os.kill(child, signal.SIGKILL)  # it said all, or never will
    _, status = os.waitpid(child, 0)
    if said:
        return said.decode().strip()
    if not is_in_time:
        return f"its import took longer than {_LONGEST:g} s"
    code = os.waitstatus_to_exitcode(status)
    how = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
    return f"its import ended its process {how}"


def _import(catalogue: Catalogue, kind: str, name: str, told: int) -> NoReturn:
    from aiops_core.errors import AiopsError

    wrong = "it cannot be looked at"
    try:
        entry = catalogue.find(kind, name)
        entry.imported() if kind == "commands" else usable(entry)
        wrong = " "
    except AiopsError as error:
        wrong = str(error)
    finally:
        os.write(told, wrong.encode("utf-8", "replace")[:_MOST_SAID])
        os._exit(0)
