"""The nursery's own process: it imports the core and no plugin, and forks when it is told to."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import json
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from aiops_core.isolation import child
from aiops_core.memory import share_memory

_LONGEST = 4096
_ERRORS = 2
_PR_SET_PDEATHSIG = 1
_PATIENT = 10
"""By how much a component's process gives way to the program, which others wait for."""


class _Forking:
    """Fork, and tell who ended: one thread, since only what that one knows is in a fork."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._children: dict[int, int] = {}
        self._woken, self._wake = socket.socketpair()
        for each in (self._woken, self._wake):
            each.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)

    def run(self) -> None:
        """Do what is told until the program is gone."""
        while True:
            ready, _, _ = select.select([self._end, self._woken], [], [])
            if self._woken in ready:
                self._woken.recv(_LONGEST)
                self._tell_who_ended()
            if self._end in ready:
                said, descriptors, _, _ = socket.recv_fds(self._end, _LONGEST, 2)
                if not said:
                    return
                self._obey(json.loads(said), descriptors)

    def _obey(self, order: dict[str, int], descriptors: list[int]) -> None:
        if "begin" in order:
            self._fork(order["begin"], *descriptors)
            for each in descriptors:
                os.close(each)
        for pid in [pid for pid, number in self._children.items() if number == order.get("kill")]:
            os.kill(pid, signal.SIGKILL)  # who is listed was not waited for: it is no one else

    def _fork(self, number: int, pipe: int, errors: int) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            self._say({"of": number, "code": 1})
            return
        if pid == 0:
            self._become(parent, pipe, errors)
        self._children[pid] = number
        self._say({"of": number, "pid": pid})

    def _become(self, parent: int, pipe: int, errors: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in (self._end, self._woken, self._wake):
                each.close()
            os.dup2(errors, _ERRORS)
            os.close(errors)
            die_with(parent)
            with contextlib.suppress(OSError):  # a hardened unit may forbid it
                os.nice(_PATIENT)
            child.main(pipe)
        finally:
            os._exit(1)

    def _tell_who_ended(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = found
                self._say({"of": self._children.pop(pid), "code": os.waitstatus_to_exitcode(status)})

    def _say(self, said: dict[str, int]) -> None:
        with contextlib.suppress(OSError):  # a program that is gone ends all this soon
            self._end.send(json.dumps(said).encode())


def main() -> NoReturn:
    """Fork whenever the pipe on the given descriptor says so."""
    end, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    faulthandler.enable()
    share_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the program's: it ends the pipe
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gc.freeze()
    try:
        _Forking(socket.socket(fileno=end)).run()
    finally:
        os._exit(0)


def die_with(parent: int) -> None:
    """End when the process that began this one ends, whatever a plugin is doing then."""
    with contextlib.suppress(OSError, AttributeError):  # only Linux has it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
