"""aiops reload: let a run read its pipeline file again."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import click

from aiops_core.cli.run import FILE
from aiops_core.errors import AiopsError, UserError

_LONGEST = 120.0


@click.command()
@FILE
def reload(file: Path) -> None:
    """Let the 'aiops run' of a pipeline file read it again, and say how that went.

    The new file is checked first: when anything is wrong with it the old one stays in charge, and
    this ends with 2. What is read, analysed or sent meanwhile goes on; no event is lost or counted
    twice. A pipeline that did not change and reads what cannot be read again (standard input,
    syslog, a command) is left alone; all others are built anew.
    """
    from aiops_core.cli.state import state_directory
    from aiops_core.generation import reload_file
    from aiops_core.pipeline import load

    load(file, is_thorough=True)
    state = state_directory(file, None)
    process = _runner(state)
    path = reload_file(state)
    before = _said(path)
    os.kill(process, signal.SIGHUP)  # a runner has its handler before it holds the directory
    deadline = time.monotonic() + _LONGEST
    while (said := _said(path)) == before or said.get("process") != process:
        if time.monotonic() > deadline or not _is_alive(process):
            raise AiopsError(f"{file}: process {process} gave no answer. Look into its log")
        time.sleep(0.05)
    if said["problem"]:
        raise UserError(f"{said['problem']}\nprocess {process} goes on with the file as it was")
    click.echo(f"{file}: process {process} goes by it now")


def _runner(state: Path) -> int:
    """Return the process that runs; raise UserError when none does, or one on another machine."""
    from aiops_core.store import holder

    found = holder(state)
    if found is None:
        raise UserError(f"{state}: no 'aiops run' is up. Start it, it reads the file as it is")
    if found.get("host") != socket.gethostname():
        raise UserError(f"{state}: is held by a process on {found.get('host')}. Run this command there")
    return int(found["pid"])


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _said(path: Path) -> dict[str, Any]:  # Any: JSON
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
