"""Which processes there are and who started whom, as /proc tells it; nothing where there is none."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """Return the processes below one, parents before their children."""
    below: dict[int, list[int]] = {}
    for process in _processes():
        below.setdefault(_parent(process), []).append(int(process.name))
    family, queue = list[int](), [pid]
    while queue:
        found = below.get(queue.pop(0), [])
        family += found
        queue += found
    return family


def children(pid: int) -> list[int]:
    """Return the direct children, without a look at every process; none where the kernel cannot tell."""
    try:
        return [int(child) for child in (_PROC / f"{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def process_count() -> int:
    """Return how many processes this machine has."""
    return sum(1 for _ in _processes())


def own_tasks() -> int:
    """Return how many processes and threads this user has."""
    own, count = os.getuid(), 0
    for process in _processes():
        try:
            if process.stat().st_uid == own:
                count += sum(1 for _ in os.scandir(Path(process, "task")))
        except OSError:
            continue
    return count


def resident(pid: int) -> int:
    """Return the bytes of memory a process has to itself."""
    try:
        pages = (_PROC / f"{pid}/statm").read_bytes().split()
        return (int(pages[1]) - int(pages[2])) * _PAGE
    except (OSError, IndexError):
        return 0


def kill(pid: int) -> None:
    """Kill a process, or with a negative number a group, if it is there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _processes() -> Iterator[os.DirEntry[str]]:
    if _PROC.is_dir():
        yield from (entry for entry in os.scandir(_PROC) if entry.name.isdigit())


def _parent(process: os.DirEntry[str]) -> int:
    try:
        stat = Path(process, "stat").read_bytes()
    except OSError:
        return -1
    state, parent = stat.rpartition(b")")[2].split()[:2]
    return -1 if state == b"Z" else int(parent)
