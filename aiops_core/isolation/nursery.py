"""The process that the processes of components are forked from: the core is imported once, a start costs little."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping

from aiops_core.errors import AiopsError
from aiops_core.records import Json

_LONGEST = 4096
_BEGIN = 60.0
"""Seconds within which the nursery has imported the core, and forks."""
_PROGRAM = "from aiops_core.isolation.forking import main; main()"
_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "TERM", "VIRTUAL_ENV", "COLUMNS")
_PASSED_ON_ALL = ("LC_", "PYTHON", "SSL_", "XDG_")


class Born:
    """One process that was forked: its end is known as soon as it ended."""

    def __init__(self, cradle: _Cradle, number: int) -> None:
        self._cradle = cradle
        self._number = number
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._code = 0
        self.pid = 0

    def kill(self) -> None:
        """End it at once."""
        self._cradle.say({"kill": self._number})

    def wait(self, seconds: float | None = None) -> int | None:
        """Return its exit code, negative for a signal, or None where it has not ended in time."""
        return self._code if self._ended.wait(seconds) else None

    def wait_until_begun(self) -> None:
        """Wait until there is a process; raise AiopsError where there is none."""
        if not self._begun.wait(_BEGIN) or not self.pid:
            raise AiopsError("no process could be begun for it. Look for memory and processes left")

    def heard(self, said: Mapping[str, Json]) -> None:
        """Take what the nursery says of it."""
        if "pid" in said:
            self.pid = int(said["pid"])
        else:
            self._code = int(said["code"])
            self._ended.set()
        self._begun.set()


class Nursery:
    """Begin processes; where the one they are forked from is gone, there is another one with the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cradle: _Cradle | None = None

    def begin(self, pipe: socket.socket, errors: int) -> Born:
        """Fork a process that has one end of a pipe and a descriptor for what it writes; raise AiopsError."""
        with self._lock:
            if self._cradle is None or self._cradle.is_gone:
                self._cradle = _Cradle()
            return self._cradle.begin(pipe, errors)

    def __del__(self) -> None:
        if self._cradle is not None:
            self._cradle.close()


class _Cradle:
    """The process itself, and the thread that hears what becomes of its children."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._born: dict[int, Born] = {}
        self._count = 0
        self.is_gone = False
        self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        begun = threading.Event()
        # The kernel ends the process with the thread that began it: that one stays until the pipe closes.
        threading.Thread(target=self._live, args=(theirs, begun), name="nursery", daemon=True).start()
        begun.wait()

    def begin(self, pipe: socket.socket, errors: int) -> Born:
        with self._lock:
            self._count += 1
            born = self._born[self._count] = Born(self, self._count)
        said = json.dumps({"begin": self._count}).encode()
        try:
            socket.send_fds(self._end, [said], [pipe.fileno(), errors])
        except OSError:
            self._all_ended()
        return born

    def say(self, said: Mapping[str, Json]) -> None:
        try:
            self._end.send(json.dumps(said).encode())
        except OSError:
            return

    def close(self) -> None:
        """Let it end, and all it forked with it."""
        try:
            self._end.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _live(self, theirs: socket.socket, begun: threading.Event) -> None:
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                env=_environment(),
            )
        finally:
            theirs.close()
            begun.set()
        try:
            while said := self._end.recv(_LONGEST):
                self._sort(json.loads(said))
        except OSError:
            process.kill()
        self._all_ended()
        self._end.close()
        process.wait()

    def _sort(self, said: Mapping[str, Json]) -> None:
        with self._lock:
            born = self._born.get(said["of"])
            if "code" in said:
                self._born.pop(said["of"], None)
        if born is not None:
            born.heard(said)

    def _all_ended(self) -> None:
        """Say of each that it ended: none outlives what it was forked from."""
        self.is_gone = True
        with self._lock:
            born, self._born = list(self._born.values()), {}
        for each in born:
            each.heard({"code": -signal.SIGKILL})


def _environment() -> dict[str, str]:
    """Return what a component may know of the environment: no keys, which it gets by its settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_ALL) or name.lower().endswith("_proxy")
    }
