"""Run one command under limits and outlive everything it starts; a program, not a module.

Called as ``python -I -S _supervisor.py LIMITS COMMAND…`` with LIMITS as in
``RLIMIT_CPU=9,RLIMIT_CORE=0``. Imports as little as it can: its start is part of every run. Orphans of
the command become children of this process, so that its descendants are all there is to end.
"""

from __future__ import annotations

import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_CANNOT_START = 126
_NICENESS = 10


def main(arguments: list[str]) -> int:
    """Run the command, end what it left behind, and return its exit code, 128 + n for signal n."""
    limits = dict(limit.split("=") for limit in arguments[0].split(","))
    command = arguments[1:]
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    child = os.fork()
    if child == 0:
        _become(command, limits)
    signal.signal(signal.SIGTERM, lambda *_: _kill(-child))
    status = _wait_for(child)
    _end_children()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become(command: list[str], limits: dict[str, str]) -> None:
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setpgid(0, 0)  # a group that can be ended at a stroke
        os.nice(_NICENESS)  # so that whoever watches gets a turn
        for name, value in limits.items():
            _limit(getattr(resource, name), int(value))
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)  # Python ignores them, and that is inherited
        os.execvp(command[0], command)  # noqa: S606 the command is ours to run
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_CANNOT_START)


def _limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _wait_for(child: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == child:
            return status


def _end_children() -> None:
    """End orphans until none is left; each one ended may hand over its own children."""
    while True:
        for pid in _children():
            _kill(pid)
        try:
            os.wait()
        except ChildProcessError:
            return


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _children() -> list[int]:
    own = os.getpid()
    if not os.path.isdir("/proc"):  # noqa: PTH112 as below
        return []
    return [
        int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit() and _parent(entry) == own
    ]


def _parent(process: os.DirEntry[str]) -> int:
    try:
        with open(f"{process.path}/stat", "rb") as stat:  # noqa: PTH123 pathlib takes as long as all the rest
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _prctl(option: int, value: int) -> None:
    try:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (ImportError, AttributeError, OSError):
        pass  # not Linux: what is left over is ended by its process group alone


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
