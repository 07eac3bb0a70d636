"""Run a command until it ends, or until a limit ends it with everything it started."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from aiops_core.repair.disk import free_space, space_taken
from aiops_core.repair.family import children, descendants, kill, own_tasks, process_count, resident

Stopped: TypeAlias = Literal["", "timeout", "output", "processes", "memory", "written", "disk"]
_SUPERVISOR = Path(__file__).with_name("_supervisor.py")
_TICK = 0.1
_CHUNK = 1 << 16
_HEAD = 1 << 16
_KEEP_FREE = 1 << 30
_KILL_ROUNDS = 50
_GRACE = 5.0
_KILLED = 137
_OTHERS = 1024


class Limits(Struct, frozen=True):
    """What one command may use; sizes in bytes."""

    seconds: float
    memory: int = 4 << 30
    """Of one process, and resident of all of them together."""
    processes: int = 512
    file_size: int = 1 << 30
    written: int = 8 << 30
    """Left on the disk, in all the directories it may write to."""
    open_files: int = 4096
    output: int = 1 << 20
    """Kept, from the end; what is printed before is dropped."""
    printed: int = 64 << 20
    """Printed in all, before the command is ended."""


class Result(Struct, frozen=True):
    """How a command ended; ``stopped`` names the limit that ended it."""

    exit_code: int
    seconds: float
    output: str
    stopped: Stopped = ""


def run_limited(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    limits: Limits,
    writable: Sequence[Path] = (),
) -> Result:
    """Run a program in a session of its own with the environment given; return how it ended.

    ``writable`` are the directories whose growth is limited. Afterwards none of its descendants is alive, daemons included.
    """
    rlimits = ",".join(f"{name}={value}" for name, value in _rlimits(limits).items())
    supervised = [sys.executable, "-I", "-S", str(_SUPERVISOR), rlimits, *argv]
    started = time.monotonic()
    with subprocess.Popen(
        supervised,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        watch = _Watch(process, cwd, limits, writable)
        try:
            stopped = watch.until_end(started + limits.seconds)
        finally:
            _end(process)
        watch.drain()
    code = _KILLED if stopped else process.returncode
    return Result(code, time.monotonic() - started, watch.output(), stopped)


def _rlimits(limits: Limits) -> dict[str, int]:
    return {
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": int(limits.seconds * 2) + 5,
        "RLIMIT_DATA": limits.memory,  # not RLIMIT_AS: runtimes reserve far more than they use
        "RLIMIT_FSIZE": limits.file_size,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_NPROC": limits.processes + own_tasks(),  # counted for the user, not for the command
    }


class _Watch:
    """Read what a process prints and look after its limits."""

    def __init__(
        self, process: subprocess.Popen[bytes], cwd: Path, limits: Limits, writable: Sequence[Path]
    ) -> None:
        assert process.stdout is not None
        self._process = process
        self._pipe = process.stdout.fileno()
        self._cwd = cwd
        self._limits = limits
        self._head = b""
        self._tail = bytearray()
        self._printed = 0
        self._crowd = process_count()
        self._writable = writable
        self._free = free_space(cwd)
        self._may_fill_disk = self._free < _KEEP_FREE
        os.set_blocking(self._pipe, False)

    def until_end(self, deadline: float) -> Stopped:
        checked = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            while self._process.poll() is None:
                now = time.monotonic()
                if now >= deadline:
                    return "timeout"
                if selector.select(min(_TICK, deadline - now)) and not self._read():
                    selector.unregister(self._pipe)
                    return self._wait(deadline)
                if self._printed > self._limits.printed:
                    return "output"
                if now - checked > _TICK:
                    checked = now
                    if stopped := self._exceeded():
                        return stopped
        return ""

    def drain(self) -> None:
        while self._read():
            pass

    def output(self) -> str:
        dropped = self._printed - len(self._head) - len(self._tail)
        gap = f"\n[{dropped} bytes dropped]\n".encode() if dropped > 0 else b""
        return (self._head + gap + bytes(self._tail)).decode("utf-8", "replace")

    def _wait(self, deadline: float) -> Stopped:
        """Wait for a process that closed its output but goes on."""
        while time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(min(_TICK, deadline - time.monotonic()))
                return ""
            if stopped := self._exceeded():
                return stopped
        return "timeout"

    def _read(self) -> bool:
        try:
            chunk = os.read(self._pipe, _CHUNK)
        except BlockingIOError:
            return self._process.poll() is None
        self._printed += len(chunk)
        room = _HEAD - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:] if room > 0 else chunk
        if len(self._tail) > 2 * self._limits.output:
            del self._tail[: len(self._tail) - self._limits.output]
        return bool(chunk)

    def _exceeded(self) -> Stopped:
        if process_count() - self._crowd > self._limits.processes + _OTHERS:
            return "processes"  # so many that a closer look would take too long
        family = descendants(self._process.pid)
        if len(family) > self._limits.processes:
            return "processes"
        if sum(map(resident, family)) > self._limits.memory:
            return "memory"
        free = free_space(self._cwd)
        if not self._may_fill_disk and free < _KEEP_FREE:
            return "disk"
        if self._free - free > self._limits.written:  # whoever wrote it: a closer look takes time
            self._free = free
            if space_taken(self._writable) > self._limits.written:
                return "written"
        return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill every descendant, then the process; look again until none is left."""
    if process.poll() is not None:
        return  # the supervisor has ended what its command left behind
    for top in children(process.pid):
        kill(-top)  # most of them at a stroke: a fork bomb leaves no time for more
        kill(top)
    for _ in range(_KILL_ROUNDS):
        family = descendants(process.pid)
        if not family:
            break
        for pid in family:
            kill(pid)
        time.sleep(0.01)
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
