"""Import components, each in a process that knows the core and nothing of the others, and say what that takes."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

_PROGRAM = """\
import importlib, importlib.util, json, os, sys, time

attempts = []

def refuse(event, arguments):
    if event in ("socket.__new__", "socket.gethostname"):
        return
    if event.startswith("socket."):
        attempts.append(event)  # an import may swallow what is raised
        raise OSError("an import reached for the network")

def load(target):
    if target.endswith(".py"):
        spec = importlib.util.spec_from_file_location("component_under_test", target)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    else:
        importlib.import_module(target)

def say(**words):
    os.write(told, json.dumps(words).encode() + b"\\n")

told = os.dup(1)
os.dup2(2, 1)
began = time.process_time()
import aiops_core
for name in aiops_core.__all__:
    getattr(aiops_core, name)
core = time.process_time() - began
for line in sys.stdin:
    target, sys.path[:] = json.loads(line)
    if child := os.fork():
        os.waitpid(child, 0)
        say(over=True)
        continue
    try:
        sys.addaudithook(refuse)
        began, since = time.process_time(), time.monotonic()
        load(target)
        own, whole = time.process_time() - began, time.monotonic() - since
        say(core=core, own=own, whole=whole)
    except BaseException as error:
        say(wrong=f"{type(error).__name__}: {error}")
    finally:
        if attempts:
            say(wrong=f"an import reached for the network with {attempts[0]}")
        os._exit(0)
"""


class NotImported(Exception):
    """Say why a component cannot be imported by itself."""


@dataclass(frozen=True, slots=True)
class Took:
    """CPU seconds of an import: those of the core, and those of the component; and how long that was."""

    core: float
    own: float
    whole: float

    @property
    def has_waited(self) -> bool:
        """Whether it took far longer than it computed, even for a busy machine."""
        return self.whole > 1 + 5 * self.own


def import_alone(target: str, paths: Sequence[str]) -> Took:
    """Return what importing a module, or a file that ends in ``.py``, takes; raise NotImported."""
    process = _process()
    if process.stdin is None or process.stdout is None:
        raise NotImported("no process could be begun for it")
    process.stdin.write(json.dumps([target, list(paths)]) + "\n")
    process.stdin.flush()
    said: dict[str, float | str] = {"wrong": "it ended without a word"}
    while "over" not in (word := json.loads(process.stdout.readline() or '{"over": true}')):
        said = word
    if "wrong" in said:
        raise NotImported(str(said["wrong"]))
    return Took(float(said["core"]), float(said["own"]), float(said["whole"]))


@cache
def _process() -> subprocess.Popen[str]:
    """Begin the process that imports the core once, and forks: that is what takes long."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    with process:  # closes its pipes and waits
        pass
